"""A newer package over an older one with data; lifecycles; what of the data stays when everything is removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kibana_assets.install.prove import samples
from kibana_assets.package import tree
from tests.assets.stage import Stage

ACCESS = "logs-local_llm.proxy_access"
STREAM = f"{ACCESS}-default"
EVENT = {"@timestamp": "2026-11-21T00:00:00Z", **samples()["proxy_access"]}


@pytest.fixture
def older(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of version 0.0.9, with a pipeline and a field that the newer one lacks; in force until undone."""
    folder = tmp_path / "package"
    for name, data in tree.load().files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    manifest = folder / "manifest.yml"
    said = manifest.read_text(encoding="utf-8")
    version = next(line for line in said.splitlines() if line.startswith("version:"))
    manifest.write_text(said.replace(version, "version: 0.0.9"), encoding="utf-8")
    (folder / "data_stream/proxy_access/elasticsearch/ingest_pipeline/gone.yml").write_text("---\nprocessors: []\n")
    monkeypatch.setattr(tree, "CHECKOUT", folder)
    return folder


def test_an_upgrade_rolls_over_and_keeps_the_data(stage: Stage, older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = older / "data_stream/proxy_access/fields/old.yml"
    fields.write_text("- name: local_llm.old\n  type: keyword\n  description: Gone in the newer one.\n")
    assert stage.run("install", "--no-proof").code == 0
    assert stage.send(STREAM, EVENT)["event"]["outcome"] == "success"
    monkeypatch.undo()
    planned = stage.run("plan")
    assert f"{ACCESS}-0.0.9-gone" in planned.of("remove")
    assert planned.reason(STREAM) == "new mappings: rolls over, older indices: new pipeline"
    done = stage.run("install")
    assert (done.code, done.document["changes"]) == (0, planned.document["changes"])
    assert not [name for name in stage.names() if "-0.0.9" in name]
    assert stage.send(STREAM, EVENT)["event"]["outcome"] == "success"
    [found] = stage.node.call("GET", f"_data_stream/{STREAM}")["data_streams"]
    assert len(found["indices"]) == 2
    newest = stage.node.call("GET", f"{found['indices'][1]['index_name']}/_mapping").popitem()[1]["mappings"]
    assert "old" not in newest["properties"]["local_llm"]["properties"]
    assert stage.node.call("GET", f"{STREAM}/_count")["count"] == 2
    again = stage.run("install", "--no-proof")
    assert again.of("create", "update", "remove") == []


def test_data_stays_without_data_and_goes_with_it(stage: Stage) -> None:
    before = stage.names()
    stage.run("install", "--no-proof")
    stage.send(STREAM, EVENT)
    gone = stage.run("uninstall")
    # These nodes have no template logs-*-*, as a whole stack has: the stream's own one has to stay, and all with it.
    assert gone.code == 0
    assert {one["id"] for one in gone.document["left"]} >= {ACCESS, f"{ACCESS}@package", STREAM}
    assert "in use by" in next(one["reason"] for one in gone.document["left"] if one["id"] == ACCESS)
    assert stage.send(STREAM, EVENT)["event"]["outcome"] == "success", "what stays goes on working"
    assert {name.split("-")[1].split("@")[0] for name in stage.names() - before} == {"local_llm.proxy_access"}
    stage.node.call("PUT", "_index_template/logs", {"index_patterns": ["logs-*-*"], "priority": 100, "data_stream": {}})
    gone = stage.run("uninstall")
    assert (gone.document["left"], stage.names() - before) == ([], {"logs", STREAM})
    assert "outcome" not in stage.send(STREAM, EVENT).get("event", {}), "stored as it came, by no pipeline"
    assert stage.run("uninstall", "--data").of("remove") == [], "no longer known to be ours"
    stage.run("install", "--no-proof")
    stage.run("uninstall", "--data")
    assert stage.names() - before == {"logs"}


@pytest.mark.parametrize("way", ["stream", "ilm"])
def test_lifecycles(stage: Stage, way: str) -> None:
    wish = ["--lifecycle", way, "--retention", "90d"]
    if way == "ilm":
        refused = stage.run("install", *wish)
        assert "cluster: manage_ilm" in refused.errors
        rights = {"cluster": ["all"], "indices": [{"names": ["*"], "privileges": ["all"]}]}
        made = stage.node.call("POST", "_security/api_key", {"name": "all", "role_descriptors": {"all": rights}})
        stage.key.write_text(made["encoded"])
    assert stage.run("install", "--no-proof", *wish).code == 0
    assert stage.run("plan", *wish).code == 0
    made = stage.node.call("POST", f"_index_template/_simulate_index/{STREAM}")["template"]
    if way == "ilm":
        assert made["settings"]["index"]["lifecycle"] == {"name": "local_llm", "prefer_ilm": "true"}
        policy = stage.node.call("GET", "_ilm/policy/local_llm")["local_llm"]["policy"]
        assert policy["phases"]["delete"]["min_age"] == "90d"
    else:
        assert made["lifecycle"]["data_retention"] == "90d"
        assert made["settings"]["index"]["lifecycle"] == {"prefer_ilm": "false"}
    assert set(stage.run("plan").of("update")) == {
        one["id"] for one in stage.run("plan").document["changes"] if one["kind"] == "component_template"
    }, "without the wish it is taken back"
    assert stage.run("uninstall").document["left"] == []
    assert "local_llm" not in (stage.node.call("GET", "_ilm/policy") if way == "ilm" else {})


@pytest.mark.usefixtures("whole")
def test_custom_pipelines_stand_beside_what_is_there(stage: Stage) -> None:
    name = "logs-nginx.access@custom"
    users = {"description": "mine", "processors": [{"set": {"field": "labels.mine", "value": "yes"}}]}
    stage.node.call("PUT", f"_ingest/pipeline/{name}", users)
    before = stage.names()
    asked = ["--custom-pipelines", "--lmstudio-dataset", "lms"]
    done = stage.run("install", "--no-proof", *asked)
    assert done.reason(name) == "calls ours too, keeps what it has"
    assert len(done.document["backups"]) == 1
    event = {"message": "x", "url": {"original": "/v1/chat/completions?api_key=s3cr3t"}, "labels": {}}
    answer = stage.node.call("POST", f"_ingest/pipeline/{name}/_simulate", {"docs": [{"_source": event}]})
    source = answer["docs"][0]["doc"]["_source"]
    assert source["labels"]["mine"] == "yes"
    assert "s3cr3t" not in str(source)
    assert stage.run("plan", *asked).code == 0
    assert stage.run("plan").code == 0, "who does not ask for them loses none"
    assert {one["state"] for one in stage.run("status", *asked).document["installed"]} == {"same"}
    assert stage.run("uninstall").document["left"] == []
    assert stage.names() == before
    left = stage.node.call("GET", f"_ingest/pipeline/{name}")[name]
    assert {key: left[key] for key in users} == users
