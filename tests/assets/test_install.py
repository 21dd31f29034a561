"""The whole installation without Fleet, on real nodes, with the least-privilege key."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from bundler.cli.main import call
from kibana_assets.connection.login import api_key
from kibana_assets.connection.target import target_of
from kibana_assets.connection.trust import Trust
from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.install.prove import NAMESPACE, prove, samples
from kibana_assets.package import tree
from kibana_assets.package.streams import streams
from kibana_assets.package.tree import load
from tests.assets.between import Between
from tests.assets.stage import Stage, make_key
from tests.counterparts.elasticsearch import VERSIONS, Nodes, chosen

ACCESS = "logs-local_llm.proxy_access"


@pytest.mark.usefixtures("whole")
def test_plan_install_again_status_uninstall(stage: Stage) -> None:
    before = stage.names()
    planned = stage.run("plan")
    assert (planned.code, set(planned.of("create"))) == (8, set(planned.of("create", "update", "keep", "remove")))
    assert stage.run("install", "--dry-run").code == 8
    assert stage.names() == before
    done = stage.run("install")
    assert (done.code, done.document["changes"]) == (0, planned.document["changes"])
    assert {proof["stream"] for proof in done.document["proofs"]} == {one.name for one in streams(load())}
    assert all(proof["ok"] for proof in done.document["proofs"])
    assert stage.names() - before == set(done.of("create")), "nothing of the proof stays"
    stage.between.seen.clear()
    again = stage.run("install", "--no-proof")
    assert (again.code, again.of("create", "update", "remove")) == (0, [])
    assert stage.between.writes() == []
    assert stage.run("plan").code == 0
    shown = stage.run("status")
    assert (shown.code, {one["state"] for one in shown.document["installed"]}) == (0, {"same"})
    assert stage.run("uninstall", "--dry-run").code == 8
    gone = stage.run("uninstall")
    assert (gone.code, gone.document["left"], stage.names()) == (0, [], before)
    assert {one["state"] for one in stage.run("status").document["installed"]} == {"missing"}


def test_every_stream_has_a_sample() -> None:
    assert set(samples()) == {stream.name for stream in streams(load())}


def test_what_was_edited_is_kept_unless_forced(stage: Stage) -> None:
    stage.run("install", "--no-proof")
    name = next(one for one in stage.names() if one.startswith(f"{ACCESS}-") and one.endswith("0"))
    body = stage.node.call("GET", f"_ingest/pipeline/{name}")[name]
    edited = {key: value for key, value in body.items() if not key.endswith("_millis")} | {"description": "mine"}
    stage.node.call("PUT", f"_ingest/pipeline/{name}", edited)
    kept = stage.run("install", "--no-proof")
    assert (kept.code, kept.of("update"), kept.reason(name)) == (0, [], "edited by hand")
    assert {one["id"]: one["state"] for one in stage.run("status").document["installed"]}[name] == "edited"
    assert name not in stage.run("uninstall", "--dry-run").of("remove")
    forced = stage.run("install", "--force", "--no-proof")
    assert forced.of("update") == [name]
    [copy] = forced.document["backups"]
    line = json.loads(Path(copy).read_text(encoding="utf-8"))
    assert (line["path"], line["body"]["description"]) == (f"/_ingest/pipeline/{name}", "mine")
    assert stage.run("plan").code == 0


def test_what_somebody_else_put_there_is_kept(stage: Stage) -> None:
    name = f"{ACCESS}@package"
    stage.node.call("PUT", f"_component_template/{name}", {"template": {"settings": {"number_of_replicas": 0}}})
    assert stage.run("plan").reason(name) == "there already, not by us"
    fleets = {"template": {}, "_meta": {"managed_by": "fleet", "managed": True}}
    stage.node.call("PUT", f"_component_template/{name}", fleets)
    planned = stage.run("plan", "--force")
    assert planned.reason(name) == "installed by Fleet"
    assert name not in planned.of("update")
    assert {one["id"]: one["state"] for one in stage.run("status").document["installed"]}[name] == "edited"
    stage.run("install", "--no-proof")
    assert stage.names() >= {name, ACCESS}
    assert name not in stage.run("uninstall", "--dry-run").of("remove")


def test_a_missing_privilege_is_named_before_anything_is_written(stage: Stage) -> None:
    key = make_key(stage.node, stage.folder, without="manage_ingest_pipelines")
    refused = stage.run("install", key=key)
    assert refused.code == 7
    assert "lacks privileges: cluster: manage_ingest_pipelines. Nothing was changed" in refused.errors
    assert "assets role" in refused.errors
    assert stage.between.writes() == []
    shipping = make_key(stage.node, stage.folder, "ship")
    assert "logs-local_llm.*-*: manage" in stage.run("install", key=shipping).errors


def test_the_shipping_key_can_ship(stage: Stage) -> None:
    stage.run("install", "--no-proof")
    key = make_key(stage.node, stage.folder, "ship").read_text()
    session = stage.node.session.__class__()
    session.headers["Authorization"] = f"ApiKey {key}"
    event = {"@timestamp": "2026-11-21T00:00:00Z", **samples()["proxy_access"]}
    made = session.post(f"{stage.node.url}/{ACCESS}-default/_doc?op_type=create", json=event, timeout=30)
    assert made.status_code == 201, made.text
    assert session.get(f"{stage.node.url}/{ACCESS}-default/_search", timeout=30).status_code == 403


def test_a_sample_that_does_not_come_through_is_told(stage: Stage) -> None:
    broken = {"processors": [{"fail": {"message": "made up"}}]}
    stage.node.call("PUT", f"_ingest/pipeline/{ACCESS}@custom", broken)
    done = stage.run("install")
    proofs = {proof["stream"]: proof for proof in done.document["proofs"]}
    assert done.code == 8
    assert (proofs["proxy_access"]["ok"], proofs["audit"]["ok"]) == (False, True)
    assert "made up" in proofs["proxy_access"]["found"]
    assert not any(NAMESPACE in name for name in stage.names())


def test_a_sample_without_its_template_is_told_and_leaves_nothing(stage: Stage) -> None:
    stage.run("install", "--no-proof")
    stage.node.call("DELETE", f"_index_template/{ACCESS}")
    login = api_key(stage.key.read_text(), "key")
    target = target_of([stage.node.url], None, login=login, trust=Trust(None, "", None, None))
    with closing(Cluster(target)) as cluster:
        [proof] = prove(cluster, tuple(one for one in streams(load()) if one.name == "proxy_access"))
    assert not proof.ok
    assert "the index template is missing" in proof.found
    assert stage.node.call("GET", f"_resolve/index/*{NAMESPACE}*?expand_wildcards=all")["indices"] == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.timeout(1200)
def test_a_cluster_without_security(
    version: str, elasticsearch: Nodes, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = elasticsearch.get(chosen(version))
    if node.session.auth:
        pytest.skip("ELASTICSEARCH_URL names a node with security")
    monkeypatch.setattr(tree, "CHECKOUT", small)
    with Between(node.url) as between:
        where = ["--elasticsearch", between.url]
        assert call(["assets", "install", *where]) == 0
        assert call(["assets", "plan", *where]) == 0
        assert call(["assets", "uninstall", *where, "--data", "--backup", str(tmp_path)]) == 0
        assert between.logins == [""] * len(between.seen)
