"""Reading an origin once for its digests: cut lines, servers without ranges, and an end to patience."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.errors import SourceError, TransientError
from bundler.sources.hashes import Hashes, hash_origin
from bundler.sources.interface import Url
from bundler.sources.kinds import Sources
from bundler.sources.retry import Backoff
from bundler.sources.transport import Transport
from tests.counterparts.faulty import Fault, FaultyServer, Route

BODY = random.Random(5).randbytes(2_500_000)
RIGHT = Hashes(Digest.of(BODY), hashlib.sha512(BODY).hexdigest(), BODY[:512])


class Counted:
    """A progress that must end where the whole was read once."""

    def __init__(self) -> None:
        self.done, self.total, self.open = 0, 0, 0

    def begin(self, title: str, total: int) -> None:
        self.total, self.open = total, self.open + 1

    def advance(self, count: int) -> None:
        self.done += count

    def say(self, text: str) -> None: ...
    def end(self) -> None:
        self.open -= 1


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as found:
        found.routes["/a"] = Route(BODY)
        yield found


def hashed(server: FaultyServer, size: int = len(BODY), progress: Counted | None = None) -> Hashes:
    sources = Sources({}, Path())
    sources.__dict__["transport"] = Transport(plain_http=[server.host], timeouts=(2.0, 0.5), attempts=1)
    backoff = Backoff(3, sleep=lambda seconds: None)
    return hash_origin(sources, Url(f"{server.url}/a"), size, "a", progress=progress or Counted(), backoff=backoff)


def route(server: FaultyServer) -> Route:
    found = server.routes["/a"]
    assert isinstance(found, Route)
    return found


@pytest.mark.parametrize(
    "faults",
    [
        [],
        [Fault(cut=1_000_000), Fault(cut=900_000), Fault(cut=10), Fault(cut=300_000)],
        [Fault(cut=1_000_000), Fault(ranges=False)],
        [Fault(status=503), Fault(cut=7), Fault(status=503)],
    ],
)
def test_both_digests_are_of_every_byte_once(server: FaultyServer, faults: list[Fault]) -> None:
    route(server).first = faults
    progress = Counted()
    assert hashed(server, progress=progress) == RIGHT
    assert (progress.done, progress.total, progress.open) == (len(BODY), len(BODY), 0)


def test_a_server_that_always_cuts_at_one_place_is_given_up(server: FaultyServer) -> None:
    route(server).always = Fault(ranges=False, cut=1_000_000)
    progress = Counted()
    with pytest.raises(TransientError, match="tried 3 times"):
        hashed(server, progress=progress)
    assert progress.open == 0


def test_what_is_shorter_by_now_is_given_up(server: FaultyServer) -> None:
    with pytest.raises(SourceError, match=r"the source ended at byte 2,500,000|another one by now"):
        hashed(server, len(BODY) + 1)


def test_nothing_has_digests_too(server: FaultyServer) -> None:
    server.routes["/a"] = Route(b"")
    assert hashed(server, 0) == Hashes(Digest.of(b""), hashlib.sha512(b"").hexdigest(), b"")
