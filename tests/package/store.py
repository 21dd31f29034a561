"""Data streams made from the package's templates on a test node, and documents stored in them.

Rules: names are a test's own, so that tests never meet. A field type that the node lacks (its README tells) is put
as an object that is stored, not indexed, and match_only_text below a field as text. A time series takes any time of
this century, and is routed by its dimensions, as a whole Elasticsearch works out by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kibana_assets.package.fields import Field
from kibana_assets.package.streams import Stream
from kibana_assets.package.templates import index_mode, templates
from tests.counterparts.elasticsearch import Node, RefusedError
from tests.package.simulate import Document

NOT_ON_A_TEST_NODE = {"histogram", "aggregate_metric_double"}
CENTURY = {"start_time": "2000-01-01T00:00:00Z", "end_time": "2099-12-31T00:00:00Z"}


@dataclass(frozen=True, slots=True)
class Made:
    """A data stream that is there."""

    node: Node
    name: str

    def mapping(self) -> dict[str, Any]:
        """What its newest index maps."""
        answer = self.node.call("GET", f"{self.name}/_mapping")
        found: dict[str, Any] = answer[max(answer)]["mappings"]
        return found


def install_templates(node: Node, stream: Stream, fields: tuple[Field, ...], name: str) -> Made:
    """Put the stream's templates under ``name``, for the data stream ``name`` alone, and create it."""
    made = templates(stream, fields)
    _stand_in(made.component["template"]["mappings"])
    node.call("PUT", f"_component_template/{name}", made.component)
    others = [one for one in made.index["composed_of"] if one != made.component_name]
    index = {**made.index, "index_patterns": [name], "priority": 500, "composed_of": [*others, name]}
    if index_mode(stream) == "time_series":
        dimensions = [field.name for field in fields if field.entry.get("dimension")]
        settings = {"mode": "time_series", "time_series": CENTURY, "routing_path": dimensions}
        index["template"] = {"settings": {"index": settings}}
    node.call("PUT", f"_index_template/{name}", index)
    node.call("PUT", f"_data_stream/{name}")
    return Made(node, name)


def store(node: Node, name: str, documents: list[Document]) -> list[dict[str, Any]]:
    """Store documents as they are, and read them back in their order."""
    lines: list[object] = []
    for document in documents:
        lines += [{"create": {}}, document]
    answer = node.call("POST", f"{name}/_bulk?refresh=true&pipeline=_none", lines)
    failed = [item["create"] for item in answer["items"] if item["create"]["status"] != 201]
    assert not failed, f"{len(failed)} documents refused, the first: {failed[0].get('error')}"
    ids = [item["create"]["_id"] for item in answer["items"]]
    found: dict[str, dict[str, Any]] = {}
    for place in range(0, len(ids), 500):
        query = {"ids": {"values": ids[place : place + 500]}}
        hits = node.call("POST", f"{name}/_search", {"query": query, "size": 500})["hits"]["hits"]
        found |= {hit["_id"]: hit for hit in hits}
    return [found[one] for one in ids]


def remove(node: Node, name: str) -> None:
    """Take a data stream and its templates away, those that are there."""
    for path in (f"_data_stream/{name}", f"_index_template/{name}", f"_component_template/{name}"):
        try:
            node.call("DELETE", path)
        except RefusedError as error:
            if error.status != 404:
                raise


def _stand_in(mapping: dict[str, Any]) -> None:
    for name, entry in mapping.get("properties", {}).items():
        if entry.get("type") in NOT_ON_A_TEST_NODE:
            mapping["properties"][name] = {"type": "object", "enabled": False}
        for below in entry.get("fields", {}).values():
            below["type"] = "text" if below["type"] == "match_only_text" else below["type"]
        _stand_in(entry)
