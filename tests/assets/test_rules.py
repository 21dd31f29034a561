"""Alerting rules without Fleet: made switched off, kept as people change them, switched on when asked."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest

from kibana_assets.elasticsearch import cluster
from kibana_assets.errors import PackageError
from kibana_assets.install.asset import RULE
from kibana_assets.install.record import NAME as RECORD
from kibana_assets.install.rules import FOLDER, rule_id, wanted_rules
from kibana_assets.package.tree import Tree, load
from tests.assets.stage import Said, Stage
from tests.assets.test_kibana import failing, kibana, options
from tests.counterparts.kibana_stack.route import Json
from tests.counterparts.kibana_stack.server import KibanaStack

__all__ = ["kibana"]
pytestmark = pytest.mark.usefixtures("all_streams")
NAME = "local_llm-denied-calls"
NAMES = {Path(path).stem for path in load().paths(FOLDER, ".json")}


def rule(kibana: KibanaStack, space: str = "default") -> Json:
    """One of them, as Kibana has it."""
    return kibana.stack.rules[space][rule_id(space, NAME)]


def rules(said: Said, action: str) -> set[str]:
    return {one["id"] for one in said.document["changes"] if (one["kind"], one["action"]) == (RULE, action)}


def states(said: Said) -> set[str]:
    return {one["state"] for one in said.document["installed"] if one["kind"] == RULE}


def test_each_space_has_its_own_switched_off(stage: Stage, kibana: KibanaStack) -> None:
    both = options(kibana, "--space", "default", "--space", "a")
    done = stage.run("install", "--no-proof", *both)
    assert (done.code, rules(done, "create")) == (0, NAMES), done.errors
    made = {space: set(found) for space, found in kibana.stack.rules.items()}
    assert made == {space: {rule_id(space, name) for name in NAMES} for space in ("default", "a")}
    assert not made["default"] & made["a"], "an id is of one space alone"
    assert {UUID(name).version for name in made["a"]} == {5}
    assert {
        (one["enabled"], one["api_key_owner"]) for found in kibana.stack.rules.values() for one in found.values()
    } == {(False, None)}
    kibana.seen.clear()
    again = stage.run("install", "--no-proof", *both)
    assert (again.of("create", "update", "remove"), [one for one in kibana.writes() if "alerting" in one]) == ([], [])
    shown = stage.run("status", *options(kibana))
    assert (shown.code, states(shown)) == (0, {"same"})
    gone = stage.run("uninstall", *options(kibana))
    assert (gone.code, rules(gone, "remove"), kibana.stack.rules) == (0, NAMES, {"default": {}, "a": {}})
    assert states(stage.run("status", *options(kibana))) == set()


def test_switching_on_and_giving_actions_is_no_edit(stage: Stage, kibana: KibanaStack, tmp_path: Path) -> None:
    stage.run("install", "--no-proof", *options(kibana))
    on = ["--no-proof", "--enable-rules", *options(kibana)]
    planned = stage.run("plan", "--enable-rules", *options(kibana))
    assert (planned.reason(NAME), rules(planned, "update")) == ("is switched on", NAMES)
    assert stage.run("install", *on).code == 0
    assert rule(kibana)["enabled"]
    assert stage.run("plan", "--enable-rules", *options(kibana)).code == 0
    assert stage.run("plan", *options(kibana)).code == 0, "it is not switched off either"
    action = {"id": "mail", "group": "query matched", "params": {"to": "me"}, "uuid": "u"}
    rule(kibana)["actions"] = [{**action, "connector_type_id": ".email"}]
    assert states(stage.run("status", *options(kibana))) == {"same"}
    gone = stage.run("uninstall", *options(kibana))
    [copy] = gone.document["backups"]
    [line] = [json.loads(one) for one in Path(copy).read_text(encoding="utf-8").splitlines()]
    assert (Path(copy).name[-22:], line["path"]) == (
        "Z-default-rules.ndjson",
        f"/api/alerting/rule/{rule_id('default', NAME)}",
    )
    assert (line["body"]["actions"], line["body"]["rule_type_id"]) == ([action], ".es-query")


def test_a_new_version_brings_new_content_and_keeps_actions(
    stage: Stage, kibana: KibanaStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.run("install", "--no-proof", "--enable-rules", *options(kibana))
    action = {"id": "mail", "group": "query matched", "params": {}}
    rule(kibana)["actions"] = [{**action, "connector_type_id": ".email"}]
    before = {name: one["revision"] for name, one in kibana.stack.rules["default"].items()}
    newer = changed(load(), "version: 0.1.0", "version: 0.2.0", "manifest.yml")
    newer = changed(newer, "calls >= 20", "calls >= 30", f"{FOLDER}/{NAME}.json")
    monkeypatch.setattr("kibana_assets.package.tree.load", lambda: newer)
    done = stage.run("install", "--no-proof", *options(kibana))
    assert rules(done, "update") == {NAME}, "a rule runs with the rights of whoever changed it last"
    assert ("calls >= 30" in rule(kibana)["params"]["esqlQuery"]["esql"], rule(kibana)["enabled"]) == (True, True)
    assert rule(kibana)["actions"] == [{**action, "connector_type_id": ".server-log"}]
    raised = {name for name, one in kibana.stack.rules["default"].items() if one["revision"] != before[name]}
    assert raised == {rule_id("default", NAME)}


def test_an_edited_rule_is_kept_but_may_be_switched_on(stage: Stage, kibana: KibanaStack) -> None:
    stage.run("install", "--no-proof", *options(kibana))
    rule(kibana)["schedule"] = {"interval": "5m"}
    kept = stage.run("install", "--no-proof", *options(kibana))
    assert (kept.reason(NAME), rules(kept, "update"), kept.code) == ("edited by hand", set(), 0)
    assert states(stage.run("status", *options(kibana))) == {"same", "edited"}
    on = stage.run("install", "--no-proof", "--enable-rules", *options(kibana))
    assert (on.reason(NAME), on.document["backups"]) == ("is switched on, edited by hand: else kept", [])
    assert (rule(kibana)["schedule"], rule(kibana)["enabled"]) == ({"interval": "5m"}, True)
    assert rules(stage.run("uninstall", "--dry-run", *options(kibana)), "keep") == {NAME}
    forced = stage.run("install", "--no-proof", "--force", *options(kibana))
    assert (rules(forced, "update"), len(forced.document["backups"])) == ({NAME}, 1)
    assert (rule(kibana)["schedule"], rule(kibana)["enabled"]) == ({"interval": "1m"}, True)
    assert stage.run("plan", *options(kibana)).code == 0


def test_no_rules_leaves_them_alone(stage: Stage, kibana: KibanaStack) -> None:
    stage.run("install", "--no-proof", "--no-rules", *options(kibana))
    assert kibana.stack.rules == {}
    assert stage.run("status", *options(kibana)).code == 0, "none is missing"
    stage.run("install", "--no-proof", *options(kibana))
    planned = stage.run("plan", "--no-rules", *options(kibana))
    assert [one for one in planned.document["changes"] if one["kind"] == RULE] == []
    assert len(rules(stage.run("uninstall", "--dry-run", *options(kibana)), "remove")) == len(NAMES)
    for wrong in (["--enable-rules", "--no-rules", *options(kibana)], ["--enable-rules"]):
        assert stage.run("plan", *wrong).code == 2


def test_cuts_between_two_rules(stage: Stage, kibana: KibanaStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_PAUSES", (0.0,))
    third = rule_id("default", sorted(NAMES)[2])
    failing(kibana, (third, "cut"))
    kibana_fault = kibana.fault
    assert kibana_fault is not None
    kibana.fault = lambda method, path: kibana_fault(method, path) if method == "POST" else None
    failed = stage.run("install", "--no-proof", *options(kibana))
    assert (failed.code, len(kibana.stack.rules["default"])) == (4, 2)
    kibana.fault = None
    planned = stage.run("plan", *options(kibana))
    assert (len(rules(planned, "keep")), len(rules(planned, "create"))) == (2, len(NAMES) - 2)
    made = kibana.stack.rules["default"]
    stage.between.fault = lambda method, path: "cut" if (method, len(made)) == ("PUT", 3) and RECORD in path else None
    failed = stage.run("install", "--no-proof", *options(kibana))
    assert (failed.code, len(made)) == (4, 3), "the third is there, but not remembered"
    stage.between.fault = lambda method, path: None
    planned = stage.run("plan", *options(kibana))
    assert (rules(planned, "update"), len(rules(planned, "keep"))) == ({sorted(NAMES)[2]}, 2)
    assert stage.run("install", "--no-proof", *options(kibana)).code == 0
    assert stage.run("plan", *options(kibana)).code == 0


def test_a_kibana_that_cannot_keep_rules(stage: Stage, kibana: KibanaStack) -> None:
    kibana.stack.can_encrypt = False
    done = stage.run("install", "--no-proof", *options(kibana))
    assert (done.code, rules(done, "create")) == (0, set())
    assert "without alerting rules: Kibana has no xpack.encryptedSavedObjects.encryptionKey" in done.errors
    assert kibana.stack.ids("default", "dashboard")


def test_a_login_that_may_not_make_rules(stage: Stage, kibana: KibanaStack) -> None:
    for rights, words in (
        ({"login:", "saved_object:*"}, "space default: Stack Rules: All. Nothing was changed"),
        ({"login:", "saved_object:*", "alerting:*/get"}, "space default: Stack Rules: All. Nothing was changed"),
    ):
        kibana.stack.logins = dict.fromkeys(kibana.stack.logins, frozenset(rights))
        stage.between.seen.clear()
        failed = stage.run("install", *options(kibana))
        assert (failed.code, words in failed.errors, "--no-rules goes without" in failed.errors) == (7, True, True)
        assert (stage.between.writes(), kibana.writes()) == ([], [])
    assert stage.run("install", "--no-proof", "--no-rules", *options(kibana)).code == 0


def changed(tree: Tree, old: str, new: str, path: str) -> Tree:
    """The tree with another text in a file."""
    assert old.encode() in tree.files[path]
    return Tree({**tree.files, path: tree.files[path].replace(old.encode(), new.encode())})


@pytest.mark.parametrize("text", ["[]", '{"attributes": {}}'])
def test_a_template_that_is_none(text: str) -> None:
    with pytest.raises(PackageError, match=r"x\.json: no template of an alerting rule"):
        wanted_rules(Tree({f"{FOLDER}/x.json": text.encode()}), ["default"], enabled=False)
