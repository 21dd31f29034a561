"""build: the same bytes every time, from sources that misbehave, onto disks that refuse."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundler import disk
from bundler.digest import Digest
from bundler.errors import IntegrityError, MachineError, SourceError, TransientError, UsageError
from bundler.layout.member import Member
from bundler.pack.build import Built, Options, build
from bundler.pack.plan import Ingredient, Plan
from bundler.site.verify import verify
from bundler.sources.interface import Url
from bundler.sources.kinds import Sources
from bundler.sources.transport import Transport
from bundler.spec.model import RegistryAccess
from tests.counterparts.faulty import Fault, FaultyServer, Route
from tests.counterparts.mounts import mounted
from tests.layout.strategies import ingredients
from tests.pack.plans import Anywhere, built_in, ingredients_in, plan_of

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


@given(parts=ingredients(), shuffle=st.randoms(use_true_random=False), jobs=st.integers(1, 6))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_bundle_depends_on_content_only(
    tmp_path: Path, parts: tuple[Ingredient, ...], shuffle: random.Random, jobs: int
) -> None:
    first = built_in(tmp_path / "a", plan_of(parts)).bundle.read_bytes()
    shuffled = list(parts)
    shuffle.shuffle(shuffled)
    second = built_in(tmp_path / "b", plan_of(shuffled), jobs=jobs).bundle.read_bytes()
    assert first == second
    assert len(first) == plan_of(parts).arrangement.size


_CHILD = """
import os, sys
from pathlib import Path
os.umask(int(sys.argv[3]))
from tests.pack.plans import built_in, ingredients_in, plan_of
files = {f"m/{n}": bytes([n]) * (n * 10_007) for n in range(40)}
print(built_in(Path(sys.argv[1]), plan_of(ingredients_in(Path(sys.argv[2]), files)), jobs=int(sys.argv[4])).bundle)
"""


def test_another_umask_zone_hash_seed_folder_and_number_of_jobs(tmp_path: Path) -> None:
    found = set()
    settings_of_machines = [(0o022, "UTC", "0", 1), (0o077, "Asia/Tokyo", "1", 3), (0, "America/Lima", "77", 8)]
    for number, (umask, zone, seed, jobs) in enumerate(settings_of_machines):
        arguments = [str(tmp_path / f"out{number}"), str(tmp_path / f"src{number}"), str(umask), str(jobs)]
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, *arguments],
            env={**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": "C"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        found.add(Path(done.stdout.strip()).read_bytes())
    assert len(found) == 1


def served(server: FaultyServer, body: bytes = BODY, *, digest: Digest | None = None) -> Plan:
    """A plan whose one large member comes from ``server``'s /w."""
    member = Member("models/m/w", len(body), digest or Digest.of(body), "model")
    return plan_of([Ingredient(member, Url(f"{server.url}/w"))])


def fetch(server: FaultyServer, folder: Path, plan: Plan, heard: Heard | None = None, *, attempts: int = 4) -> Built:
    """Build with short waits and time-outs."""
    sources = Sources({}, Path())
    host = server.url.removeprefix("http://")
    sources.__dict__["transport"] = Transport(plain_http=[host], timeouts=(2.0, 0.5))
    options = Options(folder, attempts=attempts, sleep=lambda seconds: None)
    return build(plan, sources, options, heard or Heard())


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


def one_member(folder: Path, size: int = MIB) -> Plan:
    return plan_of(ingredients_in(folder, {"m/w": bytes(size)}))


def _build(plan: Plan, folder: Path, volume_size: int | None = None, *, force: bool = False) -> Built:
    return build(plan, Anywhere(), Options(folder, volume_size=volume_size, force=force))


def test_no_space_is_seen_before_the_first_byte(tmp_path: Path) -> None:
    with mounted("tmpfs", tmp_path / "small", size=MIB) as small:
        with pytest.raises(MachineError) as caught:
            _build(one_member(tmp_path / "s", 3 * MIB), small)
        assert "are needed" in caught.value.message
        assert not list(small.glob("*.tar"))


def test_a_disk_that_fills_up_meanwhile_loses_nothing(tmp_path: Path) -> None:
    with FaultyServer() as server, mounted("tmpfs", tmp_path / "small", size=5 * MIB) as small:
        plan = served(server)

        def fill(seen: object) -> Route:
            (small / "other").write_bytes(bytes(3 * MIB))
            return Route(BODY)

        server.routes["/w"] = fill
        with pytest.raises(MachineError, match="No space left on device") as caught:
            fetch(server, small, plan)
        assert "goes on where it stopped" in caught.value.hint
        (small / "other").unlink()
        server.routes["/w"] = Route(BODY)
        assert verify([fetch(server, small, plan).bundle]).ok


def test_fat32_wants_volumes(tmp_path: Path) -> None:
    member = Member("models/m/w", 5 << 30, Digest("0" * 64), "model")
    plan = plan_of([Ingredient(member, Url("https://nowhere.invalid/w"))])
    with mounted("vfat", tmp_path / "stick", size=64 << 20) as stick:
        with pytest.raises(MachineError, match="FAT32 file system cannot hold a file of") as caught:
            _build(plan, stick)
        assert "--volume-size" in caught.value.hint
        assert verify([_build(one_member(tmp_path / "s"), stick, MIB).volumes[0]]).ok


def test_fat32_is_known_by_what_the_kernel_says_of_the_mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For kernels that cannot mount it: the line of a real mount, with FAT's name in it."""
    lines = Path("/proc/self/mountinfo").read_text()
    kind = disk.file_system(tmp_path)
    assert kind
    written = tmp_path / "mountinfo"
    written.write_text(lines.replace(f" - {kind} ", " - vfat "))
    monkeypatch.setattr(disk, "_MOUNTS", written)
    assert disk.file_system(tmp_path) == "vfat"
    member = Member("models/m/w", 5 << 30, Digest("0" * 64), "model")
    plan = plan_of([Ingredient(member, Url("https://nowhere.invalid/w"))])
    with pytest.raises(MachineError, match="its limit is 4 GiB") as caught:
        _build(plan, tmp_path)
    assert "--volume-size 4000MB" in caught.value.hint


def test_a_file_system_that_takes_no_file_so_large(tmp_path: Path) -> None:
    """The kernel's EFBIG, by the limit of the process."""
    plan = one_member(tmp_path / "s", 3 * MIB)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MIB, old[1]))
    try:
        with pytest.raises(MachineError, match="File too large") as caught:
            _build(plan, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert "--volume-size" in caught.value.hint
    assert verify([_build(plan, tmp_path).bundle]).ok


def test_a_read_only_target(tmp_path: Path) -> None:
    with mounted("tmpfs", tmp_path / "ro", size=8 * MIB) as place:
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        with pytest.raises(MachineError, match="Read-only file system"):
            _build(one_member(tmp_path / "s"), place)


def test_no_permission(tmp_path: Path) -> None:
    place = tmp_path / "closed"
    place.mkdir(mode=0o555)
    plan = one_member(tmp_path / "s")
    if os.geteuid() != 0:
        with pytest.raises(MachineError, match="Permission denied"):
            _build(plan, place)
        return
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if parent.stat().st_mode & 0o005 != 0o005:
            parent.chmod(parent.stat().st_mode | 0o055)
    os.seteuid(65534)
    try:
        with pytest.raises(MachineError, match="Permission denied"):
            _build(plan, place)
    finally:
        os.seteuid(0)


def _folder(path: Path) -> None:
    path.mkdir()


def _file(path: Path) -> None:
    path.write_text("mine")


def _link(path: Path) -> None:
    path.symlink_to("/nowhere/else")


@pytest.mark.parametrize(
    ("make", "words"), [(_folder, "is a folder"), (_file, "is there already"), (_link, "is there already")]
)
def test_a_name_that_is_taken(tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    make(tmp_path / "demo-1.0.tar")
    with pytest.raises(MachineError, match=words):
        _build(one_member(tmp_path / "s"), tmp_path)


def test_force_replaces_a_file(tmp_path: Path) -> None:
    _file(tmp_path / "demo-1.0.tar")
    assert verify([_build(one_member(tmp_path / "s"), tmp_path, force=True).bundle]).ok


def test_a_partial_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("precious")
    (tmp_path / "demo-1.0.tar.partial").symlink_to(mine)
    with pytest.raises(MachineError):
        _build(one_member(tmp_path / "s"), tmp_path)
    assert mine.read_text() == "precious"


@pytest.mark.parametrize(("volume_size", "words"), [(1000, "at least 1MiB")])
def test_volumes_too_small(tmp_path: Path, volume_size: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        _build(one_member(tmp_path / "s"), tmp_path, volume_size)


def test_too_many_volumes(tmp_path: Path) -> None:
    member = Member("models/m/w", 2000 * MIB, Digest("0" * 64), "model")
    plan = plan_of([Ingredient(member, Url("https://nowhere.invalid/w"))])
    with pytest.raises(UsageError, match="999 are the most"):
        _build(plan, tmp_path, MIB)


def test_two_builds_at_once(tmp_path: Path) -> None:
    """The second is refused while the first one writes."""
    with FaultyServer() as server:
        plan = served(server)

        def second(seen: object) -> Route:
            with pytest.raises(MachineError, match="another build is writing"):
                _build(plan, tmp_path)
            return Route(BODY)

        server.routes["/w"] = second
        assert verify([fetch(server, tmp_path, plan).bundle]).ok


def test_access_is_by_name_only() -> None:
    """Plain http is refused unless the host was named."""
    with FaultyServer() as server:
        server.routes["/w"] = Route(BODY)
        with pytest.raises(SourceError, match="http"):
            Sources({"other.example": RegistryAccess(plain_http=True)}, Path()).open(Url(f"{server.url}/w"), 0)
