"""The stand-in's agent policies, package policies and enrolment keys, held to Fleet's sources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from kibana_assets.package.build import Built
from kibana_assets.package.zip_file import zip_file
from tests.counterparts.kibana_stack.conftest import Upload
from tests.counterparts.kibana_stack.server import KibanaStack

Json = dict[str, Any]
Ask = Callable[..., requests.Response]
AGENT = {"id": "host", "name": "Host", "namespace": "default"}
INPUT = "local_llm-filestream"
POLICY = {"id": "p", "name": "P", "policy_ids": ["host"], "package": {"name": "local_llm", "version": "0.1.0"}}


@pytest.fixture
def ask(kibana: KibanaStack, http: requests.Session, upload: Upload, built: Built) -> Ask:
    """Ask Fleet, with our package installed and an agent policy there."""

    def send(method: str, path: str, body: Any = None) -> requests.Response:
        return http.request(method, f"{kibana.url}/api/fleet/{path}", json=body)

    assert upload(built.data).status_code == 200
    assert send("POST", "agent_policies", AGENT).status_code == 200
    return send


def wish(dataset: str = "local_llm.proxy_access", **variables: object) -> Json:
    return {**POLICY, "inputs": {INPUT: {"streams": {dataset: {"vars": variables}}}}}


def test_a_policy_has_the_defaults_of_what_is_not_named(ask: Ask) -> None:
    made = ask("POST", "package_policies?format=simplified", wish(paths=["/a/*.log"])).json()["item"]
    streams = made["inputs"][INPUT]["streams"]
    assert streams["local_llm.proxy_access"]["vars"]["paths"] == ["/a/*.log"]
    assert streams["local_llm.audit"]["vars"]["paths"] == ["/var/lib/llm-bundle/audit.log*"]
    assert set(made["inputs"]) == {INPUT, "local_llm-prometheus/metrics"}
    changed = ask("PUT", "package_policies/p?format=simplified", wish("local_llm.audit", paths=["/b"])).json()["item"]
    assert changed["inputs"][INPUT]["streams"]["local_llm.proxy_access"]["vars"]["paths"] != ["/a/*.log"]
    assert changed["revision"] == 2


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({**POLICY, "inputs": {"filestream": {}}}, 400, "Input not found: filestream"),
        (wish("nginx.access"), 400, "Stream not found local_llm-filestream: nginx.access"),
        (wish(path="/a"), 400, "Variable local_llm-filestream local_llm.proxy_access:path not found"),
        (wish(paths=[]), 400, "streams.local_llm.proxy_access.vars.paths: Paths is required"),
        (wish(paths="/a"), 400, "Invalid format: expected array"),
        (wish(processors="- a: [b"), 400, "Invalid YAML format"),
        (wish(preserve_original_event="yes"), 400, "Boolean values must be either true or false"),
        ({**POLICY, "x": 1}, 400, "[request body.x]: definition for this key is missing"),
        ({"name": "P"}, 400, "[request body.package]: expected value of type [Object] but got [undefined]"),
        ({**POLICY, "policy_ids": ["nope"]}, 404, "Agent policy not found"),
        ({**POLICY, "package": {"name": "local_llm", "version": "9.9.9"}}, 404, "not installed or found in registry"),
    ],
)
def test_policies_that_are_refused(ask: Ask, kibana: KibanaStack, body: Json, status: int, words: str) -> None:
    answer = ask("POST", "package_policies", body)
    assert (answer.status_code, words in answer.json()["message"]) == (status, True), answer.text
    assert kibana.stack.package_policies == {}


def test_names_are_unique(ask: Ask) -> None:
    assert ask("POST", "package_policies", POLICY).status_code == 200
    assert ask("POST", "package_policies", {**POLICY, "id": "q"}).status_code == 409
    assert ask("POST", "package_policies", {**POLICY, "name": "Q"}).status_code == 409
    assert "already exists with id 'host'" in ask("POST", "agent_policies", {**AGENT, "id": "x"}).json()["message"]
    assert ask("POST", "agent_policies", {**AGENT, "name": "Other"}).status_code == 409
    assert ask("POST", "agent_policies", {"name": "N"}).status_code == 400
    assert ask("POST", "agent_policies", {**AGENT, "namespace": "Not-this"}).status_code == 400


def test_an_upgrade_keeps_values(ask: Ask, upload: Upload, built: Built) -> None:
    ask("POST", "package_policies", wish(paths=["/a/*.log"]))
    answer = ask("POST", "package_policies/upgrade", {"packagePolicyIds": ["p"]})
    assert (answer.status_code, "is up to date with the installed package" in answer.text) == (400, True)
    tree = {f"local_llm-0.2.0/{path}": data for path, data in built.files.items()}
    manifest = tree["local_llm-0.2.0/manifest.yml"]
    tree["local_llm-0.2.0/manifest.yml"] = manifest.replace(b"version: 0.1.0", b"version: 0.2.0")
    assert upload(zip_file(tree)).status_code == 200
    dry = ask("POST", "package_policies/upgrade/dryrun", {"packagePolicyIds": ["p"]}).json()
    assert [one["package"]["version"] for one in dry[0]["diff"]] == ["0.1.0", "0.2.0"]
    assert ask("POST", "package_policies/upgrade", {"packagePolicyIds": ["p"]}).json()[0]["success"] is True
    found = ask("GET", "package_policies/p?format=simplified").json()["item"]
    assert found["package"]["version"] == "0.2.0"
    assert found["inputs"][INPUT]["streams"]["local_llm.proxy_access"]["vars"]["paths"] == ["/a/*.log"]


def test_removal_and_agents(ask: Ask, kibana: KibanaStack) -> None:
    ask("POST", "package_policies", POLICY)
    kibana.stack.agents["host"] = 1
    assert "in use by agent(s)" in ask("DELETE", "epm/packages/local_llm/0.1.0").json()["message"]
    assert "assigned to any active" in ask("POST", "agent_policies/delete", {"agentPolicyId": "host"}).json()["message"]
    kibana.stack.agents.clear()
    assert ask("POST", "agent_policies/delete", {"agentPolicyId": "host"}).status_code == 200
    assert kibana.stack.package_policies == {} == kibana.stack.enrolment_keys
    assert ask("GET", "agent_policies/host").status_code == 404


def test_enrolment_keys(ask: Ask, kibana: KibanaStack) -> None:
    body = {"policy_id": "host", "name": "mine"}
    made = ask("POST", "enrollment_api_keys", body).json()["item"]
    assert made["name"] == f"mine ({made['id']})"
    assert ask("POST", "enrollment_api_keys", body).status_code == 409
    listed = ask("GET", 'enrollment_api_keys?kuery=policy_id:"host"').json()["items"]
    assert [one["name"].split()[0] for one in listed] == ["Default", "mine"]
    assert ask("DELETE", f"enrollment_api_keys/{made['id']}").json() == {"action": "deleted"}
    assert kibana.stack.enrolment_keys[made["id"]]["active"] is False
    assert ask("GET", "fleet_server_hosts").json()["items"][0]["is_default"] is True
    assert ask("GET", "check-permissions").json() == {"success": True}
