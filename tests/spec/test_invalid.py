"""Every ``tests/data/invalid-*.yml`` holds one defect; ``invalid.txt`` says what a user reads about it.

A line of it is ``name | line (- for none) | message | hint``; "…" stands for anything.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.errors import SpecError
from bundler.spec.parse import read_spec

DATA = Path(__file__).parent.parent / "data"


def _cases() -> list[list[str]]:
    lines = (DATA / "invalid.txt").read_text(encoding="utf-8").splitlines()
    return [[*(part.strip() for part in line.split(" | ")), ""][:4] for line in lines]


def _holds(text: str, words: str) -> bool:
    at = 0
    for part in words.split("…"):
        found = text.find(part.strip(), at)
        if found < 0:
            return False
        at = found + len(part.strip())
    return True


@pytest.mark.parametrize(("name", "line", "message", "hint"), _cases(), ids=[case[0] for case in _cases()])
def test_each_defect_is_refused_at_its_place(name: str, line: str, message: str, hint: str) -> None:
    path = DATA / f"invalid-{name}.yml"
    with pytest.raises(SpecError) as caught:
        read_spec(path)
    error = caught.value
    start = f"{path}: " if line == "-" else f"{path}:{line}: "
    assert type(error) is SpecError
    assert error.message.startswith(start)
    assert _holds(error.message.removeprefix(start), message)
    assert _holds(error.hint, hint)
    assert "topsecret" not in error.message + error.hint
    assert "abcdefghijklmnopqrstuvwxyz" not in error.message + error.hint
    assert "\n" not in error.message + error.hint


def test_every_file_is_in_the_table() -> None:
    files = {path.stem.removeprefix("invalid-") for path in DATA.glob("invalid-*.yml")}
    assert files == {case[0] for case in _cases()}
