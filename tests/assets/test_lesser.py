"""A cluster that lacks parts of Elasticsearch gets all that it can take, and says what it cannot.

The nodes of these tests are such: they have no field type histogram, no match_only_text below another field, and no
time series that work out their dimensions. Other tests put these back, in front of the node; here nothing does.
"""

from __future__ import annotations

import json

import pytest

from bundler.cli.main import call
from kibana_assets.install.asset import COMPONENT, INDEX
from kibana_assets.install.weaker import weaker
from tests.assets.stage import Said, Stage

NOTES = {
    "metrics-local_llm.vllm_metrics@package": "no field type histogram: such fields are kept, and cannot be searched",
    "metrics-local_llm.vllm_metrics": "no time series without x-pack: metrics are kept as plain documents",
    "logs-local_llm.proxy_access@package": "no match_only_text below another field: those are left out",
}


def run(stage: Stage, command: str) -> Said:
    """``llm-bundle assets COMMAND`` on the node as it is."""
    stage.capsys.readouterr()
    copies = ["--backup", str(stage.folder)] if command in ("install", "uninstall") else []
    where = ["--elasticsearch", stage.node.url, "--api-key-file", str(stage.key)]
    code = call(["assets", command, *where, *copies, "--json"])
    said = stage.capsys.readouterr()
    return Said(code, json.loads(said.out), said.err)


def test_there_and_away_again(stage: Stage) -> None:
    before = stage.names()
    said = run(stage, "install")
    assert said.code == 0, said
    assert {one["ok"] for one in said.document["proofs"]} == {True}
    assert set(said.document["notes"]) >= {f"{name}: this Elasticsearch has {one}" for name, one in NOTES.items()}
    [stored] = stage.node.call("GET", "_component_template/logs-local_llm.proxy_access@package")["component_templates"]
    fields = stored["component_template"]["template"]["mappings"]["properties"]
    assert (fields["message"]["type"], "fields" in fields["url"]["properties"]["original"]) == (
        "match_only_text",
        False,
    )
    said = run(stage, "install")
    assert (said.code, said.document["notes"]) == (0, [])
    assert {one["action"] for one in said.document["changes"]} == {"keep"}
    said = run(stage, "status")
    assert (said.code, {one["state"] for one in said.document["installed"]}) == (0, {"same"})
    assert run(stage, "uninstall").code == 0
    assert stage.names() == before


def test_nothing_but_what_was_named_goes() -> None:
    mappings = {
        "properties": {
            "a": {"type": "histogram", "meta": {"unit": "s"}},
            "b": {"type": "keyword", "fields": {"text": {"type": "match_only_text"}, "n": {"type": "long"}}},
            "fields": {"properties": {"c": {"type": "match_only_text"}}},
        }
    }
    body = {"template": {"mappings": mappings}}
    found = weaker(COMPONENT, body, "The mapper type [histogram] declared on field [a] does not exist.")
    assert found is not None
    assert found[0]["template"]["mappings"]["properties"] == {
        **mappings["properties"],
        "a": {"type": "object", "enabled": False},
    }
    found = weaker(COMPONENT, body, "Type [match_only_text] cannot be used in multi field")
    assert found is not None
    assert found[0]["template"]["mappings"]["properties"] == {
        **mappings["properties"],
        "b": {"type": "keyword", "fields": {"n": {"type": "long"}}},
    }
    assert "match_only_text" in found[1]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (COMPONENT, "No handler for type [geo_shape] declared on field [x]"),
        (COMPONENT, "[index.mode=time_series] requires a non-empty [index.routing_path]"),
        (INDEX, "unknown setting [index.mode]"),
        (INDEX, "No handler for type [histogram] declared on field [x]"),
    ],
)
def test_what_names_nothing_of_ours_stays_refused(kind: str, reason: str) -> None:
    body = {"template": {"settings": {"index": {"number_of_shards": "1"}}, "mappings": {"properties": {}}}}
    assert weaker(kind, body, reason) is None
