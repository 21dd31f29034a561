"""Which release is older, and which ones go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bundler.errors import UsageError
from bundler.site.releases.order import is_downgrade, releases_to_prune
from bundler.site.state import Move, Release, State


def release(version: str, created: int = 0, name: str = "demo", installed: int = 0) -> Release:
    return Release(f"{name}-{version}-{created:012x}", name, version, "sha256:" + "0" * 64, created, installed)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.10", "1.9"),
        ("2026.11.0", "2026.9.5"),
        ("2.0", "1.99.99"),
        ("1.0.1", "1.0"),
        ("v2", "v1.5"),
        ("2026.11.0-rc1", "2026.10.0"),
    ],
)
def test_smaller_numbers_are_a_step_back_whenever_they_were_built(old: str, new: str) -> None:
    assert is_downgrade(release(old, 5), release(new, 9))
    assert not is_downgrade(release(new, 9), release(old, 5))


@pytest.mark.parametrize(("old", "new"), [("1.0", "1.0"), ("1.0", "1.0.0"), ("1.0", "1.0-rc1"), ("latest", "1.0")])
def test_of_the_same_numbers_the_older_build_is(old: str, new: str) -> None:
    assert is_downgrade(release(old, 9), release(new, 5))
    assert not is_downgrade(release(old, 5), release(new, 9))
    assert not is_downgrade(release(old, 5), release(new, 5))


def test_another_bundle_or_the_same_release_is_no_step_back() -> None:
    assert not is_downgrade(release("2.0"), release("1.0", name="other"))
    assert not is_downgrade(release("2.0"), release("2.0"))


def state(current: str | None, previous: str | None, *, moving: Move | None = None) -> State:
    """Releases 1 to 5, installed in that order."""
    releases = tuple(release(str(number), installed=number) for number in range(1, 6))
    ids = {one.version: one.id for one in releases}
    return State(releases=releases, current=ids.get(current or ""), previous=ids.get(previous or ""), moving=moving)


def pruned(found: State, keep: int) -> list[str]:
    return [one.version for one in releases_to_prune(found, keep)]


def test_current_then_previous_then_the_newest_stay() -> None:
    found = state("2", "1")
    assert pruned(found, 1) == ["1", "3", "4", "5"]
    assert pruned(found, 2) == ["3", "4", "5"]
    assert pruned(found, 3) == ["3", "4"]
    assert pruned(found, 5) == pruned(found, 99) == []


def test_without_a_current_one_the_newest_stay() -> None:
    assert pruned(state(None, None), 2) == ["1", "2", "3"]
    assert pruned(State(), 1) == []


def test_those_of_an_interrupted_move_stay() -> None:
    ids = [one.id for one in state(None, None).releases]
    assert pruned(state("5", "4", moving=Move(ids[4], ids[0])), 2) == ["2", "3"]
    assert pruned(replace(state(None, None), moving=Move(None, ids[1])), 1) == ["1", "3", "4"]


def test_nothing_to_keep_is_no_pruning() -> None:
    with pytest.raises(UsageError, match="expected 1 or more, found 0") as caught:
        releases_to_prune(state("5", "4"), 0)
    assert "uninstall" in caught.value.hint
