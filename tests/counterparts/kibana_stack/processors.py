"""The ingest processors of Elasticsearch 8.19 and 9.x with the basic licence, and a look for others in a pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

KNOWN = frozenset(
    (
        *("append", "attachment", "bytes", "circle", "community_id", "convert", "csv"),
        *("date", "date_index_name", "dissect", "dot_expander", "drop", "enrich", "fail"),
        *("fingerprint", "foreach", "geo_grid", "geoip", "grok", "gsub", "html_strip"),
        *("inference", "ip_location", "join", "json", "kv", "lowercase", "network_direction"),
        *(
            "normalize_for_stream",
            "pipeline",
            "recover_failure_document",
            "redact",
            "registered_domain",
            "remove",
            "rename",
        ),
        *("reroute", "script", "set", "set_security_user", "sort", "split", "terminate"),
        *("trim", "uppercase", "uri_parts", "urldecode", "user_agent"),
    )
)


def unknown(processors: Any) -> Iterator[str]:
    """The names of processors that nobody has, also in ``on_failure`` and ``foreach``."""
    for one in processors or ():
        for name, body in one.items():
            if name not in KNOWN:
                yield name
            if isinstance(body, dict):
                yield from unknown(body.get("on_failure"))
                if name == "foreach":
                    yield from unknown([body.get("processor", {})])
