"""build: from sources that misbehave."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.errors import IntegrityError, MachineError, SourceError, TransientError
from bundler.layout.member import Member
from bundler.pack.plan import Ingredient, Plan
from bundler.site.verify import verify
from bundler.sources.interface import Url
from bundler.sources.kinds import Sources
from bundler.spec.model import RegistryAccess
from tests.counterparts.faulty import Fault, FaultyServer, Route
from tests.pack.plans import plan_of
from tests.pack.stage import BODY, MIB, Heard, build_in, fetch, served


@pytest.mark.parametrize(
    ("faults", "factor"),
    [
        ([], 1.0),
        ([Fault(cut=MIB)], 1.0),
        ([Fault(cut=MIB), Fault(cut=MIB), Fault(cut=100)], 1.0),
        ([Fault(status=503), Fault(status=429, headers={"Retry-After": "1"})], 1.0),
        ([Fault(stall=(MIB, 5.0))], 1.0),
        ([Fault(chunked=True)], 1.0),
        ([Fault(silent=True)], 1.0),
        ([Fault(cut=MIB), Fault(ranges=False)], 2.0),
    ],
)
def test_what_may_pass_is_tried_again_from_where_it_stopped(tmp_path: Path, faults: list[Fault], factor: float) -> None:
    with FaultyServer() as server:
        server.routes["/w"] = Route(BODY, first=list(faults))
        heard = Heard()
        built = fetch(server, tmp_path, served(server), heard)
    assert verify([built.bundle]).ok
    assert len(BODY) <= built.bytes_fetched <= len(BODY) * factor
    assert heard.done == len(BODY)


@pytest.mark.parametrize(
    ("always", "error", "words"),
    [
        (Fault(cut=1000, ranges=False), TransientError, "tried 4 times"),
        (Fault(cut=0), TransientError, "tried 4 times"),
        (Fault(status=503), TransientError, "503"),
        (Fault(status=404), SourceError, "404"),
        (Fault(status=403), SourceError, "403"),
        (Fault(flip=12345), IntegrityError, "models/m/w: expected sha256:"),
    ],
)
def test_what_will_not_pass_ends_the_build_and_leaves_no_final_name(
    tmp_path: Path, always: Fault, error: type[Exception], words: str
) -> None:
    with FaultyServer() as server:
        server.routes["/w"] = Route(BODY, always=always)
        with pytest.raises(error, match=words):
            fetch(server, tmp_path, served(server))
        asked = len(server.requests)
        assert not (tmp_path / "demo-1.0.tar").exists()
        # Once the server has mended its ways, the same command ends well.
        server.routes["/w"] = Route(BODY)
        assert verify([fetch(server, tmp_path, served(server)).bundle]).ok
        assert asked <= 4


def test_a_wrong_content_range_is_an_error(tmp_path: Path) -> None:
    with FaultyServer() as server:
        server.routes["/w"] = Route(BODY, first=[Fault(cut=MIB)], always=Fault(content_range="bytes 0-9/10"))
        with pytest.raises(SourceError, match="the server sent another range"):
            fetch(server, tmp_path, served(server))


def test_the_rest_is_kept_when_one_member_fails(tmp_path: Path) -> None:
    """What was fetched before is not fetched again."""
    other = Member("models/a", len(BODY), Digest.of(BODY), "model")
    with FaultyServer() as server:
        plan = plan_of(
            [Ingredient(other, Url(f"{server.url}/a")), *zip_of(served(server))],
        )
        server.routes["/a"] = Route(BODY)
        server.routes["/w"] = Route(BODY, always=Fault(cut=2 * MIB, ranges=False))
        with pytest.raises(TransientError):
            fetch(server, tmp_path, plan)
        server.routes["/w"] = Route(BODY)
        built = fetch(server, tmp_path, plan)
    assert verify([built.bundle]).ok
    assert built.bytes_fetched < 2 * len(BODY)
    assert sum(seen.path == "/a" for seen in server.requests) == 1


def zip_of(plan: Plan) -> list[Ingredient]:
    """The ingredients of a plan that are fetched."""
    return [Ingredient(slot.member, origin) for _, slot, origin in plan.fetched]


def test_what_an_earlier_run_left_is_not_trusted(tmp_path: Path) -> None:
    """A bit flipped on disk between two runs is found, and the member is fetched anew."""
    with FaultyServer() as server:
        server.routes["/w"] = Route(BODY, always=Fault(cut=2 * MIB, ranges=False))
        plan = served(server)
        with pytest.raises(TransientError):
            fetch(server, tmp_path, plan)
        journal = tmp_path / "demo-1.0.tar.partial.state"
        counts = bytearray(journal.read_bytes())
        counts[-8:] = (2 * MIB).to_bytes(8, "little")
        journal.write_bytes(counts)
        partial = tmp_path / "demo-1.0.tar.partial"
        data = bytearray(partial.read_bytes())
        data[plan.arrangement.slots[-1].data + 5] ^= 1
        partial.write_bytes(data)
        server.routes["/w"] = Route(BODY)
        heard = Heard()
        built = fetch(server, tmp_path, plan, heard)
    assert verify([built.bundle]).ok
    assert any("damaged; fetching it again" in text for text in heard.said)


def test_the_unfinished_build_of_another_lock_is_not_continued(tmp_path: Path) -> None:
    with FaultyServer() as server:
        server.routes["/w"] = Route(BODY, always=Fault(cut=2 * MIB, ranges=False))
        with pytest.raises(TransientError):
            fetch(server, tmp_path, served(server))
        other = bytes(len(BODY) // 2)
        server.routes["/w"] = Route(other)
        built = fetch(server, tmp_path, served(server, other))
    assert verify([built.bundle]).ok
    assert built.bytes_fetched == len(other)


def test_two_builds_at_once(tmp_path: Path) -> None:
    """The second is refused while the first one writes."""
    with FaultyServer() as server:
        plan = served(server)

        def second(seen: object) -> Route:
            with pytest.raises(MachineError, match="another build is writing"):
                build_in(plan, tmp_path)
            return Route(BODY)

        server.routes["/w"] = second
        assert verify([fetch(server, tmp_path, plan).bundle]).ok


def test_access_is_by_name_only() -> None:
    """Plain http is refused unless the host was named."""
    with FaultyServer() as server:
        server.routes["/w"] = Route(BODY)
        with pytest.raises(SourceError, match="http"):
            Sources({"other.example": RegistryAccess(plain_http=True)}, Path()).open(Url(f"{server.url}/w"), 0)
