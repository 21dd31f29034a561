"""Measures, buckets and thresholds as a source writes them.

A measure: ``{op: percentile, of: event.duration, at: 95, unit: ns, as: p95}``. Operations are Lens' own but for four:
``rate`` is a counter's growth a second, ``share`` the part of the events that ``query`` finds, ``ratio`` one measure
through another, ``days_left`` the days until the latest date. A bucket: ``{terms: url.path, size: 10}``, ``{filters:
{label: KQL}}``, ``{range: field}``, ``{time: minute}``, ``{place: field}``.
"""

from __future__ import annotations

from typing import Final

from kibana_assets.dashboards.model import Bucket, Measure, Threshold
from kibana_assets.dashboards.reading import Mapping
from kibana_assets.dashboards.units import UNITS

OF_A_FIELD: Final = frozenset({"unique_count", "sum", "average", "min", "max", "median", "percentile", "last_value"})
OPERATIONS: Final = OF_A_FIELD | {"count", "rate", "share", "ratio", "days_left"}
OF_FIELDS: Final = ("terms", "range", "place")
"""Kinds of buckets that name fields."""
_NAMED: Final = {"time": "Time", "place": "Place"}
LEVELS: Final = ("ok", "warning", "bad")


def measure(read: Mapping) -> Measure:
    """One measure. Raises: PackageError."""
    op = read.one_of("op", OPERATIONS)
    made = Measure(
        op=op,
        label=read.text("as"),
        unit=read.one_of("unit", UNITS, "share" if op in ("share", "ratio") else None),
        field=read.text("of") if op in OF_A_FIELD or op in ("rate", "days_left") else "",
        query=read.text("query", None if op == "share" else ""),
        percentile=read.number("at") if op == "percentile" else 0,
        per=read.one_of("per", ("s", "m")) if read.has("per") and op in ("count", "sum") else "",
        part=_inner(read, "part") if op == "ratio" else None,
        whole=_inner(read, "whole") if op == "ratio" else None,
    )
    if op == "percentile" and not 0 < made.percentile < 100:
        raise read.wrong("at", f"{made.percentile:g}", "a number between 0 and 100")
    read.close()
    return made


def bucket(read: Mapping) -> Bucket:
    """One bucket. Raises: PackageError."""
    kinds = [kind for kind in ("terms", "range", "filters", "place", "time") if read.has(kind)]
    if len(kinds) != 1:
        found = " and ".join(kinds) or "nothing"
        raise read.wrong((kinds or ["terms"])[0], found, "one of terms, range, filters, place, time")
    kind = kinds[0]
    filters = read.pairs("filters") if kind == "filters" else ()
    fields = read.texts(kind) if kind in OF_FIELDS else ()
    if kind == "time":
        read.text("time")
    made = Bucket(
        op=kind,
        label=read.text("as", _NAMED.get(kind)),
        fields=("@timestamp",) if kind == "time" else fields,
        size=read.whole("size", 10) if kind == "terms" else 0,
        other=read.flag("other") if kind == "terms" else False,
        filters=filters,
        collapse=read.one_of("collapse", ("sum", "avg", "min", "max"), "sum") if read.has("collapse") else "",
    )
    if kind in OF_FIELDS and not fields:
        raise read.wrong(kind, "nothing", "a field")
    read.close()
    return made


def threshold(read: Mapping) -> Threshold:
    """One threshold. Raises: PackageError, also where it has no text: a colour alone is not seen by everybody."""
    made = Threshold(read.number("from"), read.one_of("level", LEVELS), read.text("text"))
    read.close()
    return made


TIME: Final = Bucket("time", "Time", ("@timestamp",))


def _inner(read: Mapping, key: str) -> Measure:
    """A part of a ratio: it needs neither label nor unit."""
    found = read.mapping(key)
    if found is None:
        raise read.wrong(key, "nothing", "a measure")
    op = found.one_of("op", OPERATIONS - {"share", "ratio", "percentile", "last_value", "days_left"})
    field = found.text("of") if op != "count" else ""
    made = Measure(op, "", "none", field, found.text("query", ""))
    found.close()
    return made
