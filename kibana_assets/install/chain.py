"""``@custom`` pipelines, which belong to the user: ours are called from them, beside whatever stands there.

Rules: the work is done by a pipeline of our own, ``…@custom-local_llm``; the ``@custom`` pipeline gets one processor
that calls it, behind all others. One that was there keeps everything it has, and carries no mark of ours. Uninstalling
takes that processor away again, and the pipeline only if we made it and nobody wrote into it since.
"""

from __future__ import annotations

from typing import Any, Final

from kibana_assets.install.asset import MARKS, PIPELINE, Asset, Json
from kibana_assets.package.custom import custom_pipelines
from kibana_assets.package.tree import Tree

TAG: Final = "pipeline_llm_bundle"
ENDING: Final = "-local_llm"
PATTERN: Final = "logs-*@custom*"
_WRITABLE: Final = ("description", "processors", "on_failure", "version", "_meta", "deprecated", "field_access_pattern")


def chained(tree: Tree, lmstudio_dataset: str | None = None) -> tuple[Asset, ...]:
    """Our pipelines, then the ``@custom`` ones that call them. Raises: UsageError; PackageError."""
    bodies = custom_pipelines(tree, lmstudio_dataset)
    mains = [name for name in bodies if name.endswith("@custom")]
    names = {name: name + ENDING for name in mains}
    own = [Asset(PIPELINE, names.get(name, name), body) for name, body in bodies.items()]
    calls = [
        Asset(
            PIPELINE,
            name,
            {"description": "Calls what others put here.", "processors": [_call(names[name])]},
            calls=names[name],
        )
        for name in mains
    ]
    return (*own, *calls)


def with_call(body: Json, name: str) -> Json:
    """A pipeline that was found, with a call of ``name`` behind its processors; as it is where it has one."""
    if calls(body, name):
        return body
    return {**_plain(body), "processors": [*body.get("processors", []), _call(name)]}


def without_call(body: Json) -> Json:
    """A pipeline that was found, without our processor."""
    meta = {key: value for key, value in (body.get("_meta") or {}).items() if key not in MARKS}
    made = {
        **_plain(body),
        "processors": [one for one in body.get("processors", []) if not _is_ours(one)],
        "_meta": meta,
    }
    return made if meta else {key: value for key, value in made.items() if key != "_meta"}


def calls(body: Json, name: str = "") -> bool:
    """Whether a pipeline has our processor; with ``name`` whether that calls it."""
    found = [one["pipeline"] for one in body.get("processors", []) if _is_ours(one)]
    return any(not name or one.get("name") == name for one in found)


def _call(name: str) -> Json:
    return {"pipeline": {"tag": TAG, "name": name, "ignore_missing_pipeline": True}}


def _is_ours(processor: Any) -> bool:
    body = processor.get("pipeline") if isinstance(processor, dict) else None
    return isinstance(body, dict) and body.get("tag") == TAG


def _plain(body: Json) -> Json:
    """What may be put again: Elasticsearch adds times, and refuses them."""
    return {key: body[key] for key in _WRITABLE if key in body}
