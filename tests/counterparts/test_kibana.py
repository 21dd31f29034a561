"""The tests' Kibana, held to the reference: what it answers and what it refuses, asked without our client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.counterparts.kibana import KEY, PASSWORD, USER, KibanaServer
from tests.counterparts.kibana_connectors import StartError

AUTHORIZATION = {"Authorization": f"ApiKey {KEY}"}
CHANGE = {**AUTHORIZATION, "kbn-xsrf": "true"}
YML = """\
xpack:
  actions:
    preconfigured.hidden: {name: Hidden, actionTypeId: .gen-ai, config: {apiProvider: Other}}
    preconfigured:
      shown: {name: Shown, actionTypeId: .gen-ai, exposeConfig: true, config: {apiProvider: Other}}
      odd: {name: Odd, actionTypeId: .nosuch}
"""


@pytest.fixture
def kibana() -> Iterator[KibanaServer]:
    with KibanaServer(YML, spaces={"soc": "SOC"}) as server:
        yield server


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def run(sub_action: str = "run", **params: object) -> dict[str, object]:
    return {"params": {"subAction": sub_action, "subActionParams": {"body": "{}", **params}}}


def test_preconfigured_connectors_are_in_every_space(kibana: KibanaServer, http: requests.Session) -> None:
    for prefix in ("", "/s/soc"):
        rows = http.get(f"{kibana.url}{prefix}/api/actions/connectors", headers=AUTHORIZATION).json()
        assert [row["id"] for row in rows] == ["hidden", "shown", "odd"]
        assert all(row["is_preconfigured"] and "is_missing_secrets" not in row for row in rows)
        assert ["config" in row for row in rows] == [False, True, False]


def test_logins(kibana: KibanaServer, http: requests.Session) -> None:
    url = f"{kibana.url}/api/spaces/space"
    assert http.get(url, auth=(USER, PASSWORD)).status_code == 200
    assert http.get(url, auth=(USER, "wrong")).status_code == 401
    assert http.get(url).json()["statusCode"] == 401


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        (AUTHORIZATION, 400, "Request must contain a kbn-xsrf header."),
        ({**AUTHORIZATION, "kbn-version": "8.0.0"}, 400, 'should be "9.2.0"'),
        ({**AUTHORIZATION, "kbn-version": "9.2.0"}, 200, ""),
        (CHANGE, 200, ""),
    ],
)
def test_changes_need_a_header(
    kibana: KibanaServer, http: requests.Session, headers: dict[str, str], status: int, words: str
) -> None:
    answer = http.post(f"{kibana.url}/api/actions/connector/shown/_execute", headers=headers, json=run())
    assert answer.status_code == status
    assert words in answer.json().get("message", "")
    assert answer.headers["kbn-name"] == "kibana"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/s/nope/api/actions/connectors", 404, "[space/nope] not found"),
        ("/api/actions/connector/nope", 404, "Saved object [action/nope] not found"),
        ("/api/nope", 404, "Not Found"),
    ],
)
def test_unknown_things(kibana: KibanaServer, http: requests.Session, path: str, status: int, words: str) -> None:
    answer = http.get(kibana.url + path, headers=AUTHORIZATION)
    assert answer.status_code == status
    assert words in answer.json()["message"]


def test_runs_that_kibana_refuses(kibana: KibanaServer, http: requests.Session) -> None:
    def told(connector: str, body: dict[str, object]) -> tuple[int, str]:
        answer = http.post(f"{kibana.url}/api/actions/connector/{connector}/_execute", headers=CHANGE, json=body)
        found = answer.json()
        return answer.status_code, found.get("service_message") or found["message"]

    assert told("odd", run()) == (400, 'Action type ".nosuch" is not registered.')
    assert told("shown", run()) == (200, 'error validating connector type config: Field "apiUrl": Required')
    assert told("shown", run(stream=True))[0] == 500
    assert told("shown", {})[0] == 400
    kibana.settings.connectors[1].config = {
        "apiProvider": "Other",
        "apiUrl": "http://127.0.0.1:9/v1/chat/completions",
        "defaultModel": "m",
    }
    assert "[apiKey]: expected value of type [string] but got [undefined]" in told("shown", run())[1]
    kibana.settings.connectors[1].secrets = {"apiKey": "x"}
    assert 'Sub action "nope" is not registered' in told("shown", run("nope"))[1]
    assert "Unrecognized key(s) in object: 'modelName'" in told("shown", run(modelName="x"))[1]
    assert "ECONNREFUSED" in told("shown", run())[1]


@pytest.mark.parametrize(
    "text",
    [
        "xpack.actions.preconfigured.a: {name: A, actionTypeId: .gen-ai, apiUrl: x}\n",
        "xpack.actions.preconfigured: {a.b: {name: A, actionTypeId: .gen-ai}}\n",
        "xpack.actions.preconfigured: {a: {name: A}}\n",
    ],
)
def test_starts_that_kibana_refuses(text: str) -> None:
    with pytest.raises(StartError, match=r"preconfigured\.a"):
        KibanaServer(text)
