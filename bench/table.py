"""The table that a run prints: what was measured, beside what it should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Row:
    """A figure; ``bound`` is the least or the most that it may be, None where it is only for information."""

    what: str
    measured: float
    sense: Literal["at most", "at least", ""] = ""
    bound: float = 0.0
    unit: str = ""
    detail: str = ""

    @property
    def good(self) -> bool:
        """Whether the target is met."""
        if self.sense == "at most":
            return self.measured <= self.bound
        return self.sense != "at least" or self.measured >= self.bound


def lines(rows: Sequence[Row]) -> list[str]:
    """Columns of text, with the seconds behind a ratio on a line of their own."""
    width = max(len(row.what) for row in rows)
    shown = [f"{'what':<{width}} | measured | target | ok"]
    for row in rows:
        sign = {"at most": "≤", "at least": "≥", "": " "}[row.sense]
        target = f"{sign} {row.bound:g}{row.unit}" if row.sense else "-"
        verdict = ("yes" if row.good else "NO") if row.sense else "-"
        shown.append(f"{row.what:<{width}} | {row.measured:.5g}{row.unit} | {target} | {verdict}")
        if row.detail:
            shown.append(f"    {row.detail}")
    return shown
