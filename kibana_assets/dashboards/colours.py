"""Colours of thresholds, as Lens' palettes hold them.

Rules: three levels, three colours that people who see no red or green can tell apart by brightness, and never without
words: a tile has them in its second line, a chart beside its lines. Source: palette types of @kbn/coloring.
"""

from __future__ import annotations

from typing import Any, Final

from kibana_assets.dashboards.model import Threshold
from kibana_assets.dashboards.units import written

COLOURS: Final = {"ok": "#209280", "warning": "#d6bf57", "bad": "#cc5642"}


def palette(thresholds: tuple[Threshold, ...]) -> dict[str, Any]:
    """The palette; each colour holds from its threshold to the next, the first one also below."""
    ats = [one.at for one in thresholds]
    step = ats[-1] - ats[-2] if len(ats) > 1 else 1
    ends = [*ats[1:], ats[-1] + step]
    colours = [COLOURS[one.level] for one in thresholds]
    params = {
        "name": "custom",
        "continuity": "all",
        "progression": "fixed",
        "rangeType": "number",
        "rangeMin": None,
        "rangeMax": None,
        "reverse": False,
        "steps": len(thresholds),
        "maxSteps": 5,
        "colorStops": [{"color": colour, "stop": at} for colour, at in zip(colours, [None, *ats[1:]], strict=True)],
        "stops": [{"color": colour, "stop": end} for colour, end in zip(colours, ends, strict=True)],
    }
    return {"name": "custom", "type": "palette", "params": params}


def words(thresholds: tuple[Threshold, ...], unit: str) -> str:
    """The thresholds in words: ``works · slow from 5 s · stuck from 60 s``."""
    first, *others = thresholds
    return " · ".join([first.text, *(f"{one.text} from {written(one.at, unit)}" for one in others)])
