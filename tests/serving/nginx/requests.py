"""Hostile and awkward requests, as a table: what is sent, and which answer it may get.

In all of them the token is the right one unless the row is about the token.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.serving.nginx.running import NAME, OLD, TOKEN

CHAT = "/v1/chat/completions"
BEARER = f"Authorization: Bearer {TOKEN}"

# Paths of the engine that are on no list, and every way to write one that a server may read as one of them.
UNLISTED = (Path(__file__).parents[2] / "data" / "nginx" / "unlisted-paths.txt").read_text().splitlines()
# Each of these methods at a path whose list has another one.
METHODS = (
    "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
    "CONNECT", "LINK", "PROPFIND", "MKCOL", "COPY", "PURGE", "BREW", "get", "Get",
)  # fmt: skip

WRONG_TOKENS = {
    "none": [],
    "empty": ["Authorization:"],
    "scheme alone": ["Authorization: Bearer"],
    "scheme and a blank": ["Authorization: Bearer "],
    "token alone": [f"Authorization: {TOKEN}"],
    "other scheme": [f"Authorization: Basic {TOKEN}"],
    "scheme with a suffix": [f"Authorization: BearerX {TOKEN}"],
    "no blank": [f"Authorization: Bearer{TOKEN}"],
    "colon": [f"Authorization: Bearer: {TOKEN}"],
    "tab as the blank": [f"Authorization: Bearer\t{TOKEN}"],
    "tab behind": [f"{BEARER}\t"],
    "suffix": [f"{BEARER}x"],
    "prefix": [f"Authorization: Bearer x{TOKEN}"],
    "shorter": [BEARER[:-1]],
    "upper case": [f"Authorization: Bearer {TOKEN.upper()}"],
    "lower case": [f"Authorization: Bearer {TOKEN.lower()}"],
    "word behind": [f"{BEARER} x"],
    "comma behind": [f"{BEARER},"],
    "two in one, good first": [f"{BEARER}, Bearer x"],
    "two in one, bad first": [f"Authorization: Bearer x, Bearer {TOKEN}"],
    "two tokens": [f"Authorization: Bearer {TOKEN}{OLD}"],
    "quotes": [f'Authorization: Bearer "{TOKEN}"'],
    "wildcard": ["Authorization: Bearer .*"],
    "pattern": ["Authorization: Bearer tok_Aa0-x+"],
    "percent": [f"Authorization: Bearer {TOKEN.replace('_', '%5f')}"],
    "not ASCII": [f"{BEARER}\xa0"],
    "twice the same": [BEARER, BEARER],
    "second bad": [BEARER, "Authorization: Bearer x"],
    "first bad": ["Authorization: Bearer x", BEARER],
    "second empty": [BEARER, "Authorization:"],
    "second in another case": [BEARER, f"AUTHORIZATION: Bearer {OLD}"],
    "other header": [f"X-Authorization: Bearer {TOKEN}"],
    "proxy's header": [f"Proxy-Authorization: Bearer {TOKEN}"],
    "api-key": [f"api-key: {TOKEN}", f"x-api-key: {TOKEN}"],
    "cookie": [f"Cookie: Authorization=Bearer {TOKEN}"],
    "underscore": [f"Authorization_: Bearer {TOKEN}"],
    "folded": ["Authorization: Bearer", f" {TOKEN}"],
    "engine's own key": ["Authorization: Bearer engine-key-7d1f0a52c6"],
}


@dataclass(frozen=True, slots=True)
class Framing:
    """A request over HTTP/1.1 that is framed oddly: its lines, its body, the statuses it may get (0: closed)."""

    name: str
    lines: tuple[str, ...]
    body: bytes
    statuses: tuple[int, ...]


def _odd(name: str, *lines: str, body: bytes = b"{}", statuses: tuple[int, ...] = (400, 401)) -> Framing:
    return Framing(name, (f"POST {CHAT} HTTP/1.1", f"Host: {NAME}", BEARER, *lines), body, statuses)


def _line(name: str, line: str, *statuses: int, host: str = f"Host: {NAME}") -> Framing:
    return Framing(name, tuple(filter(None, (line, host, BEARER))), b"", statuses)


SMUGGLED = b"0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
FRAMINGS = [
    _odd("both lengths", "Content-Length: 4", "Transfer-Encoding: chunked", body=SMUGGLED),
    _odd("both, the other way", "Transfer-Encoding: chunked", "Content-Length: 4", body=SMUGGLED),
    _odd("two lengths", "Content-Length: 2", "Content-Length: 40", body=SMUGGLED),
    _odd("two equal lengths", "Content-Length: 2", "Content-Length: 2"),
    _odd("list of lengths", "Content-Length: 2, 2"),
    _odd("negative length", "Content-Length: -1"),
    _odd("length with a sign", "Content-Length: +2"),
    _odd("hexadecimal length", "Content-Length: 0x2"),
    _odd("huge length", "Content-Length: 99999999999999999999999"),
    _odd("too large", "Content-Length: 33554433", statuses=(413,)),
    _odd("unknown encoding", "Transfer-Encoding: gzip", statuses=(501,)),
    _odd("chunked not last", "Transfer-Encoding: chunked, identity", statuses=(501,)),
    _odd("xchunked", "Transfer-Encoding: xchunked", body=SMUGGLED, statuses=(501,)),
    _odd(
        "twice chunked",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked",
        body=SMUGGLED,
        statuses=(400, 401, 501),
    ),
    _odd("bad chunk", "Transfer-Encoding: chunked", body=b"zz\r\n{}\r\n0\r\n\r\n"),
    _odd("negative chunk", "Transfer-Encoding: chunked", body=b"-1\r\n{}\r\n0\r\n\r\n"),
    _odd("huge chunk", "Transfer-Encoding: chunked", body=b"fffffffffffffffff\r\n", statuses=(400, 401, 413)),
    _odd("second Host", "Host: evil.example", "Content-Length: 2"),
    _odd("large header", "X-Large: " + "a" * 9000, "Content-Length: 2", statuses=(431,)),
    _odd("many headers", *(f"X-{n}: {'a' * 4000}" for n in range(12)), "Content-Length: 2", statuses=(431,)),
    _odd("blank before the colon", f"X-Y : Bearer {TOKEN}", "Content-Length: 2", statuses=(0, 400, 401)),
    _odd("NUL in a header", "X: a\x00b", "Content-Length: 2"),
    _line("no Host", "GET /v1/models HTTP/1.1", 400, 401, host=""),
    _line("no Host, 1.0", "GET /v1/models HTTP/1.0", 421, host=""),
    _line("empty Host", "GET /v1/models HTTP/1.1", 400, 401, 421, host="Host:"),
    _line("other Host", "GET /v1/models HTTP/1.1", 421, host="Host: evil.example"),
    _line("Host with a prefix", "GET /v1/models HTTP/1.1", 421, host=f"Host: x.{NAME}"),
    _line("Host with a suffix", "GET /v1/models HTTP/1.1", 421, host=f"Host: {NAME}.evil.example"),
    _line("Host by a dot for any", "GET /v1/models HTTP/1.1", 421, host=f"Host: {NAME.replace('.', 'x')}"),
    _line("Host is the upstream", "GET /v1/models HTTP/1.1", 421, host="Host: llm-engine"),
    _line("Host is an address", "GET /v1/models HTTP/1.1", 421, host="Host: 127.0.0.1"),
    _line("Host with a path", "GET /v1/models HTTP/1.1", 400, 401, host=f"Host: {NAME}/metrics"),
    _line("Host with userinfo", "GET /v1/models HTTP/1.1", 400, 401, 421, host=f"Host: x@{NAME}"),
    _line("absolute, other host", "GET http://evil.example/v1/models HTTP/1.1", 421),
    _line("HTTP/0.9", "GET /v1/models", 0, host=""),
    _line("HTTP/2 by text", "GET /v1/models HTTP/2.0", 505),
    _line("HTTP/9", "GET /v1/models HTTP/9.9", 505),
    _line("HTTP alone", "GET /v1/models HTTP", 400),
    _line("no version number", "GET /v1/models HTTP/", 400),
    _line("a word too many", "GET /v1/models HTTP/1.1 x", 400),
    _line("blank in the path", "GET /v1/models /metrics HTTP/1.1", 400),
    _line("blank before the method", " GET /v1/models HTTP/1.1", 400),
    _line("control in the path", "GET /v1/mod\x01els HTTP/1.1", 400),
    _line("DEL in the path", "GET /v1/models\x7f HTTP/1.1", 400),
    _line("NUL in the path", "GET /v1/models\x00 HTTP/1.1", 400),
    _line("raw bytes", "GET /v1/models\xff\xfe HTTP/1.1", 404),
    _line("overlong dots", "GET /v1/\xc0\xae\xc0\xae/metrics HTTP/1.1", 404),
    _line("long path", "GET /" + "a/" * 4500 + " HTTP/1.1", 414),
    _line("long query", "GET /v1/models?" + "a=b&" * 2500 + " HTTP/1.1", 414),
    _line("bad percent", "GET /v1/models%zz HTTP/1.1", 400),
    _line("half a percent", "GET /v1/models% HTTP/1.1", 400),
    _line("token in the query", f"GET /v1/models?key={TOKEN} HTTP/1.1", 400),
    _line("token in the path", f"GET /v1/models/{TOKEN} HTTP/1.1", 400),
    _line("PROXY protocol", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2", 400),
    _line("TLS in TLS", "\x16\x03\x01\x02\x00\x01\x00", 400),
    _line("HTTP/2 preface", "PRI * HTTP/2.0", 0, 400, 505),
    _line("nothing", "", 0, 400),
]
