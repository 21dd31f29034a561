"""SHA256SUMS, checked by coreutils themselves."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.layout.member import Member
from bundler.trust import sums
from tests.layout.strategies import members

A = "a" * 64


@given(members())
def test_round_trip(found: tuple[Member, ...]) -> None:
    assert sums.decode(sums.encode(found)) == {member.path: member.digest for member in found}


@given(st.binary(max_size=300))
def test_other_bytes_are_refused_or_read_whole(data: bytes) -> None:
    try:
        found = sums.decode(data)
    except IntegrityError:
        return
    assert "".join(f"{digest.hex}  {path}\n" for path, digest in found.items()).encode() == data


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{A}  a\n{A}  ../b\n", "SHA256SUMS:2"),
        (f"{A}  /etc/passwd\n", "SHA256SUMS:1"),
        (f"{A}  a\n{A}  a\n", "SHA256SUMS:2"),
        (f"{A} *a\n", "SHA256SUMS:1"),
        (f"{A.upper()}  a\n", "SHA256SUMS:1"),
        (f"{A}  a", "the last line is cut off"),
        ("\n", "SHA256SUMS:1"),
    ],
)
def test_each_defect_is_named(text: str, words: str) -> None:
    with pytest.raises(IntegrityError, match=words):
        sums.decode(text.encode())


def test_coreutils_read_names_of_all_kinds(tmp_path: Path) -> None:
    names = ["plain", "with space", "  two spaces first", "é漢", "*star", "-dash", "a'b\"c$d`e", "x" * 200]
    rows = []
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
        rows.append(Member(name, len(name), Digest.of(name.encode()), "extra"))
    (tmp_path / "SHA256SUMS").write_bytes(sums.encode(rows))
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": OK") == len(names)
