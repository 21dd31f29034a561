"""What the tests of the whole tool share: a registry with two images, a hub with a model, a file server, a folder.

Rules: the tool runs as users run it, as a program of its own in an empty environment that names only what it is told.
The engine's image is an index of two platforms with a zstd layer; the proxy's has a manifest of Docker's and a layer
in common with the engine's. The model is gated and holds its weights twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.counterparts.faulty import FaultyServer, Route
from tests.counterparts.hub import Hub
from tests.counterparts.images import Image, ImageIndex, make_image, make_index, make_layer, push
from tests.counterparts.registry import PASSWORD, USER, RegistryServer
from tests.counterparts.weights import write_gguf, write_mistral

TOKEN = "hf_thisTOKENmustTURNupNOWHERE"
MODEL = "org/Tiny-Mistral-Instruct"
TOP = "journey-1.0.0"
HANDBOOK = b"Whoever reads this is at the secure site.\n" * 500
CONNECTORS = "connectors:\n  - {id: tiny, name: vLLM - Tiny, provider: vllm}\n"


def _noise(size: int) -> bytes:
    """What no packing makes smaller."""
    return random.Random(size).randbytes(size)


BASE = make_layer({"etc/os-release": b"ID=tests\n", "bin/true": _noise(700_000)})


def _engine() -> ImageIndex:
    own = make_layer({"opt/vllm/engine": _noise(1_500_000)}, packing="zstd")
    amd64 = make_image([BASE, own, {"opt/vllm/version": b"0.10.2\n"}])
    arm64 = make_image([BASE, {"opt/vllm/engine": b"another"}], platform="linux/arm64")
    return make_index(arm64, amd64, attestation=True)


ENGINE = _engine()
ENGINE_AMD64 = next(image for image in ENGINE.images if image.platform == "linux/amd64")
PROXY = make_image([BASE, {"etc/nginx/nginx.conf": b"http {}"}], docker=True)


@dataclass(frozen=True, slots=True)
class Done:
    """What a run left: exit code, both streams, and every command line seen of it and of what it started."""

    code: int
    out: str
    err: str
    argv: frozenset[bytes] = frozenset()

    @property
    def json(self) -> dict[str, Any]:
        """stdout, which must be one JSON object and nothing else."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder that a user works in; ``environment`` is all that the tool is told besides its arguments."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def write(self, text: str, name: str = "bundle.yml") -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name
        path.write_text(text)
        return path

    @property
    def variables(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8",
            "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"], **self.environment,
        }  # fmt: skip

    def start(self, *arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
        """Start the tool here; without ``streams`` both outputs are pipes."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **streams}
        command = [sys.executable, "-m", "bundler.cli.main", *arguments]
        return subprocess.Popen(command, cwd=self.folder, env=self.variables, preexec_fn=_hear_interrupts, **pipes)

    def run(self, *arguments: str, code: int | None = 0) -> Done:
        """Run the tool to its end; ``code`` is the exit code that it must have, None for any."""
        process = self.start(*arguments)
        seen: set[bytes] = set()
        while True:
            try:
                out, err = process.communicate(timeout=0.02)
                break
            except subprocess.TimeoutExpired:
                seen |= _command_lines(process.pid)
        done = Done(process.returncode, out.decode(), err.decode(), frozenset(seen))
        assert "Traceback" not in done.err, done.err
        assert code is None or done.code == code, f"{arguments}: exit {done.code}\n{done.out}\n{done.err}"
        return done


def _command_lines(pid: int) -> set[bytes]:
    """The arguments of a process and of all that it started."""
    found: set[bytes] = set()
    try:
        found.add(Path(f"/proc/{pid}/cmdline").read_bytes())
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                found |= _command_lines(int(child))
    except OSError:
        pass
    return found


def login_file(folder: Path, host: str) -> Path:
    """What ``docker login`` writes, in a folder for DOCKER_CONFIG."""
    folder.mkdir(parents=True)
    auth = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    return folder


def push_images(registry: RegistryServer, prefix: str = "") -> tuple[ImageIndex, Image]:
    """The engine's and the proxy's image, as ``team/vllm:v0.10.2`` and ``team/nginx:1.29``."""
    push(registry, f"{prefix}team/vllm:v0.10.2", ENGINE)
    push(registry, f"{prefix}team/nginx:1.29", PROXY)
    return ENGINE, PROXY


def fill_hub(hub: Hub, folder: Path) -> str:
    """The gated model with both its sets of weights; returns its commit."""
    files = {path.name: path.read_bytes() for path in write_mistral(folder).iterdir()}
    hub.allow(TOKEN, MODEL)
    return hub.add(MODEL, files, gated=True)


def fill_files(server: FaultyServer, folder: Path) -> str:
    """The handbook, and a GGUF file, whose SHA-256 is returned."""
    server.routes["/handbook.txt"] = Route(HANDBOOK)
    (path,) = write_gguf(folder / "tiny-instruct.gguf")
    server.routes["/tiny-instruct.gguf"] = Route(path.read_bytes())
    return hashlib.sha256(path.read_bytes()).hexdigest()


def bundle_yml(images: str, files: str, *, registries: Mapping[str, str], name: str = "journey") -> str:
    """A bundle.yml for vLLM; ``images`` and ``files`` are hosts, ``registries`` host → its settings."""
    access = "".join(f'  "{host}": {settings}\n' for host, settings in registries.items())
    return f"""\
apiVersion: llm-bundle/v1
name: {name}
version: 1.0.0
platform: linux/amd64
stack: 9.2.0
models:
  - {{id: {MODEL}, revision: main}}
serve:
  engine: vllm
  image: {images}/team/vllm:v0.10.2
  model: {MODEL}
  context: 65536
proxy: {{server_name: llm.example.internal, image: "{images}/team/nginx:1.29"}}
{CONNECTORS}files:
  - url: http://{files}/handbook.txt
    sha256: {hashlib.sha256(HANDBOOK).hexdigest()}
    path: extra/handbook.txt
registries:
{access}"""


def lmstudio_yml(model: str, served: str, *, proxy: str = "", files: str = "", registries: Mapping[str, str]) -> str:
    """A bundle.yml for LM Studio; ``model`` is an entry of ``models:``, ``served`` its id, ``files`` more lines."""
    access = "".join(f'  "{host}": {settings}\n' for host, settings in registries.items())
    run = f'run: container, image: "{proxy}"' if proxy else "run: host"
    return f"""\
apiVersion: llm-bundle/v1
name: journey
version: 1.0.0
platform: linux/amd64
stack: 9.2.0
models:
  - {model}
serve: {{engine: lmstudio, model: {served}, context: 65536}}
proxy: {{server_name: llm.example.internal, {run}}}
{files}registries:
{access}"""


def _hear_interrupts() -> None:
    """Tests that a shell runs in the background inherit an ignored SIGINT; a user's tool does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
