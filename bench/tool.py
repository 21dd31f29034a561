"""llm-bundle itself, by the commands that a user types."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Usage, run
from bench.payload import MODEL
from bench.servers import Served

ROOT = Path(__file__).parent.parent
TOP = "bench-1.0.0"
_SPEC = """\
apiVersion: llm-bundle/v1
name: bench
version: 1.0.0
platform: linux/amd64
stack: 9.2.0
models:
  - id: {model}
serve:
  engine: vllm
  image: {image}
  model: {model}
  context: 65536
proxy:
  server_name: llm.example.internal
  run: host
connectors:
  - id: bench
    name: Bench
    provider: vllm
registries:
  {host}: {{plain_http: true}}
"""


@dataclass(frozen=True, slots=True)
class Tool:
    """The tool at work in ``place``."""

    place: Path
    served: Served

    @property
    def bundle(self) -> Path:
        """What ``build`` makes."""
        return self.place / f"{TOP}.tar"

    def lock(self) -> None:
        """Write bundle.yml and lock it."""
        host = self.served.image.partition("/")[0]
        text = _SPEC.format(model=MODEL, image=self.served.image, host=host)
        (self.place / "bundle.yml").write_text(text)
        self._run("lock", "-q")

    def build(self) -> Usage:
        """Build from nothing."""
        self.bundle.unlink(missing_ok=True)
        return self._run("build", "-q", "--json")

    def verify(self, path: Path) -> Usage:
        """Verify the bundle or what it was unpacked to."""
        return self._run("verify", "-q", "--json", str(path))

    def unpack(self, bundle: Path, into: Path) -> Usage:
        """Unpack to ``into/TOP``."""
        return self._run("unpack", "-q", "--json", str(bundle), str(into))

    def release(self, bundle: Path, root: Path, *socket: Path) -> Usage:
        """Add the bundle to the installation at ``root``; with the ``socket`` of Docker, load its images there."""
        places = (bundle, root, *socket)
        return run(sys.executable, "-m", "bench.release", *places, cwd=ROOT, environment=self.served.environment)

    def help(self) -> Usage:
        """The shortest of commands: what is left is the start of the program."""
        return self._run("--help")

    def _run(self, *arguments: str) -> Usage:
        command = [sys.executable, "-m", "bundler.cli.main", *arguments]
        environment = {**self.served.environment, "PYTHONPATH": str(ROOT)}  # the tree that this file is of
        return run(*command, cwd=self.place, environment=environment)
