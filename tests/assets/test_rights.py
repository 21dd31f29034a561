"""A missing privilege of Kibana's is named before anything is written: real logins, asked of a real Elasticsearch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from kibana_assets.dashboards.objects import dashboards, data_views, objects
from kibana_assets.install.role import role
from kibana_assets.install.rules import rule_id, wanted_rules
from kibana_assets.kibana import client
from kibana_assets.kibana.rights import OBJECTS
from kibana_assets.package.tree import load
from tests.assets.stage import Said, Stage
from tests.counterparts.kibana_stack.privileges import APPLICATION, Authority, register
from tests.counterparts.kibana_stack.server import KibanaStack
from tests.counterparts.kibana_stack.state import Stack

pytestmark = pytest.mark.usefixtures("all_streams")
Json = dict[str, Any]
BOTH = ("--space", "default", "--space", "a")
WORDS = {
    "feature_dashboard.all": "Dashboard: All",
    "feature_dashboard_v2.all": "Dashboard: All",
    "feature_indexPatterns.all": "Data View Management: All",
    "feature_savedObjectsTagging.all": "Tag Management: All",
    "feature_stackAlerts.all": "Stack Rules: All",
    "feature_actions.read": "Actions and Connectors: Read",
}
"""How Kibana's page of roles calls what our role grants."""
FLEET = {"feature_fleet.all": "Integrations: All", "feature_fleetv2.all": "Fleet: All"}
NAMES = ("feature_dashboard.all", "feature_dashboard_v2.all")
"""Two names of one: a Kibana takes either."""


@pytest.fixture
def kibana(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[KibanaStack]:
    """A Kibana with three spaces whose logins and rights a real Elasticsearch knows."""
    monkeypatch.setattr(client, "_PAUSES", (0.0, 0.0))
    register(stage.node)
    stack = Stack(spaces={"default": "Default", "a": "A", "b": "B"}, authority=Authority(stage.node.url))
    stack.upload_pause = 0
    with KibanaStack(stack) as server:
        yield server
    for name in stage.node.call("GET", f"_security/privilege/{APPLICATION}")[APPLICATION]:
        stage.node.call("DELETE", f"_security/privilege/{APPLICATION}/{name}")


def key_of(stage: Stage, rights: Json) -> Path:
    """A file with a key that has these rights."""
    made = stage.node.call("POST", "_security/api_key", {"name": "test", "role_descriptors": {"test": rights}})
    path = stage.folder / f"{made['id']}.key"
    path.write_text(made["encoded"], encoding="ascii")
    return path


def granted(space: str, *without: str) -> Json:
    """What our role grants in a space, less something."""
    [one] = role("install", spaces=[space])["applications"]
    return {**one, "privileges": [name for name in one["privileges"] if name not in without]}


def with_spaces(*applications: Json) -> Json:
    """Our role with other grants in Kibana."""
    return {**role("install"), "applications": list(applications)}


def refused(stage: Stage, kibana: KibanaStack, rights: Json, *args: str, kibana_options: tuple[str, ...] = BOTH) -> str:
    """What plan and install say; nothing was written by either."""
    key, where = key_of(stage, rights), ["--kibana", kibana.url, *kibana_options, *args]
    errors = set()
    for command in ("plan", "install"):
        kibana.seen.clear()
        stage.between.seen.clear()
        said = stage.run(command, *where, key=key)
        assert (said.code, said.document.get("changes")) == (7, None), said.errors
        assert (stage.between.writes(), kibana.writes()) == ([], [])
        errors.add(said.errors)
    [told] = errors
    return told


def run(stage: Stage, kibana: KibanaStack, rights: Json, command: str, *args: str) -> Said:
    """A command without Fleet, with a key that has these rights."""
    proof = ["--no-proof"] if command == "install" else []
    return stage.run(command, *proof, "--kibana", kibana.url, "--no-fleet", *args, key=key_of(stage, rights))


def without(rights: Json, part: str, name: str) -> Json:
    """A role less one privilege; of Kibana's in space a alone."""
    left = deepcopy(rights)
    for one in [left] if part == "cluster" else left[part]:
        names = one["cluster" if part == "cluster" else "privileges"]
        if part != "applications" or one["resources"] == ["space:a"]:
            names[:] = [kept for kept in names if kept not in (NAMES if name in NAMES else (name,))]
    return left


WHOLE = {**role("install"), "applications": [granted("default"), granted("a")]}
ELASTICSEARCH = [("cluster", name) for name in role("install")["cluster"]]
ELASTICSEARCH += [("indices", name) for name in role("install")["indices"][0]["privileges"]]
KIBANA = [("applications", name) for name in granted("a")["privileges"] if name != "feature_actions.read"]


def test_the_role_grants_what_has_a_name_and_is_asked_for() -> None:
    assert set(granted("a")["privileges"]) == set(WORDS)
    tree = load()
    assert {one["type"] for one in [*data_views(), *objects(dashboards(tree))]} == set(OBJECTS)
    assert wanted_rules(tree, ["a"], enabled=False)


def test_a_key_of_the_role_does_it_all(stage: Stage, kibana: KibanaStack) -> None:
    rights = role("install", spaces=["default", "a"])
    assert run(stage, kibana, rights, "plan", *BOTH).code == 8
    done = run(stage, kibana, rights, "install", *BOTH)
    assert (done.code, done.errors.count("lacks")) == (0, 0), done.errors
    assert kibana.stack.ids("a", "dashboard")
    assert set(kibana.stack.rules) == {"default", "a"}
    assert run(stage, kibana, rights, "plan", *BOTH).code == 0
    assert run(stage, kibana, rights, "uninstall", *BOTH).code == 0
    assert not kibana.stack.ids("a", "dashboard")


@pytest.mark.parametrize(("part", "name"), [*ELASTICSEARCH, *KIBANA])
def test_each_privilege_that_is_missing_is_named(stage: Stage, kibana: KibanaStack, part: str, name: str) -> None:
    told = refused(stage, kibana, without(WHOLE, part, name), "--no-fleet")
    if part == "applications":
        assert f"lacks privileges in Kibana: space a: {WORDS[name]}. Nothing was changed" in told
        assert "llm-bundle assets role --space a prints the role" in told
    else:
        assert re.search(rf"lacks privileges: .*: {name}\. Nothing was changed|privileges \[{name},", told)


def test_one_message_names_all_of_all_spaces(stage: Stage, kibana: KibanaStack) -> None:
    rights = with_spaces(
        granted("default", "feature_savedObjectsTagging.all"),
        granted("a", "feature_indexPatterns.all", "feature_stackAlerts.all"),
    )
    spaces = (*BOTH, "--space", "b")
    told = refused(stage, kibana, rights, "--no-fleet", kibana_options=spaces)
    everything = "Dashboard: All, Tag Management: All, Data View Management: All, Stack Rules: All"
    assert (
        "lacks privileges in Kibana: space default: Tag Management: All; "
        "space a: Data View Management: All, Stack Rules: All; "
        f"space b: {everything} (if there is a space b: this login does not see it). Nothing was changed"
    ) in told
    assert "--no-rules goes without rules" in told


def test_a_space_without_rights_is_refused_by_name(stage: Stage, kibana: KibanaStack) -> None:
    told = refused(stage, kibana, with_spaces(granted("default")), "--no-fleet", "--no-rules")
    assert "space a: Dashboard: All, Tag Management: All, Data View Management: All" in told
    assert "(if there is a space a: this login does not see it)" in told
    assert "space default" not in told
    nobody = refused(stage, kibana, with_spaces(), "--no-fleet", "--no-rules")
    assert "space default: Dashboard: All" in nobody
    assert "space a: Dashboard: All" in nobody


def test_a_space_that_is_not_there(stage: Stage, kibana: KibanaStack) -> None:
    rights = role("install", spaces=["*"])
    for command in ("plan", "install"):
        failed = run(stage, kibana, rights, command, "--space", "nix", "--space", "a")
        assert (failed.code, "there is no space nix" in failed.errors) == (2, True), failed.errors
        assert "There are: default, a, b." in failed.errors
    assert (stage.between.writes(), kibana.writes()) == ([], [])
    assert set(kibana.stack.spaces) == {"default", "a", "b"}


def test_who_needs_less_is_not_refused(stage: Stage, kibana: KibanaStack) -> None:
    """Data views that are there need no writing; what is up to date needs none at all."""
    assert run(stage, kibana, role("install", spaces=["*"]), "install").code == 0
    readers = {**granted("default"), "privileges": [name.replace(".all", ".read") for name in WORDS]}
    assert run(stage, kibana, with_spaces(readers), "plan").code == 0
    for name in kibana.stack.ids("default", "dashboard")[1:]:
        del kibana.stack.inside("default")[("dashboard", name)]
    less = granted("default", "feature_indexPatterns.all", "feature_savedObjectsTagging.all", "feature_stackAlerts.all")
    less["privileges"].append("feature_stackAlerts.read")
    done = run(stage, kibana, with_spaces(less), "install")
    assert (done.code, {one["kind"] for one in done.document["changes"] if one["action"] == "create"}) == (
        0,
        {"dashboard"},
    ), done.errors
    gone = run(stage, kibana, with_spaces(readers), "uninstall")
    assert (gone.code, "space default: Dashboard: All" in gone.errors) == (7, True)
    assert kibana.stack.ids("default", "dashboard")


def test_a_rule_with_an_action_needs_connectors(stage: Stage, kibana: KibanaStack) -> None:
    assert run(stage, kibana, role("install", spaces=["*"]), "install").code == 0
    found = kibana.stack.rules["default"][rule_id("default", "local_llm-denied-calls")]
    found["actions"] = [{"id": "mail", "group": "query matched", "params": {}, "connector_type_id": ".email"}]
    failed = run(stage, kibana, with_spaces(granted("default", "feature_actions.read")), "install", "--enable-rules")
    assert (failed.code, "space default: Actions and Connectors: Read. Nothing" in failed.errors) == (7, True)
    assert not any(one["enabled"] for one in kibana.stack.rules["default"].values())
    done = run(stage, kibana, with_spaces(granted("default")), "install", "--enable-rules")
    assert (done.code, found["enabled"]) == (0, True), done.errors


def test_the_login_of_kibana_is_the_one_that_counts(
    stage: Stage, kibana: KibanaStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = key_of(stage, {"applications": [granted("default", "feature_savedObjectsTagging.all")]})
    monkeypatch.setenv("KIBANA_API_KEY", other.read_text())
    told = refused(stage, kibana, WHOLE, "--no-fleet", kibana_options=())
    assert "space default: Tag Management: All. Nothing was changed" in told


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_what_cannot_be_asked_is_no_refusal(stage: Stage, kibana: KibanaStack, status: int) -> None:
    asked: list[str] = []

    def fault(method: str, path: str) -> int | None:
        asked.extend([path] if "_has_privileges" in path else [])
        return status if "_has_privileges" in path and len(asked) > 1 else None

    stage.between.fault = fault
    assert run(stage, kibana, role("install", spaces=["default"]), "plan").code == 8
    assert len(asked) > 2


def test_all_is_asked_before_anything_is_written(stage: Stage, kibana: KibanaStack) -> None:
    before: list[str] = []

    def watch(method: str, path: str) -> None:
        asking = method in ("GET", "HEAD") or "_has_privileges" in path
        if not asking and not before:
            before.extend((*stage.between.seen[:-1], *kibana.seen))

    stage.between.fault = watch
    assert run(stage, kibana, WHOLE, "install", *BOTH).code == 0
    asked = ["GET /", "GET /api/status", "GET /api/spaces/space", "GET /api/alerting/_health"]
    asked += [f"GET {prefix}/api/alerting/rule_types" for prefix in ("", "/s/a")]
    asked += [f"POST {prefix}/api/saved_objects/_bulk_get" for prefix in ("", "/s/a")]
    assert [one for one in asked if one not in before] == []
    assert before.count("POST /_security/user/_has_privileges") == 3, "of Elasticsearch, to read, and to write"
    assert [one for one in before if "_import" in one or ("/api/alerting/rule/" in one and "GET" not in one)] == []


@pytest.mark.parametrize("name", list(FLEET))
def test_fleet(stage: Stage, kibana: KibanaStack, name: str) -> None:
    rights = role("install", spaces=["*"], fleet=True)
    assert {one for part in rights["applications"] for one in part["privileges"]} == {*WORDS, *FLEET}
    planned = stage.run("plan", "--kibana", kibana.url, key=key_of(stage, rights))
    assert (planned.code, planned.document["changes"][0]["kind"]) == (8, "fleet_package"), planned.errors
    for part in rights["applications"]:
        part["privileges"] = [one for one in part["privileges"] if one != name]
    told = refused(stage, kibana, rights, kibana_options=())
    assert FLEET[name] in told
    assert "llm-bundle assets role --fleet prints the role" in told
    rights["applications"][1]["privileges"].append(name.replace(".all", ".read"))
    told = refused(stage, kibana, rights, kibana_options=())
    assert f"lacks privileges in Kibana: space default: {FLEET[name]}. Nothing was changed" in told
