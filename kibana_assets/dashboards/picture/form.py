"""Numbers as Lens writes them, by the format of their column; texts and names made safe for HTML."""

from __future__ import annotations

from datetime import datetime, timezone
from html import escape
from typing import Any, Final

from kibana_assets.check.board import mapping

Json = dict[str, Any]
NOTHING: Final = "–"  # noqa: RUF001 (what is shown where there is no number)
_SECONDS: Final = {"nanoseconds": 1e-9, "milliseconds": 1e-3, "seconds": 1.0}
_STEPS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs"))
_BYTES: Final = ("B", "KB", "MB", "GB", "TB")


def safe(text: object) -> str:
    """A text within HTML."""
    return escape(str(text))


def written(value: Any, column: Json) -> str:
    """A value of ``column`` (of a Lens layer), as text."""
    if value is None:
        return NOTHING
    if column.get("dataType") == "date" and isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    if not isinstance(value, int | float):
        return str(value)
    form = mapping(mapping(column.get("params")).get("format"))
    params, kind = mapping(form.get("params")), form.get("id")
    if kind == "duration":
        return _duration(float(value) * _SECONDS[str(params.get("fromUnit", "seconds"))])
    if kind == "bytes":
        return _bytes(float(value))
    decimals = int(params.get("decimals", 2))
    if kind == "percent":
        return f"{value * 100:,.{decimals}f} %"
    text = f"{value:,.{decimals}f}" if kind else f"{value:,.6g}"
    return f"{text}{params.get('suffix', '')}"


def _duration(seconds: float) -> str:
    for size, unit in _STEPS:
        if abs(seconds) >= size:
            return f"{seconds / size:.1f} {unit}"
    return "0 s"


def _bytes(value: float) -> str:
    size = 0
    while abs(value) >= 1024 and size < len(_BYTES) - 1:
        value, size = value / 1024, size + 1
    return f"{value:.1f} {_BYTES[size]}" if size else f"{value:g} B"
