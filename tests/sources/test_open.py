"""Opening a body at an offset: ranges, lengths, cuts, stalls. Against a real server."""

from __future__ import annotations

import os
import time

import pytest

from bundler.errors import SourceError, TransientError
from bundler.sources.transport import StatusError, Transport
from tests.counterparts.faulty import Fault, FaultyServer, Route
from tests.sources.reading import read_all

BODY = os.urandom(300_000)


def transport(server: FaultyServer, stall: float = 2.0) -> Transport:
    return Transport(plain_http=[server.host], timeouts=(2.0, stall))


@pytest.mark.parametrize("step", [1000, 65536, 1 << 20])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [None, len(BODY)])
def test_reads_the_whole(server: FaultyServer, step: int, chunked: bool, size: int | None) -> None:
    server.routes["/a"] = Route(BODY, always=Fault(chunked=chunked))
    reader = transport(server).open(f"{server.url}/a", size=size)
    assert reader.offset == 0
    assert read_all(reader, step) == BODY
    reader.close()


@pytest.mark.parametrize("chunked", [False, True])
def test_reads_from_an_offset(server: FaultyServer, chunked: bool) -> None:
    server.routes["/a"] = Route(BODY, always=Fault(chunked=chunked))
    reader = transport(server).open(f"{server.url}/a", offset=1234, size=len(BODY))
    assert reader.offset == 1234
    assert read_all(reader) == BODY[1234:]
    assert server.requests[0].headers["Range"] == "bytes=1234-"


def test_a_server_without_ranges_starts_at_0(server: FaultyServer) -> None:
    server.routes["/a"] = Route(BODY, always=Fault(ranges=False))
    reader = transport(server).open(f"{server.url}/a", offset=1234, size=len(BODY))
    assert reader.offset == 0
    assert read_all(reader) == BODY


@pytest.mark.parametrize(
    "written",
    ["bytes 1000-299999/300000", "bytes 1234-299999/300001", "bytes */300000", "", "x"],
)
def test_refuses_a_wrong_content_range(server: FaultyServer, written: str) -> None:
    server.routes["/a"] = Route(BODY, always=Fault(headers={"Content-Range": written}))
    with pytest.raises(SourceError, match=r"another range|bytes in all") as caught:
        transport(server).open(f"{server.url}/a", offset=1234, size=len(BODY))
    assert type(caught.value) is SourceError


@pytest.mark.parametrize("size", [len(BODY), None])
def test_refuses_a_range_that_ends_too_soon(server: FaultyServer, size: int | None) -> None:
    server.routes["/a"] = Route(BODY, always=Fault(headers={"Content-Range": "bytes 1234-2000/300000"}))
    with pytest.raises(
        SourceError, match="asked for all bytes from 1234 on, the server sent them up to 2000 of 300000"
    ):
        transport(server).open(f"{server.url}/a", offset=1234, size=size)


def test_refuses_a_part_that_nobody_asked_for(server: FaultyServer) -> None:
    server.routes["/a"] = Route(BODY, 206, {"Content-Range": "bytes 0-299999/300000"})
    with pytest.raises(SourceError, match="another range"):
        transport(server).open(f"{server.url}/a", size=len(BODY))


@pytest.mark.parametrize("offset", [0, 1234])
def test_refuses_a_length_that_contradicts_the_size(server: FaultyServer, offset: int) -> None:
    server.routes["/a"] = Route(BODY[:-1])
    with pytest.raises(SourceError, match=r"expected 300000 bytes|in all"):
        transport(server).open(f"{server.url}/a", offset=offset, size=len(BODY))


def test_refuses_more_than_the_size_where_no_length_is_said(server: FaultyServer) -> None:
    server.routes["/a"] = Route(BODY, always=Fault(chunked=True, extra=b"!"))
    with pytest.raises(SourceError, match="more bytes than the file") as caught:
        read_all(transport(server).open(f"{server.url}/a", size=len(BODY)))
    assert type(caught.value) is SourceError


def test_bytes_after_the_announced_length_are_not_read(server: FaultyServer) -> None:
    server.routes["/a"] = Route(BODY, always=Fault(extra=b"!" * 5000, length=len(BODY)))
    assert read_all(transport(server).open(f"{server.url}/a", size=len(BODY))) == BODY


def test_an_offset_past_the_end_is_final(server: FaultyServer) -> None:
    server.routes["/a"] = Route(BODY)
    with pytest.raises(StatusError, match="416"):
        transport(server).open(f"{server.url}/a", offset=len(BODY) + 1)


def test_no_file_is_final(server: FaultyServer) -> None:
    server.routes["/a"] = Route(b"", 202)
    with pytest.raises(SourceError, match="expected a file, the server answered 202"):
        transport(server).open(f"{server.url}/a")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [None, len(BODY)])
@pytest.mark.parametrize("cut", [0, 1, 100_000])
def test_a_cut_line_hands_out_what_came(server: FaultyServer, cut: int, size: int | None, chunked: bool) -> None:
    server.routes["/a"] = Route(BODY, always=Fault(cut=cut, chunked=chunked))
    reader = transport(server).open(f"{server.url}/a", size=size)
    buffer, got = memoryview(bytearray(1 << 20)), b""
    with pytest.raises(TransientError):
        while True:
            count = reader.readinto(buffer)
            assert count, "a cut must not look like the end"
            got += bytes(buffer[:count])
    assert got == BODY[:cut]
    reader.close()


def test_a_stall_hands_out_what_came_and_ends_in_time(server: FaultyServer) -> None:
    server.routes["/a"] = Route(BODY, always=Fault(stall=(100_000, 60)))
    reader = transport(server, stall=0.5).open(f"{server.url}/a", size=len(BODY))
    buffer, begun = memoryview(bytearray(1 << 20)), time.monotonic()
    assert reader.readinto(buffer) == 100_000
    with pytest.raises(TransientError, match="within the time allowed"):
        reader.readinto(buffer)
    assert time.monotonic() - begun < 5
    reader.close()


def test_a_drip_is_a_stall(server: FaultyServer) -> None:
    server.routes["/a"] = Route(BODY, always=Fault(drip=(10, 0.1)))
    reader = transport(server, stall=0.5).open(f"{server.url}/a", size=len(BODY))
    with pytest.raises(TransientError, match=r"the connection stalled, only [0-9]+ bytes"):
        read_all(reader)


def test_a_slow_line_is_none(server: FaultyServer) -> None:
    server.routes["/a"] = Route(BODY[:40_000], always=Fault(drip=(4000, 0.1)))
    reader = transport(server, stall=0.5).open(f"{server.url}/a", size=40_000)
    assert read_all(reader) == BODY[:40_000]


def test_reads_until_the_end_of_the_line_where_no_length_is_said(server: FaultyServer) -> None:
    """HTTP/1.0: neither Content-Length nor chunks."""
    server.routes["/a"] = Route(BODY, always=Fault(headers={"Content-Length": "unknown"}, length=0))
    assert read_all(transport(server).open(f"{server.url}/a")) == BODY
    assert read_all(transport(server).open(f"{server.url}/a", size=len(BODY))) == BODY
    with pytest.raises(TransientError, match="1 bytes were missing"):
        read_all(transport(server).open(f"{server.url}/a", size=len(BODY) + 1))
    with pytest.raises(SourceError, match="more bytes than the file"):
        read_all(transport(server).open(f"{server.url}/a", size=len(BODY) - 1))


def test_connections_are_used_again(server: FaultyServer) -> None:
    ports: list[object] = []
    server.routes["/a"] = Route(BODY)
    shared = transport(server)
    for _ in range(3):
        read_all(shared.open(f"{server.url}/a", size=len(BODY)))
        ports.append(server.connections)
    assert ports == [1, 1, 1]


def test_an_empty_file(server: FaultyServer) -> None:
    server.routes["/a"] = Route(b"")
    assert read_all(transport(server).open(f"{server.url}/a", size=0)) == b""


def test_nonsense_for_chunks_is_transient(server: FaultyServer) -> None:
    server.routes["/a"] = Route(b"not a chunk\r\n", always=Fault(headers={"Transfer-Encoding": "chunked"}))
    with pytest.raises(TransientError):
        read_all(transport(server).open(f"{server.url}/a", size=10))
