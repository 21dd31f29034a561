"""The trial through Kibana: a good connector, and what Kibana says of each broken one, with the place to mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from preconfigured.errors import RefusedError
from preconfigured.live.finding import Trial
from preconfigured.live.trial import try_connector
from tests.counterparts.certificates import Authority
from tests.counterparts.kibana import Forced, KibanaServer
from tests.counterparts.kibana_connectors import Connector
from tests.counterparts.model_server import Behaviour
from tests.counterparts.nginx import Proxy
from tests.preconfigured.live.stage import KEYSTORE, YML, client, finding, stage, wrong


def attempt(kibana: KibanaServer, connector: str = "vllm", space: str = "default") -> Trial:
    return try_connector(client(kibana), connector, space=space, timeout=10)


def test_a_good_connector(tmp_path: Path) -> None:
    checks: list[str] = []
    with stage(tmp_path) as on:
        trial = try_connector(client(on.kibana), "vllm", timeout=10, progress=checks.append)
        ran = [one for one in on.kibana.seen if one.endswith("_execute")]
        seen = on.model.behaviour.seen
    assert wrong(trial) == []
    assert [one.check for one in trial.findings] == ["connector", "run", "test", "tool-call", "stream"]
    assert checks == [one.check for one in trial.findings]
    assert ran == ["POST /api/actions/connector/vllm/_execute"] * 4
    assert {(line, token) for line, token, _ in seen} == {("POST /v1/chat/completions", "Bearer model-token-3f9c")}
    assert all(b'"model": "mistral-small"' in body for _, _, body in seen)


def test_in_another_space(tmp_path: Path) -> None:
    with stage(tmp_path) as on:
        on.kibana.spaces["soc"] = "SOC"
        trial = attempt(on.kibana, space="soc")
        assert trial.ok
        assert set(on.kibana.seen[1:]) == {"POST /s/soc/api/actions/connector/vllm/_execute"}
    assert "space soc" in finding(trial, "connector").found


@pytest.mark.parametrize(
    ("behaviour", "proxy", "expected", "words"),
    [
        (Behaviour(token="another"), Proxy(), ("run", "block", "token"), "Kibana got 401: Unauthorized"),
        (Behaviour(), Proxy(token="another"), ("run", "block", "token"), "Kibana got 401"),
        (Behaviour(model="other"), Proxy(), ("run", "block", "model-name"), "Valid aliases: other"),
        (Behaviour(stall=2), Proxy(read_timeout="1s"), ("run", "block", "proxy-timeout"), "Kibana got 504"),
        (Behaviour(tools="text"), Proxy(), ("tool-call", "block", "tool-parser"), "<tool_call>"),
        (Behaviour(tools="off"), Proxy(), ("tool-call", "block", "tool-parser"), "--enable-auto-tool-choice"),
        (Behaviour(usage=False), Proxy(), ("run", "block", "model-server"), "Response validation failed"),
        (Behaviour(context=8), Proxy(), ("run", "block", "context"), "context length is only 8 tokens"),
        (Behaviour(), Proxy(max_body="100"), ("run", "block", "body-size"), "Kibana got 413"),
    ],
    ids=["token", "token at the proxy", "model", "504", "no parser", "no flags", "no usage", "context", "413"],
)
def test_what_the_model_side_does_wrong(
    tmp_path: Path, behaviour: Behaviour, proxy: Proxy, expected: tuple[str, str, str], words: str
) -> None:
    with stage(tmp_path, behaviour, proxy) as on:
        trial = attempt(on.kibana)
    assert wrong(trial) == [expected]
    assert words in finding(trial, expected[0]).found
    assert "model-token" not in repr(trial)


def test_a_wrong_path(tmp_path: Path) -> None:
    with stage(tmp_path, path="/chat") as on:
        trial = attempt(on.kibana)
    assert wrong(trial) == [("run", "block", "path")]
    assert "/v1/chat/completions" in finding(trial, "run").fix


@pytest.mark.parametrize(
    ("url", "place", "words"),
    [
        ("https://no-such-host.invalid/v1/chat/completions", "dns", "ENOTFOUND"),
        ("http://127.0.0.1:9/v1/chat/completions", "network", "ECONNREFUSED"),
        ("https:///v1/chat/completions", "kibana.yml", "URL must contain hostname"),
    ],
)
def test_an_address_that_leads_nowhere(url: str, place: str, words: str) -> None:
    with KibanaServer(YML.format(url=url, model="m", more=""), keystore=KEYSTORE) as kibana:
        trial = attempt(kibana)
    assert wrong(trial) == [("run", "block", place)]
    assert words in finding(trial, "run").found


def test_a_private_authority_that_kibana_does_not_know(tmp_path: Path, authority: Authority) -> None:
    with stage(tmp_path, tls=authority.server("localhost")) as on:
        trial = attempt(on.kibana)
    assert wrong(trial) == [("run", "block", "tls")]
    assert "customHostSettings" in finding(trial, "run").fix


def test_a_private_authority_that_kibana_knows(tmp_path: Path, authority: Authority) -> None:
    with stage(tmp_path, tls=authority.server("localhost")) as on:
        ssl = {"certificateAuthoritiesFiles": [str(authority.ca)]}
        on.kibana.settings.hosts = [{"url": on.proxy.url, "ssl": ssl}]
        assert attempt(on.kibana).ok


def test_certificates_that_are_no_good(tmp_path: Path, authority: Authority) -> None:
    for names, days, words in ((["other.test"], 2, "ALTNAME"), (["localhost"], -1, "EXPIRED")):
        with stage(tmp_path / names[0], tls=authority.server(*names, days=days)) as on:
            ssl = {"certificateAuthoritiesFiles": [str(authority.ca)]}
            on.kibana.settings.hosts = [{"url": on.proxy.url, "ssl": ssl}]
            trial = attempt(on.kibana)
        assert wrong(trial) == [("run", "block", "tls")]
        assert words in finding(trial, "run").found


@pytest.mark.parametrize(
    ("more", "place", "words"),
    [
        ("      modelName: x\n", "kibana.yml", "Unrecognized key(s) in object: 'modelName'"),
        ("xpack.actions.allowedHosts: [other.test]\n", "allowed-hosts", "xpack.actions.allowedHosts"),
        ("xpack.actions.responseTimeout: 500ms\n", "proxy-timeout", "timeout of 500ms exceeded"),
    ],
)
def test_what_stands_wrongly_in_kibana_yml(tmp_path: Path, more: str, place: str, words: str) -> None:
    stall = 1.0 if "Timeout" in more else 0.0
    with stage(tmp_path, Behaviour(stall=stall), more=more) as on:
        trial = attempt(on.kibana)
    assert wrong(trial) == [("run", "block", place)]
    assert words in finding(trial, "run").found


@pytest.mark.parametrize(("value", "kind"), [({}, "undefined"), ("12345678", "number")])
def test_a_key_that_is_missing_or_became_a_number(tmp_path: Path, value: dict[str, str] | str, kind: str) -> None:
    keystore = value if isinstance(value, dict) else dict.fromkeys(KEYSTORE, value)
    with stage(tmp_path, keystore=keystore) as on:
        trial = attempt(on.kibana)
    assert wrong(trial) == [("run", "block", "kibana.yml")]
    assert f"[apiKey]: expected value of type [string] but got [{kind}]" in finding(trial, "run").found


def test_a_type_that_kibana_does_not_have() -> None:
    text = "xpack.actions.preconfigured.odd: {name: Odd, actionTypeId: .nosuch}\n"
    with KibanaServer(text) as kibana:
        trial = attempt(kibana, "odd")
    assert wrong(trial) == [("connector", "warn", "kibana.yml")]
    assert ".nosuch" in finding(trial, "connector").found


def test_simulated_calls_and_a_short_context_are_named(tmp_path: Path) -> None:
    with stage(tmp_path) as on:
        config = on.kibana.settings.connectors[0].config
        del config["enableNativeFunctionCalling"]
        config["contextWindowLength"] = 8192
        trial = attempt(on.kibana)
    assert wrong(trial) == [("config", "warn", "kibana.yml"), ("config", "warn", "context")]


def test_one_that_is_saved_in_one_space(tmp_path: Path) -> None:
    with stage(tmp_path) as on:
        ours = on.kibana.settings.connectors.pop()
        on.kibana.saved.append(
            Connector("vllm", "x", ".gen-ai", ours.config, {"apiKey": "model-token-3f9c"}, space="default")
        )
        trial = attempt(on.kibana)
    assert wrong(trial) == [("connector", "warn", "kibana.yml")]


def test_one_that_is_not_there() -> None:
    with KibanaServer() as kibana:
        trial = attempt(kibana, "no/such?one")
        assert kibana.seen == ["GET /api/actions/connector/no%2Fsuch%3Fone"]
    assert wrong(trial) == [("connector", "block", "kibana.yml")]
    assert "Saved object [action/no/such?one] not found" in finding(trial, "connector").found


def test_a_licence_that_does_not_allow_it(tmp_path: Path) -> None:
    text = b'{"message": "Action type .gen-ai is disabled because your basic license does not support it."}'
    with stage(tmp_path) as on:
        on.kibana.forced["/_execute"] = Forced(403, text)
        trial = attempt(on.kibana)
    assert wrong(trial) == [("run", "block", "license")]


@pytest.mark.parametrize(
    ("status", "words"), [(403, "Unauthorized to execute actions"), (500, "An internal server error occurred")]
)
def test_a_login_that_may_not_run_connectors(tmp_path: Path, status: int, words: str) -> None:
    with stage(tmp_path) as on:
        on.kibana.forced["/_execute"] = Forced(status, b'{"message": "%s"}' % words.encode())
        with pytest.raises(RefusedError, match=f"{status} .*: {words}"):
            attempt(on.kibana)


def test_a_run_that_kibana_never_ends(tmp_path: Path) -> None:
    with stage(tmp_path, Behaviour(stall=3)) as on:
        trial = try_connector(client(on.kibana), "vllm", timeout=0.5)
    assert wrong(trial) == [("run", "block", "proxy-timeout")]
    assert "no answer to the run" in finding(trial, "run").found


def test_a_login_that_may_not_see_connectors(tmp_path: Path) -> None:
    with stage(tmp_path) as on:
        on.kibana.hidden.add("default")
        with pytest.raises(RefusedError, match="403 Forbidden: Unauthorized to get actions"):
            attempt(on.kibana)


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"status": "ok"}', b'{"status": "ok", "data": {"choices": [7]}}'])
def test_answers_that_make_no_sense(tmp_path: Path, body: bytes) -> None:
    with stage(tmp_path) as on:
        on.kibana.forced["/_execute"] = Forced(200, body)
        trial = attempt(on.kibana)
    assert [one[:2] for one in wrong(trial)] == [("run", "block")]
