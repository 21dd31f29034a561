"""One lock, two machines: other mirrors, another hub, another umask, time zone and hash seed, the same file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.counterparts.hub import Hub
from tests.counterparts.images import make_image, push
from tests.counterparts.registry import RegistryServer
from tests.end_to_end.conftest import Journey, World
from tests.end_to_end.stage import MODEL, PROXY, TOKEN, TOP, Desk, bundle_yml, fill_hub, lmstudio_yml

NOWHERE = "registry.example.internal"  # a name that no resolver knows: only mirrors can have served the images


def mirrored(world: World, mirror: str) -> str:
    """The bundle.yml of a machine that reaches the registry's images at ``mirror`` alone."""
    plain = dict.fromkeys((mirror.partition("/")[0], world.files.host), "{plain_http: true}")
    return bundle_yml(NOWHERE, world.files.host, registries={NOWHERE: f'{{mirrors: ["{mirror}"]}}', **plain})


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_two_machines_build_the_same_file(world: World, tmp_path: Path) -> None:
    one = world.desk(tmp_path / "one", TZ="Pacific/Kiritimati", PYTHONHASHSEED="1")
    one.write(mirrored(world, world.closed.host))
    one.run("lock")
    first = one.run("build", "--json", "-j", "1").json
    with Hub() as hub, umask(0o077):
        assert fill_hub(hub, tmp_path / "model") == world.commit
        two = world.desk(tmp_path / "two", HF_ENDPOINT=hub.endpoint, TZ="America/Adak", PYTHONHASHSEED="2")
        two.write(mirrored(world, f"{world.open.host}/copies"))
        two.write((one.folder / "bundle.lock").read_text(), "bundle.lock")
        second = two.run("build", "--json", "-j", "7").json
        assert any(seen.path.endswith("consolidated.safetensors") for seen in hub.seen)
    assert first["manifest_sha256"] == second["manifest_sha256"]
    assert (one.folder / f"{TOP}.tar").read_bytes() == (two.folder / f"{TOP}.tar").read_bytes()


def test_another_registry_in_bundle_yml_is_another_bundle(world: World, journey: Journey, tmp_path: Path) -> None:
    """The lock holds the names: what is built at home is not what is built from mirrors."""
    desk = world.desk(tmp_path)
    desk.write(mirrored(world, world.closed.host))
    desk.write((journey.desk.folder / "bundle.lock").read_text(), "bundle.lock")
    done = desk.run("build", code=3)
    assert "does not match bundle.yml: serve.image: " in done.err
    assert "llm-bundle lock --update" in done.err


def test_locking_twice_gives_the_same_file(world: World, journey: Journey, tmp_path: Path) -> None:
    desk = world.desk(tmp_path, SOURCE_DATE_EPOCH="1700000000")
    path = desk.write(world.yml()).with_suffix(".lock")
    assert desk.run("lock", "--json").json["changed"] is True
    first = path.read_bytes()
    assert json.loads(first)["created"] == 1_700_000_000
    kept = desk.run("lock", "--json")
    assert kept.json["changed"] is False
    later = Desk(tmp_path, {**desk.environment, "SOURCE_DATE_EPOCH": "1800000000"})
    assert later.run("lock", "--update", "--json").json["changed"] is False
    assert path.read_bytes() == first
    path.unlink()
    desk.run("lock")
    assert path.read_bytes() == first
    other = json.loads((journey.desk.folder / "bundle.lock").read_bytes())
    mine = json.loads(first)
    assert {key for key in mine if mine[key] != other[key]} == {"created", "checksum"}


def test_update_follows_a_branch_and_a_tag_that_moved(world: World, tmp_path: Path) -> None:
    with Hub() as hub, RegistryServer(tmp_path / "registry") as registry:
        fill_hub(hub, tmp_path / "model")
        push(registry, "team/nginx:1.29", PROXY)
        desk = world.desk(tmp_path / "desk", HF_ENDPOINT=hub.endpoint)
        plain = dict.fromkeys((registry.host, world.files.host), "{plain_http: true}")
        text = lmstudio_yml(f"{{id: {MODEL}}}", MODEL, proxy=f"{registry.host}/team/nginx:1.29", registries=plain)
        desk.write(text)
        before = desk.run("lock", "--json").json
        files = {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()}
        moved = hub.add(MODEL, {**files, "README.md": b"Now with a licence.\n"}, gated=True)
        newer = make_image([{"etc/nginx/nginx.conf": b"events {}"}])
        push(registry, "team/nginx:1.29", newer)
        assert desk.run("lock", "--json").json == {**before, "changed": False}  # it is pinned until told otherwise
        after = desk.run("lock", "--update", "--json").json
    assert (after["changed"], after["models"][0]["commit"]) == (True, moved)
    assert after["models"][0]["commit"] != before["models"][0]["commit"]
    assert after["images"][0]["digest"] == newer.digest != before["images"][0]["digest"]
    assert TOKEN not in (tmp_path / "desk" / "bundle.lock").read_text()
