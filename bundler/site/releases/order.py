"""Which release is older, and which ones can go. Rules alone, no I/O."""

from __future__ import annotations

import re
from typing import Final

from bundler.errors import UsageError
from bundler.site.state import Release, State

_NUMBERS: Final = re.compile(r"v?([0-9]+(?:\.[0-9]+)*)")


def is_downgrade(old: Release, new: Release) -> bool:
    """Whether going from ``old`` to ``new`` is a step back of the same bundle.

    The numbers that the versions begin with decide, part by part (1.10 is newer than 1.9, 1.0 as new as 1); where
    they are the same, or a version has none, the time of the build does. What follows the numbers does not count.
    """
    if old.name != new.name or old.id == new.id:
        return False
    before, after = _numbers(old.version), _numbers(new.version)
    if before and after and before != after:
        return after < before
    return new.created < old.created


def _numbers(version: str) -> tuple[int, ...]:
    match = _NUMBERS.match(version)
    parts = [int(part) for part in match[1].split(".")] if match else []
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def releases_to_prune(state: State, keep: int) -> tuple[Release, ...]:
    """What goes when ``keep`` releases stay, the oldest installation first.

    The current one stays first, then the previous one, then the newest installations; those of an interrupted move
    stay in any case. Raises: UsageError when ``keep`` is less than 1.
    """
    if keep < 1:
        raise UsageError(f"--keep: expected 1 or more, found {keep}", hint="`llm-bundle uninstall` removes all.")
    needed = {state.moving.source, state.moving.target} if state.moving else set()
    ranked = sorted(state.releases, key=lambda r: (r.id == state.current, r.id == state.previous, r.installed))
    surplus = (release for release in ranked[::-1][keep:] if release.id not in {state.current, *needed})
    return tuple(sorted(surplus, key=lambda release: release.installed))
