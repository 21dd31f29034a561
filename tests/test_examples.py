"""Every bundle.yml below examples/ is locked, built and verified, word for word.

An example that names public images and models gets them from stand-ins: tiny models under the same ids on a hub of
ours, tiny images under the same names on a registry that is a mirror of Docker Hub. Only ``registries:`` is added.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.cli.main import call
from bundler.lock.file import read_lock
from bundler.site.verify import verify
from bundler.spec.families import families
from bundler.spec.model import HubModel, RegistryImage, Spec
from bundler.spec.parse import read_spec
from bundler.spec.request import request_of
from bundler.spec.template import init_text
from tests.counterparts.hub import Hub
from tests.counterparts.images import make_image, make_index, push
from tests.counterparts.registry import RegistryServer
from tests.counterparts.weights import write_gguf, write_mistral

EXAMPLES = Path(__file__).parent.parent / "examples"
FOUND = sorted(path.parent.name for path in EXAMPLES.glob("*/bundle.yml"))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    with RegistryServer(tmp_path_factory.mktemp("registry")) as started:
        yield started


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub() as started:
        monkeypatch.setenv("HF_ENDPOINT", started.endpoint)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield started


def stand_in(spec: Spec, hub: Hub, registry: RegistryServer, folder: Path) -> None:
    """Put small things where ``spec`` looks for large ones."""
    for model in spec.models:
        if isinstance(model, HubModel):
            place = folder / "hub" / model.id
            short = model.id.partition("/")[2].removesuffix("-GGUF")
            if spec.serve.engine == "lmstudio":
                for size in ("Q4_K_M", "Q8_0"):
                    write_gguf(place / f"{short}-{size}.gguf")
            else:
                write_mistral(place)
            hub.add(model.id, {path.name: path.read_bytes() for path in place.iterdir()})
    for role, image in spec.images:
        if isinstance(image, RegistryImage):
            made = [make_image([{"who": role.encode()}], platform=one) for one in ("linux/amd64", "linux/arm64")]
            push(registry, f"{image.repository}:{image.tag}", make_index(*made))


def copied(name: str, folder: Path, registry: RegistryServer) -> Path:
    """The example in ``folder``, with its inputs if it has some; Docker Hub is reached at ``registry``."""
    folder.mkdir(parents=True)
    text = (EXAMPLES / name / "bundle.yml").read_text()
    if (EXAMPLES / name / "inputs.py").exists():
        importlib.import_module(f"examples.{name}.inputs").make_inputs(folder / "inputs")
    else:
        host = registry.host
        text += f'\nregistries: {{"docker.io": {{mirrors: ["{host}"]}}, "{host}": {{plain_http: true}}}}\n'
    (folder / "bundle.yml").write_text(text)
    return folder / "bundle.yml"


@pytest.mark.parametrize("name", FOUND)
def test_an_example_is_locked_built_and_verified(
    name: str, hub: Hub, registry: RegistryServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = read_spec(EXAMPLES / name / "bundle.yml")
    stand_in(spec, hub, registry, tmp_path)
    path = copied(name, tmp_path / "desk", registry)
    assert call(["lock", str(path), "--json"]) == 0, capsys.readouterr().err
    said = capsys.readouterr()
    assert "warning" not in said.err
    assert call(["plan", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gpu"]["fits"]
    assert call(["build", str(path), "-o", str(tmp_path / "out")]) == 0, capsys.readouterr().err
    assert read_lock(path.with_suffix(".lock")).request == request_of(spec)
    report = verify([tmp_path / "out" / f"{spec.name}-{spec.version}.tar"])
    assert report.ok
    assert report.manifest
    members = {member.path for member in report.manifest.members}
    assert {"README.md", "kibana/kibana.yml"} <= members
    assert len(report.manifest.images) == len(spec.images)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("mistral-small-vllm", ["consolidated.safetensors", "params.json", "tekken.json"]),
        ("qwen3-lmstudio", ["Qwen3-30B-A3B-Instruct-2507-Q4_K_M.gguf"]),
    ],
)
def test_only_the_files_that_the_engine_reads_come_along(
    name: str, files: list[str], hub: Hub, registry: RegistryServer, tmp_path: Path
) -> None:
    stand_in(read_spec(EXAMPLES / name / "bundle.yml"), hub, registry, tmp_path)
    path = copied(name, tmp_path / "desk", registry)
    assert call(["lock", "-q", str(path)]) == 0
    (model,) = read_lock(path.with_suffix(".lock")).models
    assert [file.path for file in model.files] == files


def test_there_is_an_example_for_each_engine() -> None:
    assert FOUND == ["mistral-small-vllm", "qwen3-lmstudio", "tiny"]
    engines = {read_spec(EXAMPLES / name / "bundle.yml").serve.engine for name in FOUND}
    assert engines == {"vllm", "lmstudio"}


@pytest.mark.parametrize("engine", ["vllm", "lmstudio"])
def test_the_public_examples_agree_with_what_init_writes(engine: str, tmp_path: Path) -> None:
    """Same models, files, images and contexts: two texts of ours do not give two advices."""
    name, family = {"vllm": ("mistral-small-vllm", "mistral"), "lmstudio": ("qwen3-lmstudio", "qwen3")}[engine]
    assert family in {one.name for one in families()}
    (tmp_path / "bundle.yml").write_text(init_text(family, engine="vllm" if engine == "vllm" else "lmstudio"))
    ours, fresh = read_spec(EXAMPLES / name / "bundle.yml"), read_spec(tmp_path / "bundle.yml")
    assert ours.models == fresh.models
    assert (ours.serve.image, ours.serve.context) == (fresh.serve.image, fresh.serve.context)
    assert ours.connectors == fresh.connectors
