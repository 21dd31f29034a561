"""The tar format: aligned, complete, and read alike by GNU tar, bsdtar and Python."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.digest import Digest
from bundler.layout import tar
from bundler.layout.arrangement import Arrangement, arrange
from bundler.layout.member import MANIFEST, SIGNATURE, SIGNATURE_BYTES, SUMS, Member
from tests.counterparts.need import need
from tests.layout.strategies import members, names

EMPTY = Digest.of(b"")
LONG = "x" * 120


def write(arrangement: Arrangement, path: Path) -> None:
    """A sparse file: headers where they belong, zeros as data."""
    with path.open("wb") as file:
        for offset, frame in arrangement.frame():
            file.seek(offset)
            file.write(frame)


@given(members(), names, st.integers(0, 4_000_000_000))
def test_data_is_aligned_and_headers_fill_the_gaps(found: tuple[Member, ...], top: str, mtime: int) -> None:
    arrangement = arrange(top, found, mtime)
    position = 0
    for slot in arrangement.slots:
        assert slot.data % tar.ALIGNMENT == 0
        assert slot.start == position
        assert len(arrangement.header(slot)) == slot.data - slot.start
        position = slot.end + tar.padding(slot.member.size)
    assert arrangement.size == position + 1024
    assert [offset for offset, _ in arrangement.frame()] == [0, *(slot.end for slot in arrangement.slots)]


@given(members(), names)
def test_python_reads_every_header(found: tuple[Member, ...], top: str) -> None:
    """Also those beyond 8 GiB, whose size does not fit the ustar field."""
    arrangement = arrange(top, found, 1_700_000_000)
    for slot in arrangement.slots:
        with tarfile.open(fileobj=io.BytesIO(arrangement.header(slot) + bytes(1 << 10)), mode="r:") as archive:
            info = archive.next()
        assert info is not None
        assert (info.name, info.size, info.mode) == (f"{top}/{slot.member.path}", slot.member.size, slot.member.mode)
        assert (info.uid, info.gid, info.uname, info.gname, info.mtime) == (0, 0, "", "", 1_700_000_000)
        assert info.offset_data == slot.data - slot.start


@pytest.mark.parametrize("program", ["tar", "bsdtar"])
def test_real_tar_programs_list_it_without_a_word(tmp_path: Path, program: str) -> None:
    listed = [
        Member("SHA256SUMS", 10, EMPTY, "sums"),
        Member("llm-bundle.pex", 5, EMPTY, "tool"),
        Member(f"models/é漢/{LONG}", 5000, EMPTY, "model"),
        Member(f"models/{LONG}/{LONG}/{LONG}", 0, EMPTY, "model"),
        Member("models/large", 9 << 30, EMPTY, "model"),
        *(Member(f"models/{i:0>{i}}", i * 37, EMPTY, "model") for i in range(1, 120)),
    ]
    path = tmp_path / "a.tar"
    write(arrange("top-1", listed, 1_700_000_000), path)
    done = subprocess.run(
        [need(program, "libarchive-tools" if program == "bsdtar" else "tar"), "-tf", str(path)],
        capture_output=True,
        text=True,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    names = done.stdout.encode().decode("unicode_escape" if "\\3" in done.stdout else "utf-8")
    assert len(names.splitlines()) == len(listed)
    assert names.splitlines()[4] == "top-1/models/large"


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 8**11 - 1, 8**11])
@pytest.mark.parametrize("length", [1, 99, 100, 101, 250, 1000])
def test_every_length_of_name_at_every_position(size: int, length: int) -> None:
    for position in range(0, 8192, 512):
        name = "n" * length
        length = tar.header_length(name, size, position)
        header = tar.header(name, size, 0o644, 0, length)
        assert len(header) == length
        assert (position + len(header)) % tar.ALIGNMENT == 0
        records = header[512:-512]
        while records:
            count = int(records.split(b" ", 1)[0])
            assert records[count - 1 : count] == b"\n"
            records = records[count:]


@given(st.integers(0, 1 << 20), st.integers(0, 1 << 20), st.integers(1, SIGNATURE_BYTES), names)
def test_a_signature_has_its_room_before_it_is_made(sums: int, manifest: int, signature: int, top: str) -> None:
    """Signing changes nothing behind the manifest's header, and moves nothing."""
    listing = Member(SUMS, sums, EMPTY, "sums")
    rest = [Member(MANIFEST, manifest, EMPTY, "manifest"), Member("models/m/w", 5, EMPTY, "model")]
    unsigned = arrange(top, [listing, *rest], 0)
    signed = arrange(top, [listing, Member(SIGNATURE, signature, EMPTY, "signature"), *rest], 0)
    assert [slot.data for slot in unsigned.slots] == [
        slot.data for slot in signed.slots if slot.member.path != SIGNATURE
    ]
    assert unsigned.size == signed.size
    assert unsigned.header(unsigned.slots[-1]) == signed.header(signed.slots[-1])
