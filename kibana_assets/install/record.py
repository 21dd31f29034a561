"""What was put into Kibana: its objects carry no marks, so these stand in Elasticsearch.

Rules: the record is the ``_meta`` of a component template that no index template names: small, atomic, readable with
the privileges that installing needs anyway. An entry is written before the import (``stored`` is then PENDING), and
again after it, with the digest of what Kibana made of the object: a run that was cut is known by its pending entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from kibana_assets.connection.form import Text, fits
from kibana_assets.elasticsearch import stored
from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.install.asset import COMPONENT, MANAGED_BY
from kibana_assets.kibana.request import SPACE

NAME: Final = "local_llm@kibana"
FLEET: Final = "local_llm@fleet"
"""The record of what Fleet was given: of other kinds, with other ways to look for them."""
PENDING: Final = "pending"
Key = tuple[str, str, str]
"""Kind, space, id."""


@dataclass(frozen=True, slots=True)
class Entry:
    """``id`` is the one that Kibana gave it; ``sent`` and ``stored`` are digests."""

    id: str
    version: str
    sent: str
    stored: str


@dataclass(frozen=True, slots=True)
class Record:
    """All entries; key → entry."""

    entries: Mapping[Key, Entry] = field(default_factory=dict)

    def with_entries(self, more: Mapping[Key, Entry | None]) -> Record:
        """The record with these entries; None takes one away."""
        merged = {**self.entries, **more}
        return Record({key: entry for key, entry in merged.items() if entry is not None})


def read(cluster: Cluster, name: str = NAME) -> Record:
    """The record; empty where there is none, or one that nobody can read. Raises: as Cluster.call."""
    found = stored.read(cluster, COMPONENT, name).get(name, {})
    meta = found.get("_meta") if isinstance(found.get("_meta"), dict) else {}
    objects = (meta or {}).get("objects")
    entries: dict[Key, Entry] = {}
    for one in objects if isinstance(objects, list) else ():
        if fits(one, _ENTRY) and (one["space"] == "*" or fits(one["space"], SPACE)):
            entry = Entry(one["stored_id"], one["version"], one["sent"], one["stored"])
            entries[(one["kind"], one["space"], one["id"])] = entry
    return Record(entries)


def write(cluster: Cluster, record: Record, name: str = NAME) -> None:
    """Put the record; without entries it is removed. Raises: as Cluster.call."""
    if not record.entries:
        stored.remove(cluster, COMPONENT, name)
        return
    rows: list[dict[str, Any]] = []
    for (kind, space, own), entry in sorted(record.entries.items()):
        rows.append({"kind": kind, "space": space, **asdict(entry), "id": own, "stored_id": entry.id})
    meta = {"managed_by": MANAGED_BY, "description": "What llm-bundle put into Kibana.", "objects": rows}
    stored.put(cluster, COMPONENT, name, {"template": {}, "_meta": meta})


_ENTRY: Final = {
    **dict.fromkeys(("kind", "space", "id", "stored_id"), Text()),
    **dict.fromkeys(("version", "sent", "stored"), Text(least=0)),
}
