"""Dashboards in the spaces of a Kibana, recorded in a real Elasticsearch."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kibana_assets.install.record import NAME
from kibana_assets.kibana import client
from tests.assets.stage import Stage
from tests.counterparts.kibana_assets_standin import KibanaObjects


@pytest.fixture
def kibana(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[KibanaObjects]:
    """A Kibana with three spaces; pauses of nothing."""
    monkeypatch.setattr(client, "_PAUSES", (0.0, 0.0))
    login = f"ApiKey {stage.key.read_text()}"
    with KibanaObjects(login, ("default", "a", "b")) as server:
        yield server


def options(kibana: KibanaObjects, *more: str) -> list[str]:
    return ["--kibana", kibana.url, "--no-fleet", *more]


pytestmark = pytest.mark.usefixtures("all_streams")


def test_two_spaces_status_and_uninstall(stage: Stage, kibana: KibanaObjects) -> None:
    before = stage.names()
    both = options(kibana, "--space", "default", "--space", "a")
    done = stage.run("install", "--no-proof", *both)
    assert done.code == 0, done.errors
    spaces = {one["space"] for one in done.document["changes"] if one["kind"] == "dashboard"}
    assert spaces == {"default", "a"}
    assert stage.run("plan", *both).code == 0
    count = len(kibana.imports)
    assert stage.run("install", "--no-proof", *both).of("create", "update", "remove") == []
    assert len(kibana.imports) == count
    shown = stage.run("status", *options(kibana))
    assert (shown.code, {one["space"] for one in shown.document["installed"]}) == (0, {None, "default", "a"})
    gone = stage.run("uninstall", *options(kibana))
    assert (gone.code, stage.names()) == (0, before)
    assert {kind for _, kind, _ in kibana.stored} == {"index-pattern"}, "data views belong to everybody"


def test_what_was_edited_in_kibana_is_kept_unless_forced(stage: Stage, kibana: KibanaObjects) -> None:
    stage.run("install", "--no-proof", *options(kibana))
    key = next(key for key in kibana.stored if key[1] == "dashboard")
    kibana.stored[key]["attributes"]["title"] = "mine"
    kept = stage.run("install", "--no-proof", *options(kibana))
    assert (kept.reason(key[2]), kept.of("update")) == ("edited by hand", [])
    assert key[2] not in stage.run("uninstall", "--dry-run", *options(kibana)).of("remove")
    forced = stage.run("install", "--no-proof", "--force", *options(kibana))
    assert forced.of("update") == [key[2]]
    [copy] = forced.document["backups"]
    assert (Path(copy).name[-15:], '"title": "mine"' in Path(copy).read_text()) == ("-default.ndjson", True)
    assert stage.run("plan", *options(kibana)).code == 0


@pytest.mark.parametrize("place", ["_import", "_export"])
def test_a_cut_at_an_import_or_right_after_it(stage: Stage, kibana: KibanaObjects, place: str) -> None:
    stage.run("install", "--no-proof")
    if place == "_export":
        kibana.faults = [("nothing", 0)]
        stored = kibana.take_in

        def then_cut(space: str, objects: list[dict[str, Any]]) -> dict[str, Any]:
            kibana.faults = [("_export", "cut")]
            return stored(space, objects)

        kibana.take_in = then_cut  # type: ignore[method-assign]
    else:
        kibana.faults = [("_import", "cut")]
    failed = stage.run("install", "--no-proof", *options(kibana))
    assert failed.code == 4
    assert "(space default)" in failed.errors
    if place == "_export":
        kibana.take_in = stored  # type: ignore[method-assign]
    assert NAME in stage.names()
    done = stage.run("install", "--no-proof", *options(kibana))
    assert (done.code, done.of("remove")) == (0, [])
    assert not [
        one for one in done.document["changes"] if one["reason"] not in ("missing", "other content", "up to date")
    ]
    assert stage.run("plan", *options(kibana)).code == 0


def test_refusals(stage: Stage, kibana: KibanaObjects) -> None:
    kibana.faults = [("_import", 413)]
    failed = stage.run("install", "--no-proof", *options(kibana))
    assert (failed.code, "maxImportPayloadBytes" in failed.errors) == (7, True)
    kibana.faults = [("_import", 429), ("_export", 503)]
    assert stage.run("install", "--no-proof", *options(kibana)).code == 0
    kibana.stored.clear()
    taken = kibana.take_in
    kibana.take_in = lambda space, objects: taken(space, [one for one in objects if one["type"] != "tag"])  # type: ignore[method-assign]
    failed = stage.run("install", "--no-proof", *options(kibana))
    assert (failed.code, "missing_references tag" in failed.errors) == (7, True)
    failed = stage.run("plan", *options(kibana, "--space", "nix"))
    assert (failed.code, "Saved object [space/nix] not found" in failed.errors) == (7, True)
    kibana.version = "8.18.3"
    failed = stage.run("plan", *options(kibana))
    assert (failed.code, "Kibana 8.18.3: expected 8.19 or newer" in failed.errors) == (7, True)
    kibana.authorization = "Basic " + base64.b64encode(b"a:b").decode()
    failed = stage.run("plan", *options(kibana))
    assert (failed.code, "KIBANA_API_KEY" in failed.errors) == (7, True)
    for wrong in (["--kibana", kibana.url], [*options(kibana), "--no-kibana"], ["--space", "a"]):
        assert stage.run("plan", *wrong).code == 2
