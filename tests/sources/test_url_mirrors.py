"""Mirrors before an address: tried first, below their prefix, failures said."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.errors import SourceError, TransientError
from bundler.sources.http import Http
from bundler.sources.interface import Url
from bundler.sources.kinds import Sources
from bundler.sources.transport import Transport
from bundler.sources.url_mirrors import UrlMirrors
from bundler.spec.model import RegistryAccess
from tests.counterparts.faulty import Fault, FaultyServer, Route
from tests.sources.reading import Heard, read_all

BODY = b"0123456789" * 1000


def http(heard: Heard, host: str, *mirrors: str) -> Http:
    """A source for addresses on ``host``, with its mirrors (host[:port][/prefix]) before it."""
    plain = {name.partition("/")[0]: RegistryAccess(plain_http=True) for name in (host, *mirrors)}
    access = {**plain, host: RegistryAccess(plain_http=True, mirrors=mirrors)}
    transport = Transport(plain_http=list(plain), timeouts=(2.0, 2.0), attempts=1, sleep=lambda seconds: None)
    return Http(transport, UrlMirrors(access, heard))


def test_a_mirror_is_asked_first_below_its_prefix(server: FaultyServer) -> None:
    heard = Heard()
    server.routes["/copies/of/a/file.bin"] = Route(BODY)
    with FaultyServer() as own:
        source = http(heard, own.host, f"{server.host}/copies/of")
        url = f"{own.url}/a/file.bin?version=2"
        assert source.look(url) == 10_000
        assert read_all(source.open(Url(url), 9_990)) == BODY[9_990:]
        assert own.requests == []
    assert {(seen.path, seen.query) for seen in server.requests} == {("/copies/of/a/file.bin", "version=2")}
    assert heard.said == []


@pytest.mark.parametrize("status", [404, 403, 500])
def test_a_mirror_that_fails_gives_way_and_is_said_once(server: FaultyServer, status: int) -> None:
    heard = Heard()
    server.fallback = lambda seen: Route(b"", status)
    with FaultyServer() as own:
        own.routes["/a"] = Route(BODY)
        source = http(heard, own.host, server.host)
        assert source.look(f"{own.url}/a") == 10_000
        asked = len(server.requests)
        assert read_all(source.open(Url(f"{own.url}/a"), 0)) == BODY
    assert len(server.requests) == asked
    (said,) = heard.said
    assert said.startswith(f"mirror {server.host} passed over: ")


def test_mirrors_are_tried_in_their_order(server: FaultyServer) -> None:
    with FaultyServer() as own, FaultyServer() as second:
        for one, body in ((server, b"first"), (second, b"second"), (own, b"own")):
            one.routes["/a"] = Route(body)
        assert read_all(http(Heard(), own.host, server.host, second.host).open(Url(f"{own.url}/a"), 0)) == b"first"


def test_the_own_error_is_the_last_word(server: FaultyServer) -> None:
    with FaultyServer() as own, pytest.raises(SourceError, match=f"{own.url}/a"):
        http(Heard(), own.host, server.host).look(f"{own.url}/a")


def test_a_mirror_is_tried_again_when_the_address_is_not_reachable(server: FaultyServer) -> None:
    with FaultyServer() as gone:
        pass
    source = http(Heard(), gone.host, server.host)
    server.fallback = lambda seen: Route(b"", 503)
    for _ in range(2):
        with pytest.raises(TransientError, match="Connection refused"):
            source.open(Url(f"{gone.url}/a"), 0)
    server.fallback = lambda seen: Route(BODY)
    assert read_all(source.open(Url(f"{gone.url}/a"), 0)) == BODY


def test_a_mirror_by_https_unless_it_is_said_to_speak_http(server: FaultyServer) -> None:
    asked: list[str] = []

    def refuse(url: str) -> int:
        asked.append(url)
        raise SourceError("no")

    access = {"files.example:8443": RegistryAccess(mirrors=("one.example:5000/x/", "two.example"))}
    access["two.example"] = RegistryAccess(plain_http=True)
    with pytest.raises(SourceError):
        UrlMirrors(access).first_good("https://files.example:8443/a%20b", refuse)
    assert asked == [
        "https://one.example:5000/x/a%20b", "http://two.example/a%20b", "https://files.example:8443/a%20b",
    ]  # fmt: skip


def test_all_sources_of_a_run_know_them(server: FaultyServer, tmp_path: Path) -> None:
    server.routes["/a"] = Route(BODY)
    access = {"files.example": RegistryAccess(mirrors=(server.host,)), server.host: RegistryAccess(plain_http=True)}
    sources = Sources(access, tmp_path)
    assert sources.http.look("https://files.example/a") == 10_000
    assert read_all(sources.open(Url("https://files.example/a"), 0)) == BODY


def test_a_size_that_nobody_says(server: FaultyServer) -> None:
    server.fallback = lambda seen: (
        Route(b"", 403) if seen.method == "HEAD" else Route(BODY, always=Fault(ranges=False, chunked=True))
    )
    with pytest.raises(SourceError, match=r"/a: the server does not say how large the file is$") as caught:
        http(Heard(), server.host).look(f"{server.url}/a?sig=topsecret")
    assert "folder: PATH" in caught.value.hint
    assert "topsecret" not in caught.value.message
