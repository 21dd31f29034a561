"""Files that hold a kibana.yml, or settings for one, and are none themselves: nothing in them is for Kibana to read.

Rules: only what no kibana.yml can have at its top is taken for a sign. Sources: Kubernetes' API conventions, the
Compose specification, the values of Elastic's Helm charts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Foreign:
    """What a file is instead, the top-level key that tells, and what to do."""

    what: str
    key: str
    fix: str


def foreign(keys: Collection[str]) -> Foreign | None:
    """What a file with these top-level keys is, or None where it may be a kibana.yml."""
    if {"apiVersion", "kind"} <= set(keys):
        fix = "For ECK use llm-bundle connectors render --form eck. Of a ConfigMap, take the text out."
        return Foreign("a Kubernetes resource", "kind", fix)
    if "services" in keys:
        fix = "Name the kibana.yml that is mounted into the container at /usr/share/kibana/config/kibana.yml."
        return Foreign("a Compose file", "services", fix)
    if "kibanaConfig" in keys:
        fix = "Take the text below its kibana.yml into a file, and put the result back."
        return Foreign("the values of a Helm chart", "kibanaConfig", fix)
    return None
