"""Versions of the Elastic Stack, and since which of them a thing exists.

Rules: a feature may arrive in two lines at once (8.18 and 9.0), so "since" is a set of first versions, one for each
major line. A version older than every first one lacks the feature; a line newer than all of them has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from preconfigured.errors import ConnectorError

# A suffix as in 9.2.0-SNAPSHOT counts as the release: a snapshot has the release's keys.
_VERSION = re.compile(r"v?([0-9]{1,3})\.([0-9]{1,3})(?:\.([0-9]{1,3}))?(?:-[0-9A-Za-z.]{1,32})?", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class StackVersion:
    """A version of the Elastic Stack; versions compare as numbers."""

    major: int
    minor: int
    patch: int = 0

    @classmethod
    def parse(cls, text: str) -> StackVersion:
        """Read ``9.2.0`` (also ``9.2``, ``v9.2.0``, ``9.2.0-SNAPSHOT``).

        Raises:
            ConnectorError: the text is no version.
        """
        match = _VERSION.fullmatch(text)
        if match is None:
            raise ConnectorError(
                f"stack: expected a version such as 9.2.0, found {text[:40]!r}",
                hint="Give the version of the Kibana at the site: major.minor.patch.",
            )
        major, minor, patch = match.groups(default="0")
        return cls(int(major), int(minor), int(patch))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class Since:
    """The first versions that have a thing, one for each major line; none at all means that every version has it."""

    firsts: tuple[StackVersion, ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Since:
        """Read ``["8.18.0", "9.0.0"]``."""
        return cls(tuple(sorted(StackVersion.parse(text) for text in texts)))

    def has(self, stack: StackVersion) -> bool:
        """Whether that version of the stack has it."""
        if not self.firsts:
            return True
        same_line = [first for first in self.firsts if first.major == stack.major]
        return stack >= same_line[0] if same_line else stack > self.firsts[-1]

    def __str__(self) -> str:
        return " and ".join(f"{first.major}.{first.minor}" for first in self.firsts) or "every version"
