"""Files at addresses: their sizes, and opening them."""

from __future__ import annotations

import pytest

from bundler.errors import SourceError, TransientError
from bundler.sources.http import Http, look
from bundler.sources.interface import HubFile, Url
from bundler.sources.transport import Transport
from tests.counterparts.faulty import Fault, FaultyServer, Route
from tests.sources.reading import read_all

BODY = b"0123456789" * 1000


def transport(server: FaultyServer) -> Transport:
    return Transport(plain_http=[server.host], timeouts=(2.0, 2.0), attempts=2, sleep=lambda seconds: None)


def test_looks_by_head(server: FaultyServer) -> None:
    server.routes["/a"] = Route(BODY)
    assert look(f"{server.url}/a", transport(server)) == 10_000
    assert [seen.method for seen in server.requests] == ["HEAD"]


@pytest.mark.parametrize(
    ("fault", "size"),
    [
        (Fault(), 10_000),
        (Fault(ranges=False), 10_000),
        (Fault(ranges=False, chunked=True), None),
        (Fault(content_range="bytes 0-0/*"), None),
    ],
)
def test_looks_by_a_range_where_head_is_refused(server: FaultyServer, fault: Fault, size: int | None) -> None:
    server.fallback = lambda seen: Route(b"", 403) if seen.method == "HEAD" else Route(BODY, always=fault)
    assert look(f"{server.url}/a", transport(server)) == size
    assert server.requests[1].headers["Range"] == "bytes=0-0"


def test_an_empty_file_has_size_0(server: FaultyServer) -> None:
    server.fallback = lambda seen: Route(b"", 405 if seen.method == "HEAD" else 200)
    assert look(f"{server.url}/a", transport(server)) == 0


@pytest.mark.parametrize(("status", "hint"), [(401, "login"), (403, "login"), (404, "browser"), (410, "browser")])
def test_a_refusal_says_what_to_do(server: FaultyServer, status: int, hint: str) -> None:
    server.routes["/a"] = Route(b"", status)
    for attempt in (
        lambda: look(f"{server.url}/a", transport(server)),
        lambda: Http(transport(server)).open(Url(f"{server.url}/a"), 0),
    ):
        with pytest.raises(SourceError, match=str(status)) as caught:
            attempt()
        assert hint in caught.value.hint
        assert not isinstance(caught.value, TransientError)


def test_opens_at_an_offset(server: FaultyServer) -> None:
    server.routes["/a"] = Route(BODY)
    reader = Http(transport(server)).open(Url(f"{server.url}/a"), 9_990)
    assert (reader.offset, read_all(reader)) == (9_990, b"0123456789")


def test_opening_is_one_attempt(server: FaultyServer) -> None:
    server.routes["/a"] = Route(BODY, first=[Fault(status=503)])
    with pytest.raises(TransientError, match="503"):
        Http(transport(server)).open(Url(f"{server.url}/a"), 0)
    assert len(server.requests) == 1


def test_another_kind_of_origin_is_our_own_fault(server: FaultyServer) -> None:
    with pytest.raises(TypeError):
        Http(transport(server)).open(HubFile("a/b", "0" * 40, "c"), 0)
