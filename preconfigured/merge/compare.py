"""Whether a value in a kibana.yml is the one that is wished for.

Rules: quotes do not matter where both spellings mean the same text; a text is never the same as a number, a boolean or
null that looks like it. Addresses of hosts count as the same where Kibana takes them for the same.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from preconfigured.merge.index import Effective, segments
from preconfigured.merge.tree import Node
from preconfigured.yaml_text import Entry, Items, Scalar, Value, scalar

# Null, booleans, numbers and dates, in the spellings of YAML 1.1, 1.2 and js-yaml.
_OTHERS = re.compile(
    r"|~|null|true|false|yes|no|on|off|[-+]?(?:0[xob][0-9a-f_]+|\.inf|\.nan|\.[0-9_]+(?:e[-+]?[0-9]+)?"
    r"|[0-9][0-9_]*(?:\.[0-9_]*)?(?:e[-+]?[0-9]+)?|[0-9]+(?::[0-5]?[0-9])+)|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*",
    re.IGNORECASE,
)


def holds(found: Effective | Node | None, wanted: Value) -> bool:
    """Whether what holds at a path is what is wanted, with nothing beside it."""
    if isinstance(wanted, tuple) and wanted:
        paths = {segments(entry.key)[0] for entry in wanted}
        return (
            isinstance(found, dict)
            and set(found) == paths
            and all(holds(found[segments(entry.key)[0]], entry.value) for entry in wanted)
        )
    if not isinstance(found, Node):
        return False
    if isinstance(wanted, tuple):
        return found.kind == "mapping" and not found.entries
    if isinstance(wanted, Items):
        return found.kind == "sequence" and len(found.items) == len(wanted.values) and holds_all(found, wanted)
    return same_scalar(found, wanted)


def holds_all(found: Node, wanted: Items) -> bool:
    """Whether a list has every item that is wanted."""
    return all(any(same_item(node, item) for node in found.items) for item in wanted.values)


def same_item(node: Node, wanted: Value) -> bool:
    """Whether an item of a list is the one that is wanted."""
    if not isinstance(wanted, tuple):
        return same_scalar(node, wanted) if not isinstance(wanted, Items) else holds(node, wanted)
    values = {entry.key.text: entry.value for entry in node.entries}
    return set(values) == {entry.key for entry in wanted} and all(
        same_item(values[entry.key], entry.value) for entry in wanted
    )


def same_scalar(node: Node, wanted: Scalar) -> bool:
    """Whether a scalar means what is wanted."""
    if node.kind != "scalar" or node.tag is not None:
        return False
    if isinstance(wanted, str):
        return node.text == wanted and (node.style is not None or _plain_text(wanted))
    return node.style is None and node.text.lower() == scalar(wanted)


def _plain_text(text: str) -> bool:
    """Whether a plain scalar is a text for every reader of YAML."""
    return _OTHERS.fullmatch(text) is None


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses of customHostSettings are of the same host: scheme, host and port."""
    return _origin(one) == _origin(other)


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or {"https": 443, "smtp": 25}.get(parts.scheme)
    except ValueError:
        return "", url, None


def node_value(node: Node) -> Value:
    """A value of ours, read back; every scalar in it is a text."""
    if node.kind == "mapping":
        return _entries(node)
    if node.kind == "sequence":
        return Items(tuple(_entries(item) if item.kind == "mapping" else item.text for item in node.items))
    return node.text


def _entries(node: Node) -> tuple[Entry, ...]:
    return tuple(Entry(entry.key.text, node_value(entry.value)) for entry in node.entries)
