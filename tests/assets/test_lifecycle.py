"""Another lifecycle or retention reaches data streams that are there, and leaves alone what a person has set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kibana_assets.install.keeping import StreamKeeping, effective, move
from kibana_assets.install.prove import samples
from tests.assets.stage import Said, Stage

ACCESS = "logs-local_llm.proxy_access"
STREAM = f"{ACCESS}-default"
METRICS = "metrics-local_llm.vllm-default"
EVENT = {"@timestamp": "2026-11-21T00:00:00Z", **samples()["proxy_access"]}
KIND = "data_stream_lifecycle"
DAYS_90 = ("--lifecycle", "stream", "--retention", "90d")
DAYS_30 = ("--lifecycle", "stream", "--retention", "30d")
ILM = ("--lifecycle", "ilm", "--retention", "60d")


def rows(said: Said) -> dict[str, tuple[str, str]]:
    """Data stream → action and reason, of the rows about lifecycles."""
    return {one["id"]: (one["action"], one["reason"]) for one in said.document["changes"] if one["kind"] == KIND}


def done(stage: Stage, *args: str) -> Said:
    """An installation that says what the plan said, and leaves nothing to do."""
    planned = stage.run("plan", *args)
    said = stage.run("install", "--no-proof", *args)
    assert (said.code, said.errors, said.document["changes"]) == (0, "", planned.document["changes"])
    again = stage.run("plan", *args)
    assert (again.code, set(again.of("create", "update", "remove"))) == (0, set())
    return said


def policies(stage: Stage, stream: str = STREAM) -> list[dict[str, Any]]:
    """What each index of a data stream says."""
    found = stage.node.call("GET", f"{stream}/_settings?flat_settings=true")
    return [
        {key[16:]: value for key, value in one["settings"].items() if key.startswith("index.lifecycle.")}
        for _, one in sorted(found.items())
    ]


def generation(stage: Stage) -> int:
    return int(stage.node.call("GET", f"_data_stream/{STREAM}")["data_streams"][0]["generation"])


def test_another_retention_reaches_what_is_there(stage: Stage) -> None:
    done(stage, *DAYS_90)
    stage.send(STREAM, EVENT)
    assert rows(stage.run("plan", *DAYS_90)) == {STREAM: ("keep", "up to date")}
    said = done(stage, *DAYS_30)
    assert rows(said) == {STREAM: ("update", "data goes after 30d; was: data goes after 90d")}
    assert stage.between.lifecycles.known[STREAM] == {"enabled": True, "data_retention": "30d"}
    assert generation(stage) == 1, "for that nothing rolls over"
    assert stage.node.call("GET", f"{STREAM}/_count")["count"] == 1
    done(stage, "--lifecycle", "stream")
    assert stage.between.lifecycles.known[STREAM] == {"enabled": True}


def test_from_one_way_to_another(mighty: Stage) -> None:
    stage, known = mighty, mighty.between.lifecycles.known
    done(stage)
    stage.send(STREAM, EVENT)
    stage.node.call("POST", f"{STREAM}/_rollover")
    assert rows(done(stage, *DAYS_90)) == {STREAM: ("update", "data goes after 90d; was: data stays")}
    assert (known[STREAM], policies(stage)) == (
        {"enabled": True, "data_retention": "90d"},
        [{"prefer_ilm": "false"}] * 2,
    )
    assert rows(done(stage, *ILM))[STREAM][1] == "by the ILM policy local_llm; was: data goes after 90d"
    assert (known[STREAM], policies(stage)) == (None, [{"name": "local_llm", "prefer_ilm": "true"}] * 2)
    assert rows(done(stage, "--lifecycle", "ilm", "--retention", "20d")) == {STREAM: ("keep", "up to date")}
    assert rows(done(stage, *DAYS_30))[STREAM][1] == "data goes after 30d; was: by the ILM policy local_llm"
    assert policies(stage) == [{"prefer_ilm": "false"}] * 2
    assert rows(done(stage))[STREAM] == ("update", "data stays; was: data goes after 30d")
    assert (known[STREAM], generation(stage)) == (None, 2)
    assert stage.node.call("GET", f"{STREAM}/_count")["count"] == 1


def test_what_a_person_set_is_kept_unless_forced(stage: Stage) -> None:
    done(stage, *DAYS_90)
    stage.send(STREAM, EVENT)
    stage.run("plan")
    stage.between.lifecycles.known[STREAM] = {"data_retention": "7d"}
    assert rows(stage.run("plan", *DAYS_90)) == {STREAM: ("keep", "edited by hand")}
    kept = done(stage, *DAYS_30)
    assert (rows(kept), kept.document["backups"]) == ({STREAM: ("keep", "edited by hand")}, [])
    assert stage.between.lifecycles.known[STREAM] == {"data_retention": "7d"}
    forced = stage.run("install", "--no-proof", "--force", *DAYS_30)
    assert rows(forced)[STREAM][1] == "edited by hand: replaced: data goes after 30d; was: data goes after 7d"
    [copy] = forced.document["backups"]
    line = json.loads(Path(copy).read_text(encoding="utf-8"))
    assert line == {"path": f"/_data_stream/{STREAM}/_lifecycle", "body": {"enabled": True, "data_retention": "7d"}}
    assert stage.run("plan", *DAYS_30).code == 0
    stage.node.call("PUT", f"{STREAM}/_settings", {"index.lifecycle.name": "mine", "index.lifecycle.prefer_ilm": True})
    assert rows(stage.run("plan", *DAYS_90)) == {STREAM: ("keep", "edited by hand")}


def test_who_has_no_wish_is_not_asked(stage: Stage) -> None:
    done(stage)
    stage.send(STREAM, EVENT)
    stage.run("plan")
    stage.between.lifecycles.known[STREAM] = {"data_retention": "7d"}
    assert rows(stage.run("install", "--no-proof", "--force")) == {}


def test_the_users_own_templates_have_the_last_word(stage: Stage) -> None:
    body = {"template": {"lifecycle": {"data_retention": "3d"}}}
    stage.node.call("PUT", f"_component_template/{ACCESS}@custom", body)
    done(stage, *DAYS_90)
    stage.send(STREAM, EVENT)
    assert rows(done(stage, *DAYS_30)) == {STREAM: ("keep", "up to date")}
    assert stage.between.lifecycles.known[STREAM] == {"enabled": True, "data_retention": "3d"}


def test_data_streams_of_other_peoples_templates(stage: Stage) -> None:
    done(stage, *DAYS_90)
    theirs = {"index_patterns": [STREAM], "priority": 900, "data_stream": {}, "template": {"lifecycle": {}}}
    stage.node.call("PUT", "_index_template/theirs", theirs)
    stage.send(STREAM, EVENT)
    stage.node.call("PUT", "_data_stream/logs-local_llm.audit-a")
    assert set(rows(done(stage, *DAYS_30))) == {"logs-local_llm.audit-a"}


@pytest.mark.parametrize("part", [f"/{STREAM}/_settings", "/_lifecycle", f"_component_template/{ACCESS}@"])
def test_a_cut_in_the_middle(stage: Stage, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kibana_assets.elasticsearch.cluster._PAUSES", ())
    done(stage)
    stage.send(STREAM, EVENT)
    stage.between.fault = lambda method, path: "cut-after" if method == "PUT" and part in path else None
    failed = stage.run("install", "--no-proof", *DAYS_90)
    assert failed.code == 4
    assert stage.between.lifecycles.known[STREAM] == {"enabled": True, "data_retention": "90d"}, "this is put first"
    assert ("not in: data_stream_lifecycle" in failed.errors) is (part != f"_component_template/{ACCESS}@")
    stage.between.fault = lambda method, path: None
    assert not [row for row in rows(done(stage, *DAYS_90)).values() if "edited" in row[1]]
    assert stage.between.lifecycles.known[STREAM] == {"enabled": True, "data_retention": "90d"}


def test_what_templates_come_to() -> None:
    logs = {"settings": {"index": {"lifecycle": {"name": "logs"}}}}
    ours = {
        "settings": {"index.lifecycle.prefer_ilm": "false"},
        "lifecycle": {"enabled": True, "data_retention": "90d"},
    }
    assert effective([logs]).ilm == ("logs", True)
    assert effective([logs, ours]).ilm == ("logs", False)
    assert effective([ours, {"lifecycle": {"data_retention": None}}]).lifecycle == {"enabled": True}
    found = StreamKeeping("c", "i", (logs,), (), None, frozenset({("logs", True)}))
    assert move("s", found, {}, {}).body == {}
    needed = move("s", found, {}, ours)
    assert needed.words == "data goes after 90d; was: by the ILM policy logs"
    assert needed.body["settings"] == {"index.lifecycle.name": "logs", "index.lifecycle.prefer_ilm": False}
    back = StreamKeeping(
        "c", "i", (logs,), (), {"enabled": True, "data_retention": "90d"}, frozenset({("logs", False)})
    )
    assert not move("s", back, ours, {}).edited
    assert move("s", back, {}, {}).edited
