"""Dashboards in the spaces of a Kibana, recorded in a real Elasticsearch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kibana_assets.install.record import NAME
from kibana_assets.kibana import client
from tests.assets.stage import Stage
from tests.counterparts.kibana_stack.route import Answer
from tests.counterparts.kibana_stack.server import KibanaStack
from tests.counterparts.kibana_stack.state import EVERYTHING, Stack


@pytest.fixture
def kibana(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[KibanaStack]:
    """A Kibana with three spaces; pauses of nothing."""
    monkeypatch.setattr(client, "_PAUSES", (0.0, 0.0))
    login = f"ApiKey {stage.key.read_text()}"
    with KibanaStack(
        Stack(spaces={"default": "Default", "a": "A", "b": "B"}, logins={login: EVERYTHING}), base_path="/kb"
    ) as server:
        yield server


def failing(kibana: KibanaStack, *faults: tuple[str, int | str]) -> None:
    """Answer so, or cut, at the next request whose path ends so; a cut that has ``+`` comes after an import."""
    left = list(faults)

    def fault(method: str, path: str) -> Answer | None:
        if not left or left[0][0] not in path:
            return None
        what = left.pop(0)[1]
        if isinstance(what, str):
            raise ConnectionError
        return Answer({"statusCode": what, "error": "", "message": "made up"}, what)

    kibana.fault = fault


def options(kibana: KibanaStack, *more: str) -> list[str]:
    return ["--kibana", kibana.url, "--no-fleet", *more]


pytestmark = pytest.mark.usefixtures("all_streams")


def imports(kibana: KibanaStack) -> int:
    return sum("_import" in line for line in kibana.seen)


def test_two_spaces_status_and_uninstall(stage: Stage, kibana: KibanaStack) -> None:
    before = stage.names()
    both = options(kibana, "--space", "default", "--space", "a")
    done = stage.run("install", "--no-proof", *both)
    assert done.code == 0, done.errors
    spaces = {one["space"] for one in done.document["changes"] if one["kind"] == "dashboard"}
    assert spaces == {"default", "a"}
    assert imports(kibana) == 2
    assert len(kibana.stack.ids("a", "dashboard")) == len(kibana.stack.ids("default", "dashboard")) > 1
    assert stage.run("install", "--no-proof", *both).of("create", "update", "remove") == []
    assert imports(kibana) == 2
    shown = stage.run("status", *options(kibana))
    assert [one for one in shown.document["installed"] if one["state"] != "same"] == []
    assert {one["space"] for one in shown.document["installed"]} == {None, "default", "a"}
    assert set(stage.run("plan", *options(kibana, "--all-spaces")).of("create")) == {
        one["id"] for one in done.document["changes"] if one["space"] == "a"
    }, "space b lacks them"
    gone = stage.run("uninstall", *options(kibana))
    assert (gone.code, stage.names()) == (0, before)
    left = {kind for space in kibana.stack.objects.values() for kind, _ in space}
    assert left == {"index-pattern"}, "data views belong to everybody"


def test_what_was_edited_in_kibana_is_kept_unless_forced(stage: Stage, kibana: KibanaStack) -> None:
    stage.run("install", "--no-proof", *options(kibana))
    name = kibana.stack.ids("default", "dashboard")[0]
    kibana.stack.inside("default")[("dashboard", name)]["attributes"]["title"] = "mine"
    kept = stage.run("install", "--no-proof", *options(kibana))
    assert (kept.reason(name), kept.of("update")) == ("edited by hand", [])
    assert name not in stage.run("uninstall", "--dry-run", *options(kibana)).of("remove")
    forced = stage.run("install", "--no-proof", "--force", *options(kibana))
    assert forced.of("update") == [name]
    [copy] = forced.document["backups"]
    assert (Path(copy).name[-15:], '"title": "mine"' in Path(copy).read_text()) == ("-default.ndjson", True)
    assert stage.run("plan", *options(kibana)).code == 0


@pytest.mark.parametrize("faults", [[("_import", "cut")], [("_import", "cut-after")]], ids=["before", "after"])
def test_a_cut_at_an_import_or_right_after_it(stage: Stage, kibana: KibanaStack, faults: list[tuple[str, str]]) -> None:
    stage.run("install", "--no-proof")
    if faults[0][1] == "cut-after":
        # The plan reads first; the second reading is that of what was imported.
        failing(kibana, ("_bulk_get", 503), ("_bulk_get", 503), ("_import", 503), ("_bulk_get", "cut"))
    else:
        failing(kibana, *faults)
    failed = stage.run("install", "--no-proof", *options(kibana))
    assert failed.code == 4
    assert "(space default)" in failed.errors
    assert bool(kibana.stack.ids("default", "dashboard")) == (faults[0][1] == "cut-after")
    assert NAME in stage.names()
    kibana.fault = None
    done = stage.run("install", "--no-proof", *options(kibana))
    assert (done.code, done.of("remove")) == (0, [])
    reasons = {one["reason"] for one in done.document["changes"]}
    assert reasons <= {"missing", "missing; is made switched off", "other content", "up to date"}
    assert stage.run("plan", *options(kibana)).code == 0


def test_refusals(stage: Stage, kibana: KibanaStack) -> None:
    failing(kibana, ("_import", 413))
    failed = stage.run("install", "--no-proof", *options(kibana))
    assert (failed.code, "maxImportPayloadBytes" in failed.errors) == (7, True)
    failing(kibana, ("_bulk_get", 503), ("_import", 429))
    assert stage.run("install", "--no-proof", *options(kibana)).code == 0
    failed = stage.run("plan", *options(kibana, "--space", "nix"))
    assert (failed.code, "there is no space nix" in failed.errors) == (2, True)
    kibana.stack.version = "8.18.3"
    failed = stage.run("plan", *options(kibana))
    assert (failed.code, "Kibana 8.18.3: expected 8.19 or newer" in failed.errors) == (7, True)
    kibana.stack.logins.clear()
    failed = stage.run("plan", *options(kibana))
    assert (failed.code, "KIBANA_API_KEY" in failed.errors) == (7, True)
    for wrong in ([*options(kibana), "--no-kibana"], ["--space", "a"]):
        assert stage.run("plan", *wrong).code == 2


def test_what_kibana_does_not_import(stage: Stage, kibana: KibanaStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kibana_assets.dashboards.objects.data_views", list)
    failed = stage.run("install", "--no-proof", *options(kibana))
    assert (failed.code, "missing_references index-pattern logs-*" in failed.errors) == (7, True)
    assert not kibana.stack.ids("default", "dashboard")


def test_what_changes_alone_in_a_second_space_refers_to_what_is_there(stage: Stage, kibana: KibanaStack) -> None:
    both = options(kibana, "--space", "default", "--space", "a", "--no-rules")
    stage.run("install", "--no-proof", *both)
    inside = kibana.stack.inside("a")
    assert ("index-pattern", "logs-*") not in inside, "it has another id there"
    name = next(one for kind, one in inside if kind == "dashboard")
    views = {one for kind, one in inside if kind == "index-pattern"}
    before = inside[("dashboard", name)]["references"]
    inside[("dashboard", name)]["attributes"]["title"] = "mine"
    forced = stage.run("install", "--no-proof", "--force", *both)
    assert (forced.code, len(forced.of("update"))) == (0, 1), forced.errors
    after = inside[("dashboard", name)]["references"]
    assert {(one["type"], one["id"]) for one in after} == {(one["type"], one["id"]) for one in before}
    assert {one["id"] for one in after if one["type"] == "index-pattern"} <= views
    assert all((one["type"], one["id"]) in inside for one in after)
    assert stage.run("plan", *both).code == 0
