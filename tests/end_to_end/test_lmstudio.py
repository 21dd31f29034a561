"""A bundle for LM Studio: one GGUF file at an address, no engine image; a proxy image by tag and digest."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import gguf
import pytest

from bundler.serving.lmstudio import decode
from tests.counterparts.need import need
from tests.counterparts.weights import CONTEXT
from tests.end_to_end.conftest import World
from tests.end_to_end.stage import PROXY, TOP, Desk, lmstudio_yml

MODEL = "lmstudio-community/Tiny-Instruct-GGUF"


@pytest.fixture(scope="module")
def desk(world: World, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A folder with bundle.yml alone."""
    plain = dict.fromkeys((world.open.host, world.files.host), "{plain_http: true}")
    address = f"http://{world.files.host}/tiny-instruct.gguf"
    model = f"{{id: {MODEL}, url: '{address}', sha256: {world.gguf}}}"
    image = f"{world.open.host}/copies/team/nginx:1.29@{PROXY.digest}"
    desk = world.desk(tmp_path_factory.mktemp("lmstudio"))
    desk.write(lmstudio_yml(model, MODEL, proxy=image, registries=plain))
    return desk


def test_plan_without_a_lock_writes_nothing(desk: Desk) -> None:
    done = desk.run("plan", "--json")
    assert [path.name for path in desk.folder.iterdir()] == ["bundle.yml"]
    assert [image["role"] for image in done.json["images"]] == ["proxy"]
    assert done.json["models"][0]["context"] == CONTEXT
    assert "there is no lock: looking everything up instead" in done.err


def test_from_bundle_yml_to_a_model_that_opens(world: World, desk: Desk) -> None:
    locked = desk.run("lock", "--json")
    assert locked.json["models"] == [{"id": MODEL, "commit": None, "files": 1}]
    assert "instruct in its name" not in locked.err
    built = desk.run("build", "--json").json
    assert built["bytes_fetched"] == desk.run("plan", "--json").json["fetch_bytes"]
    assert desk.run("verify", "--json", f"{TOP}.tar").json["ok"] is True
    desk.run("unpack", f"{TOP}.tar", "site")
    plan = decode((desk.folder / "site" / TOP / "config" / "lmstudio.json").read_bytes())
    assert (plan.identifier, plan.main, plan.files[0].digest.hex) == (MODEL, "tiny-instruct.gguf", world.gguf)
    reader = gguf.GGUFReader(desk.folder / "site" / TOP / "models" / MODEL / "tiny-instruct.gguf")
    field = reader.fields["llama.context_length"]
    assert int(field.parts[field.data[0]][0]) == CONTEXT


def test_skopeo_reads_an_image_that_was_named_by_digest(desk: Desk) -> None:
    images = desk.folder / "site" / TOP / "images"
    (entry,) = json.loads((images / "index.json").read_bytes())["manifests"]
    name = entry["annotations"]["org.opencontainers.image.ref.name"]
    assert name.endswith(f"/copies/team/nginx:1.29@{PROXY.digest}")
    command = [need("skopeo", "skopeo"), "inspect", "--raw", f"oci:{images}:{name}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["config"]["digest"] == json.loads(PROXY.manifest)["config"]["digest"]


def test_a_model_without_instruct_in_its_name_warns(desk: Desk, tmp_path: Path) -> None:
    other = Desk(tmp_path, desk.environment)
    other.write((desk.folder / "bundle.yml").read_text().replace(MODEL, "lmstudio-community/Tiny-GGUF"))
    assert "warning: lmstudio-community/Tiny-GGUF: no instruct in its name" in other.run("lock").err
