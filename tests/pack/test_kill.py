"""kill -9 at random moments: the next run carries on, and the end is the same file."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from bundler.digest import Digest
from bundler.layout.member import Member
from bundler.pack.plan import Ingredient, Plan
from bundler.sources.interface import Url
from tests.counterparts.faulty import Fault, FaultyServer, Route
from tests.pack.plans import built_in, ingredients_in, plan_of

KILLS = 25
MIB = 1 << 20
SIZES = (9 * MIB + 3, 5 * MIB, 700_001, 12, 6 * MIB + 4095, 0, 3 * MIB)

_CHILD = """
import sys
from pathlib import Path
from bundler.pack import build as building, journal
building.CHUNK = journal.STEP = 1 << 16  # the members here are small
from bundler.pack.build import Options, build
from bundler.sources.kinds import Sources
from tests.pack.test_kill import plan_from
plan = plan_from(sys.argv[1])
sources = Sources({}, Path(), plain_http=[sys.argv[1].removeprefix("http://")])
volume_size = int(sys.argv[3]) or None
print("started", flush=True)
print(build(plan, sources, Options(Path(sys.argv[2]), volume_size=volume_size)).bytes_fetched)
"""


def body(number: int) -> bytes:
    return random.Random(number).randbytes(SIZES[number])


def plan_from(url: str) -> Plan:
    found = []
    for number in range(len(SIZES)):
        data = body(number)
        member = Member(f"models/m/{number}", len(data), Digest.of(data), "model")
        found.append(Ingredient(member, Url(f"{url}/{number}")))
    return plan_of(found)


def child(url: str, folder: Path, volume_size: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, url, str(folder), str(volume_size)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent.parent,
    )  # fmt: skip


def kill_until_done(url: str, folder: Path, volume_size: int, kills: int) -> tuple[int, int, int]:
    """Kill ``kills`` runs after a while of their own, then let one end.

    Returns: kills that hit work, bytes that the last run fetched, bytes that those before had kept.
    """
    hits, chance = 0, random.Random(7)
    for _ in range(kills):
        process = child(url, folder, volume_size)
        assert process.stdout
        assert process.stdout.readline() == "started\n"
        time.sleep(chance.uniform(0.0, 0.25))
        process.send_signal(signal.SIGKILL)
        hits += process.wait() == -signal.SIGKILL
        process.communicate()
        assert not list(folder.glob("*.tar"))
    kept = sum(noted(path) for path in folder.glob("*.state"))
    process = child(url, folder, volume_size)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return hits, int(out.splitlines()[-1]), kept


def noted(state: Path) -> int:
    """How many bytes a build's journal counts."""
    data = state.read_bytes()[128:]
    return sum(int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data) - 7, 8))


def serve(server: FaultyServer) -> None:
    """Bodies come in pieces with pauses, so that there is time to be killed in."""
    for number in range(len(SIZES)):
        server.routes[f"/{number}"] = Route(body(number), always=Fault(drip=(1 << 14, 0.01)))


def test_a_build_killed_again_and_again_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    undisturbed = built_in(tmp_path / "undisturbed", local_plan(tmp_path)).bundle.read_bytes()
    with FaultyServer() as server:
        serve(server)
        hits, fetched, kept = kill_until_done(server.url, tmp_path / "killed", 0, KILLS)
    assert (tmp_path / "killed" / "demo-1.0.tar").read_bytes() == undisturbed
    assert hits >= 20
    assert kept > 0
    assert fetched <= sum(SIZES) - kept  # what the killed runs had fetched was kept
    assert sorted(path.name for path in (tmp_path / "killed").iterdir()) == ["demo-1.0.tar"]


def test_volumes_are_the_same_too(tmp_path: Path) -> None:
    built_in(tmp_path / "undisturbed", local_plan(tmp_path), volume_size=4 * MIB)
    with FaultyServer() as server:
        serve(server)
        kill_until_done(server.url, tmp_path / "killed", 4 * MIB, 3)
    names = sorted(path.name for path in (tmp_path / "undisturbed").iterdir())
    assert sorted(path.name for path in (tmp_path / "killed").iterdir()) == names
    for name in names:
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()


def local_plan(folder: Path) -> Plan:
    """The same bundle from files on disk."""
    files = {f"m/{number}": body(number) for number in range(len(SIZES))}
    return plan_of(ingredients_in(folder / "sources", files)[1:])
