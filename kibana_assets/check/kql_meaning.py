"""What in a query that parses means something else than it looks.

Rules: every value stands behind a field; what is of Lucene's language, or of SQL, is none of KQL; a value fits its
field's type, for Elasticsearch refuses it or finds nothing. Fields that nobody declares are told too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Final

from kibana_assets.check.kql import Is, KqlError, Nested, Node, Not, Range, Value, parse
from kibana_assets.package.fields import NUMBERS

Found = tuple[str, str]
"""What was found, and what is expected."""
_LUCENE: Final = re.compile(r"^[\[/+!^-]|&&|\|\||\sTO\s|~\d*$")
_BOOLEANS: Final = frozenset({"true", "false"})
_TEXTS: Final = frozenset({"keyword", "constant_keyword", "wildcard", "text", "match_only_text", "flattened"})
_ORDERED: Final = NUMBERS | {"date", "date_nanos", "ip", "version"}
_DATE: Final = re.compile(r"now([+-/]\S+)?|\d{4}(-\d\d(-\d\d(T[\d:.]+(Z|[+-][\d:]+)?)?)?)?")


def faults(query: str, types: Mapping[str, str]) -> Iterator[Found]:
    """What is wrong with ``query``; ``types`` are those of the declared fields."""
    try:
        node = parse(query)
    except KqlError as error:
        yield f"KQL that does not parse: {query!r}: {error}", "what Kibana's query bar takes"
        return
    if node is not None:
        yield from _of(node, types)


def fields(node: Node) -> Iterator[str]:
    """The fields of a query."""
    if isinstance(node, Is):
        yield from () if node.field is None else (node.field.text,)
    elif isinstance(node, Range):
        yield node.field.text
    elif isinstance(node, Nested | Not):
        yield from fields(node.inner)
    else:
        for part in node.parts:
            yield from fields(part)


def _of(node: Node, types: Mapping[str, str]) -> Iterator[Found]:
    if isinstance(node, Is):
        yield from _is(node, types)
    elif isinstance(node, Range):
        yield from _range(node, types)
    elif isinstance(node, Nested | Not):
        yield from _of(node.inner, types)
    else:
        for part in node.parts:
            yield from _of(part, types)


def _is(node: Is, types: Mapping[str, str]) -> Iterator[Found]:
    if node.field is None:
        yield f"{node.value.text!r} without a field, which is looked for in all fields", "field: value"
        return
    kind = types.get(node.field.text, "")
    if not kind:
        yield f"the field {node.field.text}, which no data stream of the panel declares", "a declared field"
    elif not (node.value.wild and node.value.text == "*"):
        yield from _value(node.field.text, node.value, kind)


def _range(node: Range, types: Mapping[str, str]) -> Iterator[Found]:
    kind = types.get(node.field.text, "")
    if not kind:
        yield f"the field {node.field.text}, which no data stream of the panel declares", "a declared field"
    elif kind not in _ORDERED:
        yield f"{node.field.text} {node.operator} …, where the field is a {kind}", "a number, a time or an address"
    else:
        yield from _value(node.field.text, node.value, kind)


def _value(name: str, value: Value, kind: str) -> Iterator[Found]:
    said = f"{name}: {value.text}"
    if value.quoted and "*" in value.text:
        yield f"{said!r}, a star in quotes, which is no wildcard", "no quotes, or no star"
    elif not value.quoted and _LUCENE.search(value.text):
        yield f"{said!r}, which is Lucene's language, here plain text", "KQL, such as a >= 1 and a < 5"
    elif not value.quoted and " " in value.text:
        yield f"{said!r}, several words without quotes", 'quotes around them, or "and", "or" between them'
    elif kind in _TEXTS:
        return
    elif value.wild:
        yield f"{said!r}, a wildcard for a {kind}", "a value, or * alone"
    elif not _fits(value.text, kind):
        yield f"{said!r}, where the field is a {kind}", f"a value of that type ({kind})"


def _fits(text: str, kind: str) -> bool:
    if kind == "boolean":
        return text in _BOOLEANS
    if kind in ("date", "date_nanos"):
        return bool(_DATE.fullmatch(text))
    try:
        ip_network(text, strict=False) if kind == "ip" else float(text) if kind in NUMBERS else None
    except ValueError:
        return False
    return True
