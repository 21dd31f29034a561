"""The proxy reads its tokens anew: streams go on, and what it would not take never reaches it."""

from __future__ import annotations

import json
import os
import signal

import pytest

from bundler.errors import EngineError
from bundler.site.parts.interface import Proxy
from bundler.site.tokens import change
from bundler.site.tokens.store import TokenStore
from tests.site.parts.stage import Site, chat, connect, question


def proxy_of(site: Site) -> Proxy:
    proxy = site.parts.proxy
    assert proxy is not None
    return proxy


def test_a_new_token_is_let_in_and_a_stream_goes_on(serving: Site) -> None:
    store, proxy = TokenStore(serving.place.root), proxy_of(serving)
    connection, headers = connect(serving)
    connection.request("POST", "/v1/chat/completions", json.dumps(question(stream=True)), headers)
    answer = connection.getresponse()
    first = answer.readline()
    assert first.startswith(b"data: ")
    made = change.new(store, "second", reload=proxy.reload).made
    assert made is not None
    assert chat(serving, made.secret)[0] == 200
    change.revoke(store, "second", reload=proxy.reload)
    assert chat(serving, made.secret)[0] == 401
    assert answer.read().rstrip().endswith(b"data: [DONE]")
    connection.close()


def test_what_it_does_not_take_changes_nothing(serving: Site) -> None:
    include = TokenStore(serving.place.root).include
    before = include.read_bytes()
    secret = "broken" + "x" * 37
    try:
        include.write_bytes(before + f"{secret} on;\n".encode())
        with pytest.raises(
            EngineError, match=r"the proxy does not take its configuration: .*unknown directive"
        ) as caught:
            proxy_of(serving).reload()
        assert secret not in caught.value.message
        assert chat(serving)[0] == 200
    finally:
        include.write_bytes(before)
    proxy_of(serving).reload()
    assert chat(serving)[0] == 200


def test_a_reload_that_does_not_happen_is_told(serving: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A revoked token would be let in by the old workers, and nobody would know."""
    monkeypatch.setattr("bundler.site.nginx.processes._PATIENCE", 0.5)
    found = serving.engine.inspect(f"llm-proxy-{serving.release.manifest.partition(':')[2][:12]}")
    assert found
    os.kill(found.pid, signal.SIGSTOP)
    try:
        with pytest.raises(EngineError, match="the proxy did not take its new configuration"):
            proxy_of(serving).reload()
    finally:
        os.kill(found.pid, signal.SIGCONT)
    assert chat(serving)[0] == 200


def test_a_proxy_that_does_not_run(serving: Site) -> None:
    _, other = serving.beside("0123456789ab")
    with pytest.raises(EngineError, match="the proxy does not run"):
        proxy_of(other).reload()
