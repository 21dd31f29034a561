"""Lifecycles of data streams, which the test nodes lack: set, shown and taken away as a whole Elasticsearch does it.

Rules: a data stream gets what its template says when it is made, and keeps that when the template changes: so the node
is looked at before each request that changes a template. Who sets one needs the privilege for it, which the node's own
security decides. What is sent is read strictly. Source: elastic/elasticsearch, DataStreamLifecycle.java (keys, the
retention that it shows), RestPutDataStreamLifecycleAction.java, RestDeleteDataStreamLifecycleAction.java.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Ask = Callable[[str, str, "Json | None"], "tuple[int, Any]"]
"""Asks the node in the name of whoever asks us: method, path, body → status, answer."""
KEYS = {"enabled", "data_retention", "downsampling"}
_PATH = re.compile(r"/_data_stream/([^/*,]+)/_lifecycle")
_TIME = re.compile(r"\d+(nanos|micros|ms|s|m|h|d)")
_PRIVILEGE = "manage_data_stream_lifecycle"


class StreamLifecycles:
    """What the data streams of a node have; ``known`` may be changed as a person would."""

    def __init__(self) -> None:
        self.known: dict[str, Json | None] = {}

    def look(self, ask: Ask) -> None:
        """Know data streams that were made since, and forget those that are gone."""
        status, answer = ask("GET", "/_data_stream?expand_wildcards=all", None)
        names = {one["name"] for one in answer["data_streams"]} if status == 200 else set()
        for name in names - self.known.keys():
            status, made = ask("POST", f"/_index_template/_simulate_index/{name}", None)
            if status == 200:
                self.known[name] = made.get("template", {}).get("lifecycle")
        for gone in self.known.keys() - names:
            del self.known[gone]

    def answer(self, method: str, path: str, data: bytes, ask: Ask) -> tuple[int, Json] | None:
        """The answer to a request that is for us; None passes it on."""
        if method != "GET" and path.startswith(("/_component_template/", "/_index_template/")):
            self.look(ask)
        found = _PATH.fullmatch(path)
        if not found or method not in ("PUT", "DELETE"):
            return None
        self.look(ask)
        name = found[1]
        if name not in self.known:
            return _refused(404, "index_not_found_exception", f"no such index [{name}]")
        asked = {"index": [{"names": [name], "privileges": [_PRIVILEGE]}]}
        status, rights = ask("POST", "/_security/user/_has_privileges", asked)
        if status == 200 and not rights["has_all_requested"]:
            return _refused(403, "security_exception", f"unauthorized: needs [{_PRIVILEGE},manage,all]")
        wrong = "" if method == "DELETE" else _wrong(data)
        if wrong:
            return _refused(400, "x_content_parse_exception", wrong)
        self.known[name] = json.loads(data) if method == "PUT" else None
        return 200, {"acknowledged": True}

    def shown(self, answer: Json, ask: Ask) -> Json:
        """An answer about data streams with their lifecycles."""
        self.look(ask)
        for one in answer.get("data_streams", ()):
            own = self.known.get(one["name"])
            if own is not None:
                one["lifecycle"] = _whole(own)
        return answer


def _whole(own: Json) -> Json:
    made = {"enabled": True, **own}
    if made["enabled"] and "data_retention" in made:
        made["effective_retention"] = made["data_retention"]
    return {**made, "retention_determined_by": "data_stream_configuration"} if made["enabled"] else made


def _wrong(data: bytes) -> str:
    body = json.loads(data or b"null")
    if not isinstance(body, dict) or body.keys() - KEYS:
        return f"[lifecycle] unknown field in {body}"
    if not isinstance(body.get("enabled", True), bool):
        return "[lifecycle] enabled doesn't support values of that type"
    if "data_retention" in body and not _TIME.fullmatch(str(body["data_retention"])):
        return "failed to parse setting [data_retention]"
    return ""


def _refused(status: int, kind: str, reason: str) -> tuple[int, Json]:
    return status, {"error": {"type": kind, "reason": reason}, "status": status}
