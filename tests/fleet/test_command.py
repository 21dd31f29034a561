"""The command line with a Kibana that has Fleet, from the first plan to an empty stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bundler.cli.main import call
from kibana_assets.fleet.enrol import ARCHIVES
from tests.assets.between import Between
from tests.assets.stage import clear
from tests.counterparts.elasticsearch import Node
from tests.counterparts.kibana import KEY
from tests.counterparts.kibana_stack.server import KibanaStack
from tests.counterparts.kibana_stack.state import Stack

ELASTIC_KINDS = {"fleet_package", "fleet_dashboards", "fleet_agent_policy", "fleet_package_policy"}


@dataclass(slots=True)
class Shell:
    """``run`` is the command line with both addresses, and a key with the least that installing needs."""

    node: Node
    kibana: KibanaStack
    key: Path
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def good(self, command: str, *args: str) -> dict[str, Any]:
        """The JSON of a command that must not fail."""
        code, document, errors = self.run(command, *args)
        assert code == 0, errors or document
        return document

    def run(self, command: str, *args: str) -> tuple[int, dict[str, Any], str]:
        """Exit code, JSON, stderr."""
        copies = ["--backup", str(self.folder)] if command in ("install", "uninstall") else []
        where = ["--elasticsearch", self.node.url, "--api-key-file", str(self.key), "--kibana", self.kibana.url]
        self.capsys.readouterr()
        code = call(["assets", command, *where, *copies, *args, "--json"])
        said = self.capsys.readouterr()
        return code, json.loads(said.out) if said.out else {}, said.err


@pytest.fixture
def shell(
    node: Node, key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shell]:
    monkeypatch.setenv("KIBANA_API_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    before = names(node)
    with Between(node.url) as between:
        whole = replace(node, url=between.url)
        with KibanaStack(Stack(upload_pause=0, node=whole, version=node.version)) as kibana:
            yield Shell(whole, kibana, key_file, tmp_path, capsys)
    clear(node, before)


def names(node: Node) -> set[str]:
    components = node.call("GET", "_component_template")["component_templates"]
    indices = node.call("GET", "_index_template")["index_templates"]
    return {one["name"] for one in (*components, *indices)} | set(node.call("GET", "_ingest/pipeline?summary"))


def kinds(document: dict[str, Any], action: str) -> set[str]:
    return {one["kind"] for one in document["changes"] if one["action"] == action}


def test_from_the_first_plan_to_the_last(shell: Shell) -> None:
    before = names(shell.node)
    options = ["--monitor-port", "9464", "--lifecycle", "stream", "--retention", "30d"]
    code, document, _ = shell.run("plan", *options)
    assert (code, kinds(document, "create")) == (8, {*ELASTIC_KINDS, "component_template"})
    assert names(shell.node) == before
    document = shell.good("install", *options)
    assert all(proof["ok"] for proof in document["proofs"]), document["proofs"]
    template = shell.node.call("GET", "_index_template/logs-local_llm.audit")["index_templates"][0]["index_template"]
    assert "local_llm@custom" in template["composed_of"]
    made = shell.node.call("POST", "_index_template/_simulate_index/logs-local_llm.audit-default")
    assert made["template"]["lifecycle"]["data_retention"] == "30d"
    shell.good("install", *options, "--dry-run")
    shell.good("status")
    document = shell.good("uninstall")
    assert kinds(document, "remove") >= ELASTIC_KINDS - {"fleet_dashboards"}
    assert shell.kibana.stack.packages == shell.kibana.stack.agent_policies == {}
    assert names(shell.node) == before


def test_data_goes_only_when_asked(shell: Shell) -> None:
    shell.good("install", "--no-proof")
    event = {"@timestamp": "2026-11-21T00:00:00Z", "message": "{}"}
    shell.node.call("POST", "logs-local_llm.audit-default/_doc?refresh=true", event)
    code, document, _ = shell.run("uninstall", "--dry-run")
    assert code == 8
    [kept] = [one for one in document["changes"] if one["kind"] == "data_stream"]
    assert (kept["action"], "its data stays" in kept["reason"]) == ("keep", True)
    shell.good("uninstall", "--data")
    assert shell.node.call("GET", "_data_stream?expand_wildcards=all")["data_streams"] == []


def test_another_retention_reaches_what_is_there(shell: Shell) -> None:
    wish = ["--no-proof", "--lifecycle", "stream", "--retention"]
    shell.good("install", *wish, "90d")
    stream = "logs-local_llm.audit-default"
    shell.node.call("POST", f"{stream}/_doc?refresh=true", {"@timestamp": "2026-11-21T00:00:00Z", "message": "{}"})

    def told(document: dict[str, Any]) -> list[tuple[str, str]]:
        return [(one["id"], one["reason"]) for one in document["changes"] if one["kind"] == "data_stream_lifecycle"]

    assert told(shell.run("plan", *wish[1:], "90d")[1]) == [(stream, "up to date")]
    made = shell.good("install", *wish, "30d")
    assert told(made) == [(stream, "data goes after 30d; was: data goes after 90d")]
    assert shell.run("plan", *wish[1:], "30d")[0] == 0
    made = shell.good("install", "--no-proof")
    assert ("local_llm@custom", "remove") in [(one["id"], one["action"]) for one in made["changes"]]
    assert told(made) == [(stream, "data stays; was: data goes after 30d")]
    assert shell.run("plan")[0] == 0
    [found] = shell.node.call("GET", f"_data_stream/{stream}")["data_streams"]
    assert "lifecycle" not in found
    shell.good("uninstall", "--data")


def test_what_is_there_without_fleet_goes_on_so(shell: Shell) -> None:
    shell.good("install", "--no-fleet", "--no-proof")
    code, document, errors = shell.run("plan")
    assert (code, errors.strip()) == (0, "without Fleet: it was installed without Fleet, and goes on so")
    assert not kinds(document, "keep") & ELASTIC_KINDS
    shell.node.call("DELETE", "_component_template/local_llm@kibana")
    assert "it was installed without Fleet" in shell.run("plan")[2]
    shell.good("uninstall")
    assert shell.run("plan")[1]["changes"][0]["kind"] == "fleet_package"


def test_a_kibana_without_fleet(shell: Shell) -> None:
    shell.kibana.stack.secure = False
    code, document, errors = shell.run("plan")
    assert code == 8
    assert "without Fleet: Elasticsearch has no security, which Fleet needs" in errors
    assert "dashboard" in kinds(document, "create")


def test_enrolment(shell: Shell) -> None:
    token = shell.folder / "enrolment-token"
    assert shell.run("enrol", "--enrolment-file", str(token))[0] == 2
    shell.good("install", "--no-proof")
    assert shell.run("enrol", "--enrolment-file", str(token))[0] == 2
    archive = shell.folder / ARCHIVES / f"elastic-agent-{shell.node.version}-linux-x86_64.tar.gz"
    archive.parent.mkdir(parents=True)
    archive.touch()
    code, document, errors = shell.run("enrol", "--enrolment-file", str(token), "--agent-ca", "/etc/ssl/ca.pem")
    assert code == 0, errors
    secret = token.read_text().strip()
    assert secret in {one["api_key"] for one in shell.kibana.stack.enrolment_keys.values()}
    assert secret not in json.dumps(document) + errors
    assert '--enrollment-token="$(cat enrolment-token)"' in document["commands"][-1]
    assert "--insecure" not in document["commands"][-1]
    shell.good("enrol", "--enrolment-file", str(token))
    assert shell.run("enrol", "--revoke")[1] == {"revoked": 1}
