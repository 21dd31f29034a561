"""KQL as the Elasticsearch query that Kibana makes of it (``toElasticsearchQuery`` of @kbn/es-query)."""

from __future__ import annotations

from typing import Any, Final

from kibana_assets.check.kql import All, Is, Nested, Node, Not, Range, parse
from kibana_assets.check.kql import Any as Either

Json = dict[str, Any]
_OPERATORS: Final = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


def query(text: str) -> Json:
    """The query for ``text``; an empty one finds all. Raises: KqlError."""
    node = parse(text)
    return {"match_all": {}} if node is None else _of(node)


def _of(node: Node) -> Json:
    if isinstance(node, All):
        return {"bool": {"filter": [_of(part) for part in node.parts]}}
    if isinstance(node, Either):
        return _some([_of(part) for part in node.parts])
    if isinstance(node, Not):
        return {"bool": {"must_not": _of(node.inner)}}
    if isinstance(node, Nested):
        return {"nested": {"path": node.field.text, "query": _of(node.inner), "score_mode": "none"}}
    if isinstance(node, Range):
        return _some([{"range": {node.field.text: {_OPERATORS[node.operator]: node.value.text}}}])
    return _is(node)


def _is(node: Is) -> Json:
    text = node.value.text
    if node.field is None:
        kind = "phrase" if node.value.quoted else "best_fields"
        return {"multi_match": {"type": kind, "query": text, "lenient": True}}
    name = node.field.text
    if node.value.wild and text == "*":
        return _some([{"exists": {"field": name}}])
    if node.value.wild:
        return _some([{"query_string": {"fields": [name], "query": _escaped(text)}}])
    return _some([{"match_phrase" if node.value.quoted else "match": {name: text}}])


def _some(parts: list[Json]) -> Json:
    return {"bool": {"should": parts, "minimum_should_match": 1}}


def _escaped(text: str) -> str:
    """For ``query_string``, in which everything but the star is to be itself."""
    return "".join(f"\\{char}" if char in '+-=&|!(){}[]^"~?:\\/ ' else char for char in text)
