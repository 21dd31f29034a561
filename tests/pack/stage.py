"""What the tests of builds share: a member that comes from a server, and one that comes from a file."""

from __future__ import annotations

import random
from pathlib import Path

from bundler.digest import Digest
from bundler.layout.member import Member
from bundler.pack.build import Built, Options, build
from bundler.pack.plan import Ingredient, Plan
from bundler.sources.interface import Url
from bundler.sources.kinds import Sources
from bundler.sources.transport import Transport
from tests.counterparts.faulty import FaultyServer
from tests.pack.plans import Anywhere, ingredients_in, plan_of

MIB = 1 << 20
BODY = random.Random(1).randbytes(3 * MIB + 17)


class Heard:
    """A progress that remembers what was said and where the count stands."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.done = 0

    def begin(self, title: str, total: int) -> None: ...
    def advance(self, count: int) -> None:
        self.done += count

    def say(self, text: str) -> None:
        self.said.append(text)

    def end(self) -> None: ...


def served(server: FaultyServer, body: bytes = BODY, *, digest: Digest | None = None) -> Plan:
    """A plan whose one large member comes from ``server``'s /w."""
    member = Member("models/m/w", len(body), digest or Digest.of(body), "model")
    return plan_of([Ingredient(member, Url(f"{server.url}/w"))])


def fetch(
    server: FaultyServer,
    folder: Path,
    plan: Plan,
    heard: Heard | None = None,
    *,
    attempts: int = 4,
    volume_size: int | None = None,
) -> Built:
    """Build with short waits and time-outs."""
    sources = Sources({}, Path())
    host = server.url.removeprefix("http://")
    sources.__dict__["transport"] = Transport(plain_http=[host], timeouts=(2.0, 0.5))
    options = Options(folder, volume_size=volume_size, attempts=attempts, sleep=lambda seconds: None)
    return build(plan, sources, options, heard or Heard())


def one_member(folder: Path, size: int = MIB) -> Plan:
    return plan_of(ingredients_in(folder, {"m/w": bytes(size)}))


def build_in(plan: Plan, folder: Path, volume_size: int | None = None, *, force: bool = False) -> Built:
    return build(plan, Anywhere(), Options(folder, volume_size=volume_size, force=force))
