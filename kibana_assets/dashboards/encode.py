"""Saved objects as Kibana stores them: the parts whose names end in ``JSON`` are texts."""

from __future__ import annotations

import json
from typing import Any


def encoded(value: Any) -> Any:
    """A saved object with its ``…JSON`` parts as texts."""
    if isinstance(value, list):
        return [encoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: compact(encoded(item)) if key.endswith("JSON") and not isinstance(item, str) else encoded(item)
        for key, item in value.items()
    }


def compact(value: Any) -> str:
    """JSON in one line, without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
