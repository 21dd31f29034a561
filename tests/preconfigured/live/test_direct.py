"""The trial straight at a model: a good one, and each way in which one is set up wrongly, through a real nginx."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from preconfigured.errors import UsageError
from preconfigured.live.direct import try_model
from preconfigured.live.finding import Trial
from tests.counterparts.certificates import Authority
from tests.counterparts.model_server import Behaviour, ModelServer
from tests.counterparts.nginx import Nginx, Proxy
from tests.preconfigured.live.stage import TOKEN, finding, wrong

CHECKS = ["dns", "tcp", "tls", "models", "context", "token", "chat", "large-request", "tool-call", "stream"]


def attempt(
    folder: Path,
    behaviour: Behaviour,
    proxy: Proxy,
    *,
    url: str = "/v1",
    model: str = "mistral-small",
    token: str = TOKEN,
    ca: Path | None = None,
    timeout: float = 5,
) -> Trial:
    with ModelServer(behaviour) as server, Nginx(folder / "nginx", server.host, proxy) as nginx:
        return try_model(nginx.url + url, model, token, ca=ca, timeout=timeout)


def test_a_good_model_behind_tls(tmp_path: Path, authority: Authority) -> None:
    certificate = authority.server("localhost")
    checks: list[str] = []
    with (
        ModelServer(Behaviour(gap=0.01)) as server,
        Nginx(tmp_path / "nginx", server.host, Proxy(tls=certificate, token=TOKEN)) as nginx,
    ):
        trial = try_model(nginx.url, "mistral-small", TOKEN, ca=authority.ca, timeout=5, progress=checks.append)
        log = nginx.log()
    assert wrong(trial) == []
    assert trial.ok
    assert [one.check for one in trial.findings] == [*CHECKS, "first-token"]
    assert checks == [check for check in CHECKS if check not in ("context", "token")]
    assert "TLSv1" in finding(trial, "tls").found
    assert finding(trial, "context").found == "65,536 tokens"
    assert finding(trial, "stream").found.startswith("26 events in 2")
    assert trial.first_token_seconds is not None
    assert 0 < trial.first_token_seconds < 1
    # The list is asked for once more, without a token, and refused.
    assert log.count("GET /v1/models HTTP/1.1") == 2
    assert '" 401 ' in log


@dataclass(frozen=True)
class Broken:
    check: str
    state: str
    place: str
    found: str
    fix: str
    behaviour: Behaviour = field(default_factory=Behaviour)
    proxy: Proxy = field(default_factory=Proxy)
    url: str = "/v1"
    model: str = "mistral-small"
    token: str = TOKEN
    timeout: float = 5


SLOW = Behaviour(gap=0.01)
BROKEN = {
    "wrong token": Broken("models", "block", "token", "401", "keystore", proxy=Proxy(token="another"), token="wrong"),
    "wrong token behind the proxy": Broken(
        "models", "block", "token", "401: Unauthorized", "VLLM_API_KEY", token="wrong"
    ),
    "wrong path": Broken("chat", "block", "path", "404", "/v1/chat/completions", url="/llm/v1"),
    "413": Broken("large-request", "block", "body-size", "413", "client_max_body_size", proxy=Proxy(max_body="1m")),
    "504": Broken(
        "chat", "block", "proxy-timeout", "504", "proxy_read_timeout", Behaviour(stall=2), Proxy(read_timeout="1s")
    ),
    "stall": Broken(
        "chat", "block", "model-server", "no whole answer within 1 s", "hangs", Behaviour(stall=2), timeout=1
    ),
    "other model": Broken(
        "models", "block", "model-name", "has mistral-small, not mistral", "mistral-small", model="mistral"
    ),
    "no parser": Broken(
        "tool-call", "block", "tool-parser", "<tool_call>", "--tool-call-parser", Behaviour(tools="text")
    ),
    "no flags": Broken(
        "tool-call",
        "block",
        "tool-parser",
        "not set up for tool calls (400",
        "--enable-auto-tool-choice",
        Behaviour(tools="off"),
    ),
    "buffered": Broken(
        "stream", "block", "buffering", "held back: 26 events", "proxy_buffering off", SLOW, Proxy(buffering=True)
    ),
    "short context": Broken(
        "context", "warn", "context", "32,768 tokens", "--max-model-len 64000", Behaviour(context=32_768)
    ),
    "no usage": Broken("chat", "block", "model-server", "how many tokens", "usage", Behaviour(usage=False)),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_wrong_is_found_at_its_place(tmp_path: Path, broken: Broken) -> None:
    trial = attempt(
        tmp_path,
        broken.behaviour,
        broken.proxy,
        url=broken.url,
        model=broken.model,
        token=broken.token,
        timeout=broken.timeout,
    )
    assert wrong(trial) == [(broken.check, broken.state, broken.place)]
    found = finding(trial, broken.check)
    assert broken.found in found.found
    assert broken.fix in found.fix
    assert not trial.ok


def test_a_server_without_a_token_is_found(tmp_path: Path) -> None:
    """As vLLM without VLLM_API_KEY behind a proxy that does not check: here a proxy that adds the token by itself."""
    with ModelServer() as server, Nginx(tmp_path / "nginx", server.host, Proxy(adds=TOKEN)) as nginx:
        trial = try_model(nginx.url, "mistral-small", "whatever", timeout=5)
    assert wrong(trial) == [("token", "warn", "token")]
    assert "without a token" in finding(trial, "token").found


def test_an_unknown_name() -> None:
    trial = try_model("https://no-such-host.invalid/v1", "m", TOKEN, timeout=5)
    assert wrong(trial) == [("dns", "block", "dns")]
    assert "no-such-host.invalid" in finding(trial, "dns").found


def test_a_closed_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        trial = try_model(f"http://127.0.0.1:{taken.getsockname()[1]}/v1", "m", TOKEN, timeout=5)
    assert wrong(trial) == [("tcp", "block", "network")]
    assert "nothing listens" in finding(trial, "tcp").found


def test_nothing_behind_the_proxy(tmp_path: Path) -> None:
    with Nginx(tmp_path / "nginx", "127.0.0.1:9", Proxy()) as nginx:
        trial = try_model(nginx.url, "m", TOKEN, timeout=5)
    assert wrong(trial) == [("chat", "block", "proxy")]
    assert "502" in finding(trial, "chat").found


def test_a_private_authority_that_is_not_named(tmp_path: Path, authority: Authority) -> None:
    trial = attempt(tmp_path, Behaviour(), Proxy(tls=authority.server("localhost")))
    assert wrong(trial) == [("tls", "block", "tls")]
    assert "not trusted here" in finding(trial, "tls").found
    assert "--ca" in finding(trial, "tls").fix
    assert "customHostSettings" in finding(trial, "tls").fix


def test_a_certificate_for_another_name(tmp_path: Path, authority: Authority) -> None:
    trial = attempt(tmp_path, Behaviour(), Proxy(tls=authority.server("other.test")), ca=authority.ca)
    assert wrong(trial) == [("tls", "block", "tls")]
    assert "not for the name localhost" in finding(trial, "tls").found


def test_an_expired_certificate(tmp_path: Path, authority: Authority) -> None:
    trial = attempt(tmp_path, Behaviour(), Proxy(tls=authority.server("localhost", days=-1)), ca=authority.ca)
    assert wrong(trial) == [("tls", "block", "tls")]
    assert "has expired" in finding(trial, "tls").found


def test_https_to_a_port_without_tls(tmp_path: Path) -> None:
    with ModelServer() as server:
        trial = try_model(server.url.replace("http:", "https:"), "m", TOKEN, timeout=2)
    assert wrong(trial) == [("tls", "block", "tls")]
    assert "does not speak TLS" in finding(trial, "tls").found


def test_http_to_a_port_with_tls(tmp_path: Path, authority: Authority) -> None:
    with (
        ModelServer() as server,
        Nginx(tmp_path / "nginx", server.host, Proxy(tls=authority.server("localhost"))) as nginx,
    ):
        trial = try_model(nginx.url.replace("https:", "http:"), "m", TOKEN, timeout=5)
    assert wrong(trial) == [("chat", "block", "model-server")]
    assert "400" in finding(trial, "chat").found


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda folder: try_model("ftp://llm.test", "m", TOKEN), "http:// or https://"),
        (lambda folder: try_model("https://user:hunter2@llm.test/v1", "m", TOKEN), "without user name"),
        (lambda folder: try_model("https://llm.test/chat", "m", TOKEN), "/v1/chat/completions"),
        (lambda folder: try_model("https://llm.test/v1", "m", "two words"), "plain characters"),
        (lambda folder: try_model("https://llm.test/v1", "m", ""), "found none"),
        (lambda folder: try_model("https://llm.test/v1", "m", TOKEN, ca=folder / "none.pem"), "cannot be read"),
        (lambda folder: try_model("https://llm.test/v1", "m", TOKEN, ca=Path(__file__)), "no certificate"),
    ],
)
def test_what_cannot_be_tried(call: Callable[[Path], Trial], words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        call(tmp_path)
    assert "hunter2" not in str(caught.value) + caught.value.hint
    assert caught.value.hint
