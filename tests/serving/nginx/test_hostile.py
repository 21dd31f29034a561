"""No hostile request reaches the engine on a path or with a method that is not on the list."""

from __future__ import annotations

import json

import pytest

from tests.counterparts.certificates import Certificate
from tests.counterparts.engine import KEY, Engine
from tests.serving.nginx.requests import BEARER, CHAT, FRAMINGS, METHODS, UNLISTED, WRONG_TOKENS, Framing
from tests.serving.nginx.running import NAME, TOKEN, Running
from tests.serving.nginx.wire import Reply, http1, http2

LISTED = {
    "POST": ("/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"),
    "GET": ("/v1/models",),
}


def ask(proxy: Running, certificate: Certificate, line: str, *headers: str, body: bytes = b"") -> Reply:
    text = "\r\n".join([line, f"Host: {NAME}", *headers, f"Content-Length: {len(body)}", "", ""])
    return http1(proxy.config.https_port, text.encode("latin-1") + body, certificate)


def ask2(proxy: Running, certificate: Certificate, method: str, path: str, *headers: str, body: bytes = b"") -> Reply:
    rows = [(":method", method), (":scheme", "https"), (":authority", NAME), (":path", path)]
    rows += [(name.lower(), value.strip(" ")) for name, _, value in (row.partition(":") for row in headers)]
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in rows]
    return http2(proxy.config.https_port, certificate, pairs, body)


def assert_openai_error(reply: Reply) -> None:
    assert reply.header("content-type") == "application/json"
    error = json.loads(reply.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"] and error["code"]
    assert len(reply.header("x-request-id") or "") == 32


def test_the_table_is_long_enough() -> None:
    assert len(set(UNLISTED)) + len(METHODS) + len(WRONG_TOKENS) + len(FRAMINGS) >= 250


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", UNLISTED)
def test_nothing_else_reaches_the_engine(
    proxy: Running, certificate: Certificate, engine: Engine, method: str, path: str
) -> None:
    reply = ask(proxy, certificate, f"{method} {path} HTTP/1.1", BEARER)
    assert reply.status in (400, 404)
    assert_openai_error(reply)
    newer = ask2(proxy, certificate, method, path, BEARER)
    assert newer.status in (400, 404)
    assert_openai_error(newer)
    assert engine.seen == []


@pytest.mark.parametrize("method", METHODS)
def test_no_other_method(proxy: Running, certificate: Certificate, engine: Engine, method: str) -> None:
    for path in (CHAT, "/v1/models"):
        for reply in (
            ask(proxy, certificate, f"{method} {path} HTTP/1.1", BEARER),
            ask2(proxy, certificate, method, path, BEARER),
        ):
            assert reply.status in (400, 404)
            assert method == "HEAD" or json.loads(reply.body)["error"]["code"] in ("not_found", "bad_request")
    assert engine.seen == []


def test_the_method_belongs_to_the_path(proxy: Running, certificate: Certificate, engine: Engine) -> None:
    for method, other in (("POST", "GET"), ("GET", "POST")):
        for path in LISTED[method]:
            assert ask(proxy, certificate, f"{other} {path} HTTP/1.1", BEARER).status == 404
            assert ask2(proxy, certificate, other, path, BEARER).status == 404
    assert engine.seen == []


@pytest.mark.parametrize("name", WRONG_TOKENS)
def test_wrong_tokens(proxy: Running, certificate: Certificate, engine: Engine, name: str) -> None:
    headers = WRONG_TOKENS[name]
    reply = ask(proxy, certificate, f"POST {CHAT} HTTP/1.1", *headers, body=b"{}")
    assert reply.status == 401
    assert_openai_error(reply)
    assert json.loads(reply.body)["error"]["code"] == "invalid_api_key"
    assert reply.header("www-authenticate") == 'Bearer realm="llm"'
    if name != "folded":
        newer = ask2(proxy, certificate, "POST", CHAT, *headers, body=b"{}")
        assert newer.status == 401
        assert_openai_error(newer)
    assert engine.seen == []


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x00", "\n x"])
def test_no_end_of_line_passes_for_the_end_of_a_token(
    proxy: Running, certificate: Certificate, engine: Engine, end: str
) -> None:
    reply = ask2(proxy, certificate, "GET", "/v1/models", f"authorization:Bearer {TOKEN}{end}")
    assert reply.status in (0, 400, 401)
    assert engine.seen == []


@pytest.mark.parametrize("framing", FRAMINGS, ids=lambda framing: framing.name)
def test_framings(proxy: Running, certificate: Certificate, engine: Engine, framing: Framing) -> None:
    head = "\r\n".join([*framing.lines, "", ""]).encode("latin-1")
    reply = http1(proxy.config.https_port, head + framing.body, certificate)
    assert reply.status in framing.statuses
    if reply.status:
        assert_openai_error(reply)
    assert engine.seen == []


def test_a_request_inside_a_body_stays_inside(proxy: Running, certificate: Certificate, engine: Engine) -> None:
    inner = f"GET /metrics HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode()
    reply = ask(
        proxy, certificate, f"POST {CHAT} HTTP/1.1", BEARER, body=b'{"x": "' + inner.replace(b"\r\n", b"") + b'"}'
    )
    assert reply.status == 200
    assert [seen.line for seen in engine.seen] == [f"POST {CHAT}"]


def test_pipelined_requests_are_each_checked(proxy: Running, certificate: Certificate, engine: Engine) -> None:
    first = f"GET /v1/models HTTP/1.1\r\nHost: {NAME}\r\n{BEARER}\r\n\r\n"
    second = f"GET /metrics HTTP/1.1\r\nHost: {NAME}\r\n{BEARER}\r\n\r\n"
    third = f"GET /v1/models HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n"
    reply = http1(proxy.config.https_port, (second + first + third).encode(), certificate)
    assert reply.status == 404
    proxy.log("access.log")
    assert {seen.line for seen in engine.seen} <= {"GET /v1/models"}


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, paths in LISTED.items() for path in paths])
def test_what_is_listed_passes(
    proxy: Running, certificate: Certificate, engine: Engine, method: str, path: str
) -> None:
    for target in (path, f"{path}?", f"{path}?api-version=1&x=/../metrics"):
        engine.seen.clear()
        assert ask(proxy, certificate, f"{method} {target} HTTP/1.1", BEARER, body=b"{}").status == 200
        assert ask2(proxy, certificate, method, target, BEARER, body=b"{}").status == 200
        # The path of the list, without the query, with the engine's own key.
        assert [seen.line for seen in engine.seen] == [f"{method} {path}"] * 2
        assert all(seen.header("authorization") == [f"Bearer {KEY}"] for seen in engine.seen)


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR", "Bearer "])
def test_the_scheme_has_no_case(proxy: Running, certificate: Certificate, engine: Engine, scheme: str) -> None:
    assert ask(proxy, certificate, "GET /v1/models HTTP/1.1", f"Authorization: {scheme} {TOKEN}").status == 200
    assert ask(proxy, certificate, "GET /v1/models HTTP/1.1", f"authorization:{scheme} {TOKEN} ").status == 200


@pytest.mark.parametrize("host", [NAME.upper(), f"{NAME}.", f"{NAME}:443", f"{NAME}:1"])
def test_spellings_of_the_own_name(proxy: Running, certificate: Certificate, engine: Engine, host: str) -> None:
    request = f"GET /v1/models HTTP/1.1\r\nHost: {host}\r\n{BEARER}\r\n\r\n"
    assert http1(proxy.config.https_port, request.encode(), certificate).status == 200
    absolute = f"GET http://{host}/v1/models HTTP/1.1\r\nHost: evil.example\r\n{BEARER}\r\n\r\n"
    assert http1(proxy.config.https_port, absolute.encode(), certificate).status == 200
    assert [seen.line for seen in engine.seen] == ["GET /v1/models"] * 2


def test_no_header_of_the_client_goes_on(proxy: Running, certificate: Certificate, engine: Engine) -> None:
    headers = [
        "Connection: keep-alive, X-Secret, Upgrade", "Upgrade: websocket", "TE: trailers", "Trailer: X", "Expect: ",
        "Keep-Alive: 5", "Cookie: a=b", "X-Api-Key: a", "X-Request-Id: chosen-by-the-client", "X-Forwarded-For: ::1",
        "Forwarded: for=1", "X-Accel-Redirect: /metrics", "X-Original-URL: /metrics", "X-Rewrite-URL: /metrics",
        "X-HTTP-Method-Override: DELETE", "Proxy: http://evil.example", "Accept-Encoding: gzip", "X-Secret: a",
        "Accept: application/json", "Content-Type: application/json",
    ]  # fmt: skip
    assert ask(proxy, certificate, f"POST {CHAT} HTTP/1.1", BEARER, *headers, body=b"{}").status == 200
    (seen,) = engine.seen
    assert dict(seen.headers) == {
        "host": "localhost",
        "accept": "application/json",
        "content-type": "application/json",
        "content-length": "2",
        "authorization": f"Bearer {KEY}",
        "x-request-id": seen.header("x-request-id")[0],
    }
    assert seen.header("x-request-id") != ["chosen-by-the-client"]


def test_what_an_engine_may_not_steer(proxy: Running, certificate: Certificate, engine: Engine) -> None:
    engine.conduct.headers = {
        "X-Accel-Redirect": "/nginx_status", "X-Accel-Buffering": "yes", "Set-Cookie": "a=b", "X-Request-Id": "its-own",
    }  # fmt: skip
    reply = ask(proxy, certificate, f"POST {CHAT} HTTP/1.1", BEARER, body=b"{}")
    assert reply.status == 200
    assert b"ready" in reply.body
    assert reply.header("set-cookie") is None
    assert reply.header("x-request-id") == engine.seen[0].header("x-request-id")[0]
