"""One asset: what is put into Elasticsearch or Kibana under a name, and the digest by which it is known again.

Rules: a digest is of what was asked for, not of how the server keeps it: of keys that we write, settings as the texts
that Elasticsearch makes of them, without the defaults and times that it adds, and without our own marks. So the digest
of what is found equals that of what was put, unless somebody changed it. The marks (``managed_by``, ``version``,
``hash``) stand in ``_meta``, which Elasticsearch keeps and never reads.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Final

from kibana_assets.connection.reasons import said

MANAGED_BY: Final = "llm-bundle"
MARKS: Final = ("managed_by", "version", "hash", "asked")
ILM_POLICY: Final = "ilm_policy"
PIPELINE: Final = "ingest_pipeline"
COMPONENT: Final = "component_template"
INDEX: Final = "index_template"
DATA_STREAM: Final = "data_stream"
LIFECYCLE: Final = "data_stream_lifecycle"
"""Of a data stream that is there, beside what templates say."""
RULE: Final = "alerting_rule"
ELASTICSEARCH_KINDS: Final = (ILM_POLICY, PIPELINE, COMPONENT, INDEX)
_KEYS: Final = {
    ILM_POLICY: ("phases", "_meta"),
    PIPELINE: ("description", "processors", "on_failure", "version", "_meta"),
    COMPONENT: ("template", "version", "_meta"),
    INDEX: (
        "index_patterns",
        "template",
        "composed_of",
        "priority",
        "version",
        "data_stream",
        "ignore_missing_component_templates",
        "_meta",
    ),
    # Whether it is on, and whom it tells, is for whoever runs the stack to say.
    RULE: ("name", "tags", "schedule", "params", "alert_delay", "rule_type_id", "consumer"),
}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asset:
    """What is wanted: ``body`` without marks. ``stream`` is the data stream's name pattern that it serves, if any.

    ``space`` is of Kibana's objects alone. ``calls`` names the pipeline that a user's one is to call.
    """

    kind: str
    id: str
    body: Json = field(hash=False)
    stream: str = ""
    space: str = ""
    calls: str = ""

    @property
    def digest(self) -> str:
        """The digest of what is wanted."""
        return digest(self.kind, self.body)


def digest(kind: str, body: Json) -> str:
    """SHA-256 of a body's canonical form, as hexadecimal digits."""
    text = json.dumps(_canonical(kind, body), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def marked(asset: Asset, version: str, body: Json | None = None) -> Json:
    """The body with our marks, as it is put; ``body`` where the cluster cannot take what is wanted."""
    put = asset.body if body is None else body
    marks = {"managed_by": MANAGED_BY, "version": version, "hash": digest(asset.kind, put)}
    asked = {"asked": asset.digest} if marks["hash"] != asset.digest else {}
    return {**put, "_meta": {**put.get("_meta", {}), **marks, **asked}}


def marks_of(body: Json) -> Json:
    """Our marks in a body that was found; nothing where it is not ours."""
    meta = body.get("_meta")
    if not isinstance(meta, dict) or meta.get("managed_by") != MANAGED_BY:
        return {}
    return {key: said(str(meta.get(key, "")), 80) for key in MARKS}


def is_fleets(body: Json) -> bool:
    """Whether Fleet put it there."""
    meta = body.get("_meta")
    return isinstance(meta, dict) and meta.get("managed_by") == "fleet"


def _canonical(kind: str, body: Json) -> Json:
    if kind not in _KEYS:
        # A saved object: its versions and times are Kibana's own.
        return {key: body.get(key) for key in ("type", "attributes", "references")}
    made = {key: body[key] for key in _KEYS[kind] if key in body}
    meta = made.pop("_meta", None) or {}
    made["_meta"] = {key: value for key, value in meta.items() if key not in MARKS}
    if "template" in made:
        made["template"] = _template(made["template"] or {})
    if "phases" in made:
        made["phases"] = {name: _phase(phase) for name, phase in made["phases"].items()}
    if "data_stream" in made:
        made["data_stream"] = {key: value for key, value in (made["data_stream"] or {}).items() if value}
    return {key: value for key, value in made.items() if value not in ({}, [], None) or key == "data_stream"}


def _phase(phase: Json) -> Json:
    """Without what Elasticsearch adds: that it begins at once, and that snapshots go with the data."""
    actions = {name: {**action} for name, action in (phase.get("actions") or {}).items()}
    if actions.get("delete", {}).get("delete_searchable_snapshot") is True:
        del actions["delete"]["delete_searchable_snapshot"]
    begins = phase.get("min_age", "0ms")
    return {"min_age": "0ms" if begins in ("0s", "0d") else begins, "actions": actions}


def _template(template: Json) -> Json:
    made = {key: value for key, value in template.items() if value}
    if "settings" in made:
        made["settings"] = dict(flat(made["settings"], ""))
    if "lifecycle" in made:
        # Elasticsearch adds that it is enabled.
        made["lifecycle"] = {"enabled": True, **made["lifecycle"]}
    return made


def flat(value: Any, name: str) -> list[tuple[str, Any]]:
    """Settings as Elasticsearch keeps them: dotted names below ``index.``, every value a text."""
    if isinstance(value, dict):
        return [leaf for key, child in value.items() for leaf in flat(child, f"{name}.{key}" if name else key)]
    kept = [_text(one) for one in value] if isinstance(value, list) else _text(value)
    return [(name if name.startswith("index.") else f"index.{name}", kept)]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
