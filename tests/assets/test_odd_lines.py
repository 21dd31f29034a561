"""Servers that answer in another way than HTTP means it, or with another status: a sentence, and in time.

Rules: one answer of a good run is replaced, of Elasticsearch in one run and of Kibana in another. --timeout is 1 s.
"""

from __future__ import annotations

import gzip
import itertools
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.assets.plain import Plain
from tests.assets.recorded_runs import Run, Stand
from tests.assets.tape import Heard

HTML = b"<!DOCTYPE html><html><title>Log in</title>" + b"<p>\x1b[2J</p>" * 100 + b"</html>"
STATUSES = (300, 307, 400, 401, 403, 404, 409, 413, 429, 500, 503, 999)
RETRY = ("0", "-1", "1000000000", "Wed, 21 Oct 2099 07:28:00 GMT", "soon", "\xb2", "9" * 5000)
BODIES = ("words", "echo", "empty", "page", "wrong")


def refusal(status: int, kind: str, heard: Heard, login: str) -> bytes:
    return heard.sent(said(kind, login), status=status)


def redirect(status: int, url: str, heard: Heard, login: str) -> bytes:
    return heard.sent(b"", status=status, Location=f"{url}/{login}")


def said(kind: str, login: str) -> bytes:
    """The body of a refusal: in the server's words, in other forms, or with the login that it got."""
    reason = f"no: {login} \x1b[31m\u202e\r\nllm-bundle: done" if kind == "echo" else "no " * 100_000
    error: object = {"type": ["x"], "reason": {"x": 7}, "caused_by": [7]}
    error = error if kind == "wrong" else {"type": "x", "reason": reason, "caused_by": {"reason": reason}}
    document = {"error": error, "statusCode": 7, "message": [7] if kind == "wrong" else reason}
    return b"" if kind == "empty" else HTML if kind == "page" else json.dumps(document).encode()


def chunked(*pieces: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Elastic-Product: Elasticsearch\r\n"
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(pieces)


def drip(data: bytes) -> Iterator[bytes]:
    for one in data:
        yield bytes([one])
        time.sleep(0.3)


def without_end(first: bytes, piece: bytes) -> Iterator[bytes]:
    yield first
    for _ in itertools.count():
        yield piece
        time.sleep(0.01)


Line = Callable[[Heard], "bytes | Iterable[bytes]"]
HARMLESS = ("more than it says", "cookies", "another type", "a length below 0")
HEAD = b"HTTP/1.1 200 OK\r\n"
LINES: dict[str, Line] = {
    "nothing": lambda heard: b"",
    "no HTTP": lambda heard: b"\x15\x03\x01\x00\x02\x02\x46" * 20,
    "HTTP/0.9": lambda heard: heard.body,
    "a long status line": lambda heard: b"HTTP/1.1 200 " + b"A" * 200_000 + b"\r\n\r\n",
    "a status that is none": lambda heard: b"HTTP/1.1 2e2 OK\r\n\r\n{}",
    "a header that is none": lambda heard: HEAD + b"\x1b[31m garbage\r\n" + heard.sent()[len(HEAD) :],
    "a folded header": lambda heard: HEAD + b" folded\r\n" + heard.sent()[len(HEAD) :],
    "200,000 headers": lambda heard: HEAD + b"".join(b"X-%d: 1\r\n" % one for one in range(200_000)) + b"\r\n{}",
    "a long header": lambda heard: HEAD + b"X: " + b"A" * 1_000_000 + b"\r\n\r\n{}",
    "cookies": lambda heard: heard.sent(Set_Cookie="a=b; Expires=\xff; Max-Age=1e9; Domain=..; Version=x; \xa0=="),
    "cut in the headers": lambda heard: heard.sent()[:40],
    "cut in the body": lambda heard: heard.sent()[:-5],
    "truncated": lambda heard: heard.sent(heard.body[: len(heard.body) // 2]),
    "empty": lambda heard: heard.sent(b""),
    "more than it says": lambda heard: heard.sent() + b"HTTP/1.1 500 No\r\n\r\n",
    "less than it has": lambda heard: heard.sent(Content_Length="7"),
    "a length below 0": lambda heard: heard.sent(Content_Length="-7"),
    "a length without end": lambda heard: heard.sent(Content_Length="9" * 30),
    "two lengths": lambda heard: heard.sent(Content_Length="7, 9"),
    "a page": lambda heard: heard.sent(HTML, Content_Type="text/html"),
    "another type": lambda heard: heard.sent(HTML, Content_Type="image/\x1b[31mpng; charset=\xff"),
    "no product": lambda heard: heard.sent(HTML, x_elastic_product="Other"),
    "gzip": lambda heard: heard.sent(gzip.compress(heard.body), Content_Encoding="gzip"),
    "a bomb": lambda heard: heard.sent(gzip.compress(b"[" * (200 << 20), 1), Content_Encoding="gzip"),
    "another encoding": lambda heard: heard.sent(heard.body.decode().encode("utf-16")),
    "a bad chunk": lambda heard: chunked(b"zz\r\n{}\r\n0\r\n\r\n"),
    "a chunk below 0": lambda heard: chunked(b"-5\r\n{}\r\n0\r\n\r\n"),
    "a chunk cut": lambda heard: chunked(b"ff\r\n{"),
    "a long chunk size": lambda heard: chunked(b"1" * 200_000 + b"\r\n{}"),
    "warnings": lambda heard: heard.sent(HTML, Warning='299 x "\x1b[31m' + "A" * 50_000 + '"'),
    "204": lambda heard: b"HTTP/1.1 204 No Content\r\n\r\n",
    "101": lambda heard: b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
}
SLOW: dict[str, Line] = {
    "a status line": lambda heard: drip(heard.sent()),
    "headers": lambda heard: without_end(HEAD, b"X"),
    "a body": lambda heard: without_end(heard.sent(Content_Length="9999999")[:-9], b" "),
    "interim answers": lambda heard: without_end(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "what follows the last chunk": lambda heard: without_end(chunked(b"2\r\n{}\r\n0\r\n"), b"X: 1\r\n"),
    "chunks": lambda heard: without_end(chunked(b""), b"1\r\n \r\n"),
    "silence": lambda heard: without_end(b"", b""),
}
LARGE: dict[str, Line] = {
    "a text": lambda heard: heard.sent(b'{"x": "' + b"A" * (10 << 20) + b'"}'),
    "brackets": lambda heard: heard.sent(b"[" + b"[]," * (8 << 20) + b"[]]"),
    "a body without end": lambda heard: itertools.chain([HEAD + b"\r\n"], [b" " * 65536] * 2000),
    "a long body": lambda heard: itertools.chain([heard.sent(Content_Length=str(1 << 40))], [b" " * 65536] * 2000),
}


@pytest.fixture(params=["elasticsearch", "kibana"])
def at(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def second(run: Run, at: str) -> Heard:
    """An answer to a question, not the first one."""
    listed = [one for one in getattr(run, at).values() if one.method == "GET" and one.status == 200]
    found = listed[min(1, len(listed) - 1)]
    assert isinstance(found, Heard)
    return found


def plan(runs: tuple[Run, ...], at: str) -> Run:
    """The quickest run that asks there."""
    way = "--no-kibana" if at == "elasticsearch" else ""
    return next(run for run in runs if run.way == way and run.line[:2] in (("status",), ("enrol", "--revoke")))


def answered(again: Stand, run: Run, at: str, name: str, made: Any) -> tuple[int, str]:
    """The exit code and the message when one answer comes otherwise, which must be in order."""
    odd = second(run, at)
    found = again.replay(run, lambda heard, login: made(heard, login) if heard == odd else None, at)
    assert not found.wrong(again.key.read_text()), name
    return found.code, found.err


@pytest.mark.parametrize(("name", "at"), [*zip(LINES, itertools.cycle(("elasticsearch", "kibana")), strict=False)])
def test_lines(again: Stand, recorded: tuple[Run, ...], name: str, at: str) -> None:
    """Both servers are read by the same code, so each line comes from one of them."""
    run = plan(recorded, at)
    code, words = answered(again, run, at, name, lambda heard, login: LINES[name](heard))
    assert code in ({run.code, 4} if name in HARMLESS else {4, 7} if name in ("204", "101") else {4}), words


@pytest.mark.parametrize("name", SLOW)
def test_what_is_slow_ends_in_time(again: Stand, recorded: tuple[Run, ...], name: str, at: str) -> None:
    begun = time.monotonic()
    code, words = answered(again, plan(recorded, at), at, name, lambda heard, login: SLOW[name](heard))
    assert (code, "no answer in time" in words) == (4, True), words
    assert time.monotonic() - begun < 8


@pytest.mark.parametrize("status", STATUSES)
def test_statuses(again: Stand, recorded: tuple[Run, ...], status: int, at: str) -> None:
    for kind in BODIES if status in (403, 500) else ("echo",):
        code, words = answered(again, plan(recorded, at), at, kind, partial(refusal, status, kind))
        assert code in ((0, 7, 8) if status == 404 else (4,) if status < 400 else (4, 7)), (kind, words)
        assert str(status) in words or status in (300, 307, 404) or "shows this login no space" in words, words
        assert len(words) < 1500


@pytest.mark.parametrize("after", RETRY)
def test_pauses_that_are_asked_for(again: Stand, recorded: tuple[Run, ...], after: str, at: str) -> None:
    code, words = answered(
        again, plan(recorded, at), at, after, lambda heard, login: heard.sent(b"{}", status=429, Retry_After=after)
    )
    assert (code, "429" in words) == (7, True), words


def test_redirects_get_no_login(again: Stand, recorded: tuple[Run, ...], at: str) -> None:
    with Plain("{}") as other:
        for status in (301, 307):
            code, words = answered(again, plan(recorded, at), at, str(status), partial(redirect, status, other.url))
            assert (code, "found a redirect" in words) == (4, True), words
        assert other.seen == []


@pytest.mark.parametrize("name", LARGE)
def test_what_is_large_takes_no_memory(again: Stand, recorded: tuple[Run, ...], name: str) -> None:
    """A process of its own, with half a gigabyte of addresses."""
    run = plan(recorded, "elasticsearch")
    odd = second(run, "elasticsearch")
    again.elasticsearch.begin(run.elasticsearch, odd=lambda heard, login: LARGE[name](heard) if heard == odd else None)
    line = ["assets", "status", "--elasticsearch", again.elasticsearch.url, "--api-key-file", str(again.key)]
    done = subprocess.run(
        [sys.executable, "-c", "from bundler.cli.entry import run; run()", *line, "--timeout", "10"],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20)),
    )
    assert done.returncode == 4, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 1500
