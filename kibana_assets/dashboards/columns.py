"""Columns of a Lens layer (``formBased``), from measures and buckets.

Rules: the ids are ``m0``, ``m1``, … for measures, ``x`` and ``by0``, ``by1``, … for buckets; a column that another one
needs is named for it (``m0X0``), as Lens itself names the parts of a formula. No id begins with another but for these.
Every column has a label of its own, and every number its unit. Source: form_based/operations of Kibana's Lens.
"""

from __future__ import annotations

from typing import Any, Final

from kibana_assets.dashboards.model import Bucket, Measure
from kibana_assets.dashboards.units import lens_format

Json = dict[str, Any]
RECORDS: Final = "___records___"
COUNT: Final = "count"
# Counting nothing gives 0; of nothing there is no average.
_COUNTS: Final = frozenset({"count", "unique_count"})
_CANNOT_ORDER: Final = frozenset({"rate", "share", "ratio", "last_value", "days_left"})
_DAY: Final = 86_400_000
"""In milliseconds."""


def measure_columns(measure: Measure, name: str) -> dict[str, Json]:
    """The columns of a measure, its own under ``name`` and last."""
    if measure.op == "rate":
        base = _column(Measure("max", "", "none", measure.field, measure.query), f"Part of {measure.label}")
        return {f"{name}X0": base, name: _rate(measure, f"{name}X0")}
    if measure.op == "share":
        some = Measure(COUNT, "", "none", query=measure.query)
        return _quotient(measure, some, Measure(COUNT, "", "none"), name)
    if measure.op == "ratio" and measure.part and measure.whole:
        return _quotient(measure, measure.part, measure.whole, name)
    if measure.op == "days_left":
        return _days_left(measure, name)
    return {name: _column(measure, measure.label)}


def bucket_column(bucket: Bucket, measures: list[tuple[str, Measure]]) -> Json:
    """The column of a bucket; terms are ordered by the first of ``measures`` (id, measure) that they can be."""
    column: Json = {"customLabel": True, "isBucketed": True, "label": bucket.label}
    if bucket.op == "time":
        params: Json = {"dropPartials": False, "includeEmptyRows": True, "interval": "auto"}
        return column | _of("date_histogram", "date", "interval", params, "@timestamp")
    if bucket.op == "filters":
        filters = [{"input": kql(query), "label": label} for label, query in bucket.filters]
        return column | _of("filters", "string", "ordinal", {"filters": filters})
    if bucket.op == "range":
        params = {"includeEmptyRows": False, "maxBars": "auto", "type": "histogram"}
        params["ranges"] = [{"from": 0, "label": "", "to": 1000}]
        return column | _of("range", "number", "interval", params, bucket.fields[0])
    return column | _of("terms", "string", "ordinal", _terms(bucket, measures), bucket.fields[0])


def static_column(value: float, label: str) -> Json:
    """A column that is always ``value``: a limit of a gauge, a line across a chart."""
    params = {"value": f"{value:g}"}
    made = _of("static_value", "number", "ratio", params) | {"references": [], "isStaticValue": True}
    return {"customLabel": True, "isBucketed": False, "label": label, **made}


def kql(query: str) -> Json:
    """A query as saved objects hold it."""
    return {"language": "kuery", "query": query}


def _column(measure: Measure, label: str) -> Json:
    params: Json = {}
    if measure.op == "percentile":
        params["percentile"] = measure.percentile
    elif measure.op == "last_value":
        params |= {"sortField": "@timestamp", "showArrayValues": False}
    elif measure.op in _COUNTS or measure.op == "sum":
        params["emptyAsNull"] = measure.op == "sum"
    form = lens_format(measure.unit)
    if form:
        params["format"] = form
    kind, scale = _kind(measure)
    column = {"customLabel": True, "isBucketed": False, "label": label}
    column |= _of(measure.op, kind, scale, params, measure.field or RECORDS)
    query = measure.query or (f"{measure.field}: *" if measure.op == "last_value" else "")
    if measure.per:
        column["timeScale"] = measure.per
    return column | ({"filter": kql(query)} if query else {})


def _kind(measure: Measure) -> tuple[str, str]:
    """Data type and scale: what has no unit is a text, or the latest time."""
    if measure.unit != "none" or measure.op not in ("last_value", "max", "min"):
        return "number", "ratio"
    if measure.field == "@timestamp":
        return "date", "ratio"
    return ("string", "ordinal") if measure.op == "last_value" else ("number", "ratio")


def _rate(measure: Measure, base: str) -> Json:
    column = {"customLabel": True, "isBucketed": False, "label": measure.label, "timeScale": "s"}
    params = {"format": lens_format(measure.unit)}
    return column | _of("counter_rate", "number", "ratio", params) | {"references": [base]}


def _quotient(measure: Measure, part: Measure, whole: Measure, name: str) -> dict[str, Json]:
    """A formula with its parts, as Lens stores what it made of the formula's text."""
    made: dict[str, Json] = {}
    ends, label = [], f"Part of {measure.label}"
    for one in (part, whole):
        for suffix, column in measure_columns(one, "X").items():
            ends_with = f"{name}X{len(made)}"
            made[ends_with] = column | {"label": label}
            if suffix == "X" and "references" in column:
                made[ends_with]["references"] = [f"{name}X{len(made) - 2}"]
        ends.append(f"{name}X{len(made) - 1}")
    text = f"{_written(part)} / {_written(whole)}"
    return made | _formula(measure, name, len(made), text, _called(text, text, "divide", *ends), ends)


def _days_left(measure: Measure, name: str) -> dict[str, Json]:
    """The days from now to the latest date of a field; nothing where there is none.

    Kibana takes nothing for 0, and so for 1970: a division by 0, which it shows as nothing, keeps that away.
    """
    label = f"Part of {measure.label}"
    some = f"{measure.field}: *"
    parts = {
        f"{name}X0": _column(Measure("max", "", "none", measure.field), label) | {"dataType": "date"},
        f"{name}X1": {"customLabel": True, "isBucketed": False, "label": label, "references": []}
        | _of("now", "number", "ratio", {}),
        f"{name}X2": _column(Measure(COUNT, "", "none", query=some), label),
    }
    end, now, there = parts
    left = f"max({measure.field}) - now()"
    days = f"({left}) / {_DAY}"
    clamped = f"clamp(count(kql='{some}'), 0, 1)"
    text = f"{days} / {clamped}"
    tree = _called(text, left, "subtract", end, now)
    tree = _called(text, days, "divide", tree, _DAY)
    tree = _called(text, text, "divide", tree, _called(text, clamped, "clamp", there, 0, 1))
    return parts | _formula(measure, name, len(parts), text, tree, list(parts))


def _called(whole: str, text: str, function: str, *arguments: Json | str | int) -> Json:
    """A function of a formula, as Kibana's parser gives it; ``text`` is where it stands in the ``whole``."""
    first = whole.index(text)
    place = {"min": first, "max": first + len(text)}
    return {"type": "function", "name": function, "args": list(arguments), "location": place, "text": text}


def _formula(measure: Measure, name: str, number: int, text: str, tree: Json, parts: list[str]) -> dict[str, Json]:
    """The last two columns of a formula: its arithmetic, under the ``number`` that comes next, and itself."""
    last, label = f"{name}X{number}", f"Part of {measure.label}"
    math = _of("math", "number", "ratio", {"tinymathAst": tree}) | {"references": parts}
    params = {"formula": text, "isFormulaBroken": False, "format": lens_format(measure.unit)}
    formula = _of("formula", "number", "ratio", params) | {"references": [last]}
    return {
        last: {"customLabel": True, "isBucketed": False, "label": label} | math,
        name: {"customLabel": True, "isBucketed": False, "label": measure.label} | formula,
    }


def _written(measure: Measure) -> str:
    """A measure in Lens' formula language."""
    quoted = measure.query.replace("\\", "\\\\").replace("'", "\\'")
    query = f"kql='{quoted}'" if quoted else ""
    if measure.op == "rate":
        inner = ", ".join(part for part in (measure.field, query) if part)
        return f"counter_rate(max({inner}))"
    return f"{measure.op}({', '.join(part for part in (measure.field, query) if part)})"


def _terms(bucket: Bucket, measures: list[tuple[str, Measure]]) -> Json:
    name = next((name for name, measure in measures if _orders(measure)), "")
    order: Json = {"columnId": name, "type": "column"} if name else {"fallback": True, "type": "alphabetical"}
    several = len(bucket.fields) > 1
    return {
        "missingBucket": False,
        "orderBy": order,
        "orderDirection": "desc" if name else "asc",
        "otherBucket": bucket.other,
        "parentFormat": {"id": "multi_terms" if several else "terms"},
        "size": bucket.size,
        **({"secondaryFields": list(bucket.fields[1:])} if several else {}),
    }


def _orders(measure: Measure) -> bool:
    """Whether Elasticsearch can order by it as Kibana asks: by nothing of Kibana's own, nor by a filter's count."""
    return measure.op not in _CANNOT_ORDER and not (measure.op == COUNT and measure.query)


def _of(operation: str, kind: str, scale: str, params: Json, field: str = "") -> Json:
    made: Json = {"dataType": kind, "operationType": operation, "params": params, "scale": scale}
    return made | ({"sourceField": field} if field else {})
