"""A world for installations: bundles around real images, made by the commands of the connected side."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from examples.tiny.inputs import make_inputs
from tests.counterparts.certificates import Authority, Certificate
from tests.counterparts.engine_image import engine_image
from tests.counterparts.images import write_layout
from tests.counterparts.port import free_port
from tests.counterparts.proxy_image import proxy_image, proxy_tag

NAME = "llm.example.internal"
MODEL = "example/Tiny-Llama-Instruct"
ROOT = Path(__file__).parents[3]

_SPEC = """\
apiVersion: llm-bundle/v1
name: tiny
version: {version}
platform: linux/amd64
stack: 9.2.0
models:
  - id: {model}
    folder: inputs/model
serve:
  engine: vllm
  image: oci:inputs/vllm:v0.10.2
  model: {model}
  context: 65536
  args: [{args}]
{proxy}
"""
_PROXY = """\
proxy: {{server_name: {name}, run: container, image: 'oci:inputs/{tag}'}}
connectors: [{{id: local-llm, name: Local LLM, provider: vllm}}]
"""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command of ours gave."""

    code: int
    out: str
    err: str


class World:
    """The connected side at ``folder``/connected, the site's root at ``folder``/site."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "site"
        self.connected = folder / "connected"
        self.connected.mkdir(parents=True)
        inputs = self.connected / "inputs"
        make_inputs(inputs)
        for name in ("vllm", "nginx"):
            shutil.rmtree(inputs / name)
        write_layout(inputs / "vllm", {"v0.10.2": engine_image()})
        write_layout(inputs / "nginx", {proxy_tag().partition(":")[2]: proxy_image()})
        self.https, self.http = free_port(), free_port()

    @property
    def bundles(self) -> list[Path]:
        """All that were made."""
        return sorted(self.connected.glob("tiny-*.tar"))

    @cached_property
    def certificate(self) -> Certificate:
        """For the proxy, with the chain; of a CA that no machine knows."""
        return certified(self.folder / "ca", 365)

    def bundle(self, version: str, *, args: str = "", proxy: bool = True) -> Path:
        """A bundle of that version; ``args`` are the engine's."""
        tag = f"nginx:{proxy_tag().partition(':')[2]}"
        said = _PROXY.format(name=NAME, tag=tag) if proxy else ""
        spec = self.connected / f"{version}.yml"
        spec.write_text(_SPEC.format(version=version, model=MODEL, args=args, proxy=said))
        for command in (["lock", spec.name], ["build", spec.name]):
            done = run(*command, cwd=self.connected)
            assert done.code == 0, done.err
        return self.connected / f"tiny-{version}.tar"

    def install(self, bundle: Path, *more: str, engine: str = "docker", env: dict[str, str] | None = None) -> Done:
        """``llm-bundle install`` with what this machine needs; GPUs are none, and their checks need not pass."""
        return run(*self.arguments(bundle, *more, engine=engine), env=env)

    def arguments(self, bundle: Path, *more: str, engine: str = "docker") -> list[str]:
        """The command line of ``install``."""
        ports = ["--https-port", str(self.https), "--http-port", str(self.http), "--address", "127.0.0.1"]
        tls = ["--tls-cert", str(self.certificate.certificate), "--tls-key", str(self.certificate.key)]
        chosen = ["--root", str(self.root), "--engine", engine, "--gpus", "none", "--start-period", "40"]
        return ["install", str(bundle), *chosen, *ports, *tls, *more]

    def at_site(self, command: str, *more: str, env: dict[str, str] | None = None) -> Done:
        """Another command of the site."""
        return run(*command.split(), "--root", str(self.root), *more, env=env)


def certified(folder: Path, days: int) -> Certificate:
    """A certificate with its chain, of a CA of its own."""
    authority = Authority(folder)
    made = authority.server(NAME, days=days)
    made.key.chmod(0o600)
    made.certificate.write_bytes(made.certificate.read_bytes() + authority.ca.read_bytes())
    return made


def run(*arguments: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> Done:
    """The tool, as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bundler.cli.main", *arguments],
        cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)
