"""The rules: functions of a dashboard that yield what is wrong, in one list."""

from __future__ import annotations

from typing import Final

from kibana_assets.check.rules import fields, frame, lens, links, maps, meaning
from kibana_assets.check.rules.interface import Rule

RULES: Final[tuple[Rule, ...]] = (
    *frame.RULES,
    *lens.RULES,
    *maps.RULES,
    *fields.RULES,
    *links.RULES,
    *meaning.RULES,
)
