"""To which datasets a KQL query limits what it finds: the only way in which a layer of a map can be limited."""

from __future__ import annotations

from typing import Final

from kibana_assets.check.kql import All, Any, Is, KqlError, Node, parse

DATASET: Final = "data_stream.dataset"


def datasets(query: str) -> tuple[str, ...]:
    """The datasets of which one must fit; none where others could fit too, or the query is no KQL."""
    try:
        node = parse(query)
    except KqlError:
        return ()
    parts = node.parts if isinstance(node, All) else (node,)
    found = (_named(part) for part in parts if part is not None)
    return next((names for names in found if names), ())


def _named(node: Node) -> tuple[str, ...]:
    """The datasets of one condition."""
    if isinstance(node, Is) and node.field is not None and node.field.text == DATASET and not node.value.wild:
        return (node.value.text,)
    if isinstance(node, Any):
        names = [_named(part) for part in node.parts]
        return tuple(name for some in names for name in some) if all(names) else ()
    return ()
