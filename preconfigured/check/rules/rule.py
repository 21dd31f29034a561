"""What a rule is: an id, a level, one line about it, and a function from a case to what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from preconfigured.check.case import Case
from preconfigured.check.finding import Finding, Level
from preconfigured.check.shown import found_text, path_text
from preconfigured.check.view import Setting


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule found at one place; ``level`` None is the level of the rule."""

    line: int
    column: int
    path: str
    found: str
    message: str
    fix: str
    level: Level | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; ``run`` yields what it finds."""

    id: str
    level: Level
    about: str
    run: Callable[[Case], Iterator[Hit]]

    def findings(self, case: Case) -> Iterator[Finding]:
        """What the rule finds in a case."""
        for hit in self.run(case):
            level = hit.level or self.level
            yield Finding(hit.line, hit.column, self.id, level, hit.path, hit.found, hit.message, hit.fix)


def rule(id_: str, level: Level, about: str) -> Callable[[Callable[[Case], Iterator[Hit]]], Rule]:
    """Make a rule of a function."""
    return lambda run: Rule(id_, level, about, run)


def hit(
    setting: Setting,
    message: str,
    fix: str,
    *,
    found: str | None = None,
    path: tuple[str, ...] | None = None,
    level: Level | None = None,
) -> Hit:
    """A hit at a setting; without ``found``, what the setting holds."""
    shown = found_text(setting) if found is None else found
    return Hit(setting.line, setting.column, path_text(path or setting.path), shown, message, fix, level)
