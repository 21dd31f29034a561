"""Where lines are sent to, a data stream of our templates behind our pipeline, and a judge of what comes out."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from kibana_assets.package.streams import Stream
from tests.counterparts.elasticsearch import Node

Document = dict[str, Any]
# A processor that fails is told so by every on_failure of the package; a pipeline's own words for what it cannot read
# begin otherwise.
FAILED: Final = "Processor '"
_READ: Final = "@timestamp,event.kind,error.message"


@dataclass(slots=True)
class Target:
    """A data stream that is there. ``sent`` counts documents."""

    node: Node
    stream: Stream
    name: str
    sent: int = 0
    _beside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _waiting: list[Future[None]] = field(default_factory=list)

    def send(self, documents: list[Document]) -> None:
        """Send these while the next ones are made; ``finish`` tells what was wrong."""
        if not documents:
            return
        self.sent += len(documents)
        self._waiting.append(self._beside.submit(self.check, documents))
        if len(self._waiting) > 2:
            self._waiting[-3].exception()

    def finish(self) -> None:
        """Wait for all that was sent. Raises: AssertionError with the first document that is lost or bad."""
        self._beside.shutdown()
        for one in self._waiting:
            one.result()

    def check(self, documents: list[Document]) -> None:
        """Send these and look at what was made of them. Raises: AssertionError with the first that is lost or bad."""
        rows: list[object] = []
        for document in documents:
            rows += [{"create": {}}, document]
        items = [item["create"] for item in self.node.call("POST", f"{self.name}/_bulk", rows)["items"]]
        for document, item in zip(documents, items, strict=True):
            assert item["status"] == 201, f"refused: {shown(item.get('error'))}\n{shown(document)}"
        asked = {"docs": [{"_index": item["_index"], "_id": item["_id"]} for item in items]}
        found = self.node.call("POST", f"_mget?_source_includes={_READ}", asked)["docs"]
        for document, one in zip(documents, found, strict=True):
            made = one.get("_source")
            assert made, f"not there: {shown(document)}"
            assert made.get("@timestamp"), f"no @timestamp: {shown(made)}\n{shown(document)}"
            told = made.get("error", {}).get("message", [])
            failed = [text for text in (told if isinstance(told, list) else [told]) if FAILED in text]
            assert not failed, f"the pipeline failed: {shown(made)}\n{shown(document)}"


def shown(value: object) -> str:
    """A value for a person, not too long."""
    text = json.dumps(value)
    return text if len(text) < 900 else f"{text[:500]} … {text[-300:]}"
