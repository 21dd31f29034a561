"""The outlines of the world's land, ``outlines.json``: GeoJSON that a map draws itself instead of a service's tiles.

Rules: the file is made by ``make outlines`` (refresh_outlines.py) alone. It is Natural Earth's, in the public domain.
It stands in each map by value, so it is small.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, Final

FILE: Final = "outlines.json"
MOST_BYTES: Final = 40_000


def outlines() -> dict[str, Any]:
    """The collection of features."""
    text = resources.files("kibana_assets.dashboards").joinpath(FILE).read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(text)
    return read
