"""Where bad input is tried: a folder with a good small bundle.yml, and servers that can be made to refuse."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from examples.tiny.inputs import make_inputs
from tests.counterparts.faulty import FaultyServer
from tests.counterparts.hub import Hub
from tests.counterparts.images import make_image, make_index, push
from tests.counterparts.registry import RegistryServer
from tests.counterparts.weights import write_model

ROOT = Path(__file__).parent.parent.parent
TINY = (ROOT / "examples" / "tiny" / "bundle.yml").read_text()
TOP = "tiny-1.0.0"
BODY = b"a file that comes along\n"
HUB_MODEL = "org/Tiny-Instruct"
GATED = "org/Gated-Instruct"


@dataclass(frozen=True, slots=True)
class Servers:
    """``closed`` wants a login; ``files`` serves /file; the hub has a model and a gated one."""

    open: RegistryServer
    closed: RegistryServer
    hub: Hub
    files: FaultyServer


@dataclass(frozen=True, slots=True)
class Bench:
    """The current folder, and what a case may change around it."""

    folder: Path
    servers: Servers
    patch: pytest.MonkeyPatch

    def spec(self, *changes: tuple[str, str], more: str = "") -> None:
        """Write bundle.yml: the tiny one with parts replaced, and ``more`` at its end."""
        text = TINY
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        (self.folder / "bundle.yml").write_text(text + more)

    def image(self, name: str, *, plain: bool = True) -> None:
        """Take the engine's image from a registry."""
        host = name.partition("/")[0]
        more = f'registries: {{"{host}": {{plain_http: true}}}}\n' if plain else ""
        self.spec(("oci:inputs/vllm:v0.10.2", name), more=more)

    def model(self, model: str) -> None:
        """Take the model from the stand-in of the hub; ``model`` is the rest of its mapping."""
        self.patch.setenv("HF_ENDPOINT", self.servers.hub.endpoint)
        self.spec(
            ("id: example/Tiny-Llama-Instruct\n    folder: inputs/model", model.replace(", ", "\n    ")),
            ("model: example/Tiny-Llama-Instruct", f"model: {model.partition(',')[0].removeprefix('id: ')}"),
        )

    def file(self, path: str = "/file", body: bytes = BODY) -> None:
        """Take one more file from the file server."""
        host = self.servers.files.host
        digest = hashlib.sha256(body).hexdigest()
        entry = f"files: [{{url: 'http://{host}{path}', sha256: {digest}, path: extra/file}}]\n"
        self.spec(more=f'{entry}registries: {{"{host}": {{plain_http: true}}}}\n')

    def built(self) -> Path:
        """A good bundle."""
        path = self.folder / f"{TOP}.tar"
        self.call("lock", "-q")
        self.call("build", "-q")
        return path

    def locked(self) -> Path:
        """A good lock."""
        self.call("lock", "-q")
        return self.folder / "bundle.lock"

    @staticmethod
    def call(*arguments: str) -> None:
        from bundler.cli.main import call

        assert call(list(arguments)) == 0, arguments


@dataclass(frozen=True, slots=True)
class Case:
    """Bad input: ``prepare`` makes it and returns the command; then the exit code, and words of place and hint."""

    name: str
    prepare: Callable[[Bench], str]
    code: int
    place: str
    hint: str


def make_bench(folder: Path, servers: Servers, patch: pytest.MonkeyPatch) -> Bench:
    """A fresh folder as the current one, without anything of the environment that sources read."""
    for name in (
        "HF_TOKEN",
        "HF_ENDPOINT",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "ALL_PROXY",
        "SOURCE_DATE_EPOCH",
        "REGISTRY_AUTH_FILE",
    ):
        patch.delenv(name, raising=False)
    patch.setenv("HOME", str(folder / "home"))
    patch.setenv("DOCKER_CONFIG", str(folder / "home"))
    make_inputs(folder / "inputs")
    patch.chdir(folder)
    bench = Bench(folder, servers, patch)
    bench.spec()
    return bench


def fill(servers: Servers, folder: Path) -> None:
    """What the cases find at the servers."""
    arm = make_image([{"a": b"1"}], platform="linux/arm64")
    s390x = make_image([{"a": b"2"}], platform="linux/s390x")
    push(servers.open, "team/foreign:1", make_index(arm, s390x))
    push(servers.open, "team/good:v1.28", make_image([{"a": b"3"}]))
    push(servers.closed, "team/good:v1", make_image([{"a": b"3"}]))
    files = {path.name: path.read_bytes() for path in write_model(folder / "model").iterdir()}
    servers.hub.add(HUB_MODEL, files)
    servers.hub.add(GATED, files, gated=True)
    servers.hub.allow("hf_other")
    pickled = {name: data for name, data in files.items() if not name.endswith(".safetensors")}
    servers.hub.add("org/Pickled-Instruct", {**pickled, "pytorch_model.bin": b"\x80\x02}q\x00."})


def occupy(path: Path) -> None:
    """A folder where a file should go."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
