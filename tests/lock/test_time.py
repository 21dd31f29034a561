"""The time in a lock: SOURCE_DATE_EPOCH, now, or that of the lock before when nothing else has changed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bundler.digest import Digest
from bundler.errors import UsageError
from bundler.lock.model import Lock, LockedFile, LockedTool
from bundler.lock.resolve import keep_time, resolve
from bundler.sources.kinds import Sources
from bundler.spec.parse import read_spec
from examples.tiny.inputs import make_inputs
from tests.layout.strategies import digests
from tests.lock.strategies import locks

TINY = Path(__file__).parent.parent.parent / "examples" / "tiny" / "bundle.yml"


def created(folder: Path) -> int:
    make_inputs(folder / "inputs")
    (folder / "bundle.yml").write_text(TINY.read_text())
    return resolve(read_spec(folder / "bundle.yml"), Sources({}, folder)).created


@pytest.mark.parametrize("seconds", ["0", "1", "1700000000", str(1 << 35)])
def test_source_date_epoch(seconds: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", seconds)
    assert created(tmp_path) == int(seconds)


def test_without_it_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    before = int(time.time())
    assert before <= created(tmp_path) <= time.time()


@pytest.mark.parametrize(
    "value", ["", "now", "-1", "1.5", "1e9", " 1", "1\n", "٣", "0x10", str((1 << 35) + 1), "0" * 5000, "9" * 5000]
)
def test_nonsense_is_refused(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH: expected seconds since 1970") as caught:
        created(tmp_path)
    assert "date +%s" in caught.value.hint
    assert len(caught.value.message) < 120


@given(lock=locks, time=st.integers(0, 1 << 35), digest=digests)
@settings(max_examples=60, deadline=None)
def test_time_alone_changes_nothing(lock: Lock, time: int, digest: Any) -> None:
    """Rendered files bear the time, so they differ with it: they do not count."""
    again = replace(lock, created=time, rendered=(LockedFile("README.md", 1, digest),))
    assert keep_time(again, lock).created == lock.created


CHANGES: Mapping[str, Any] = {
    "tool": "another", "site_tool": LockedTool(1, Digest.of(b"another"), {}),
    "request": {"another": 1}, "extras": (LockedFile("extra/another", 1, None),),  # type: ignore[arg-type]
}  # fmt: skip


@given(lock=locks, field=st.sampled_from(sorted(CHANGES)), time=st.integers(0, 1 << 35))
@settings(max_examples=60, deadline=None)
def test_any_other_change_brings_its_own_time(lock: Lock, field: str, time: int) -> None:
    again = replace(lock, created=time, **{field: CHANGES[field]})
    assume(getattr(lock, field) != CHANGES[field])
    assert keep_time(again, lock) == again
