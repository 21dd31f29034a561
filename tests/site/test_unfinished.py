"""sign, stopped at any point: the bundle is refused until it is called again, and then it is whole."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.errors import IntegrityError, MachineError
from bundler.layout.member import MANIFEST, SUMS
from bundler.site.inspect import inspect
from bundler.site.medium import find
from bundler.site.opening import read_sums
from bundler.site.sign import sign
from bundler.site.unfinished import Change, carry_out, read_note
from bundler.site.verify import verify
from tests.site.bundles import small_bundle, small_volumes
from tests.site.signing import ALICE, contents, keys, many_members, slots, state
from tests.trust.stage import key_called


def change_of(bundle: Path, scratch: Path) -> Change:
    """What signing ``bundle`` (or its volumes) writes."""
    scratch.mkdir()
    for path in bundle.parent.glob("demo-1.0.tar*"):
        shutil.copy(path, scratch)
    done = sign([scratch / bundle.name], ALICE)
    places = slots(bundle.parent)
    start, end = places[SUMS].end, places[MANIFEST].data
    listing = bundle.read_bytes()[places[SUMS].data : start]
    data = (scratch / bundle.name).read_bytes()[start:end]
    renewed = {p.name.removesuffix(".sha256"): Digest(p.read_text()[:64]) for p in done.written if "sha256" in p.name}
    return Change(Digest.of(listing), start, data, (bundle.name,), renewed)


@pytest.mark.parametrize("in_volumes", [False, True])
@pytest.mark.parametrize("part", [0.0, 0.001, 0.3, 0.5, 0.9, 1.0])
def test_a_stop_at_any_point_is_seen_and_mended(tmp_path: Path, part: float, in_volumes: bool) -> None:
    """As a power cut leaves it: the note is there, a part of the bytes is written, and a sums file or none."""
    folder = tmp_path / "here"
    bundle = small_volumes(folder)[0] if in_volumes else small_bundle(folder)
    change = change_of(bundle, tmp_path / "scratch")
    note = folder / "demo-1.0.tar.signing"
    note.write_bytes(change.encode())
    with bundle.open("r+b") as file:
        file.seek(change.offset)
        file.write(change.data[: int(part * len(change.data))])
    for attempt in (lambda: verify([bundle]), lambda: inspect([bundle]), lambda: verify([bundle], keys=keys("alice"))):
        with pytest.raises(IntegrityError, match="signing it was interrupted") as caught:
            attempt()
        assert "llm-bundle sign" in caught.value.hint
    done = sign([bundle], ALICE)
    assert done.by == ALICE.public.name
    assert not note.exists()
    assert contents(folder) == contents(tmp_path / "scratch")
    assert state(bundle, "alice") == ("valid", True)


def test_what_another_key_began_is_finished_and_then_refused(tmp_path: Path) -> None:
    bundle = small_bundle(tmp_path / "here")
    change = change_of(bundle, tmp_path / "scratch")
    (bundle.parent / "demo-1.0.tar.signing").write_bytes(change.encode())
    with pytest.raises(MachineError, match="is signed already"):
        sign([bundle], key_called("bob"))
    assert state(bundle, "alice") == ("valid", True)


@pytest.mark.parametrize(
    "note",
    [
        b"", b"{}", b"[" * 100_000, b"\xff", b'{"data": "*"}', bytes(2 << 20), b'{"data": "AA==", "format": "other"}',
    ],
)  # fmt: skip
def test_a_note_that_cannot_be_read(tmp_path: Path, note: bytes) -> None:
    bundle = small_bundle(tmp_path)
    before = bundle.read_bytes()
    (tmp_path / "demo-1.0.tar.signing").write_bytes(note)
    with pytest.raises((IntegrityError, MachineError), match=r"demo-1.0.tar.signing: "):
        sign([bundle], ALICE)
    assert bundle.read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        Change(Digest.of(b""), 0, b"x", ("demo-1.0.tar",), {}),
        Change(Digest.of(b""), 4096, b"x" * 70_000, ("demo-1.0.tar",), {}),
        Change(Digest.of(b""), 1 << 50, b"x", ("demo-1.0.tar",), {}),
        Change(Digest.of(b""), 4096, b"x", ("../demo-1.0.tar",), {}),
        Change(Digest.of(b""), 4096, b"x", ("demo-1.0.tar",), {"../x": Digest.of(b"")}),
    ],
)
def test_a_note_of_another_bundle_does_nothing(tmp_path: Path, change: Change) -> None:
    bundle = small_bundle(tmp_path)
    before = bundle.read_bytes()
    (tmp_path / "demo-1.0.tar.signing").write_bytes(change.encode())
    with pytest.raises(IntegrityError, match=r"is of another bundle, or damaged"):
        sign([bundle], ALICE)
    assert bundle.read_bytes() == before


def test_a_volume_that_is_missing_when_signing_goes_on(tmp_path: Path) -> None:
    volumes = many_members(tmp_path)
    with find([volumes[0]]) as medium:
        _, first, listing = read_sums(medium)
    end = first.data + first.size
    change = Change(Digest.of(listing), end, bytes(5000), (volumes[0].name, volumes[1].name), {})
    (tmp_path / "demo-1.0.tar.signing").write_bytes(change.encode())
    volumes[1].rename(tmp_path / "elsewhere")
    before = volumes[0].read_bytes()
    with pytest.raises(IntegrityError, match=r"demo-1.0.tar.002: the volume is missing"):
        sign([volumes[0]], ALICE)
    assert volumes[0].read_bytes() == before


def test_the_note_is_there_before_a_byte_is_written(tmp_path: Path) -> None:
    """The bundle goes away at the moment at which it would be written."""
    bundle = small_bundle(tmp_path / "here")
    change = change_of(bundle, tmp_path / "scratch")
    with find([bundle]) as medium:
        bundle.rename(tmp_path / "kept.tar")
        with pytest.raises(MachineError, match=r"demo-1.0.tar: cannot write"):
            carry_out(medium, change)
        assert read_note(medium) == change
    (tmp_path / "kept.tar").rename(bundle)
    sign([bundle], ALICE)
    assert state(bundle, "alice") == ("valid", True)
