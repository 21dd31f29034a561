"""All saved objects that the dashboards are: for the package's zip file, and as NDJSON for an import by hand.

Rules: ids never change, so that links and an import over what is there work; they begin with the package's name. The
zip has dashboards and the tag; Fleet makes the data views ``logs-*`` and ``metrics-*``. Without Fleet they go first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from kibana_assets.dashboards.dashboard import CORE_VERSION, saved_object
from kibana_assets.dashboards.encode import compact, encoded
from kibana_assets.dashboards.model import Dashboard
from kibana_assets.dashboards.source import dashboard, sources
from kibana_assets.package.streams import streams
from kibana_assets.package.tree import Tree

Json = dict[str, Any]
TAG: Final = "local_llm-self-hosted-llm"
VIEWS: Final = ("logs-*", "metrics-*")


def dashboards(tree: Tree) -> tuple[Dashboard, ...]:
    """The dashboards of this llm-bundle, over the data streams of ``tree``. Raises: PackageError."""
    known = {stream.name: stream for stream in streams(tree)}
    return tuple(dashboard(text, file, known) for file, text in sources().items())


def objects(made: Iterable[Dashboard]) -> list[Json]:
    """The tag, then the dashboards, with their ``…JSON`` parts as texts."""
    return [encoded(one) for one in (tag(), *(saved_object(one, TAG) for one in made))]


def tag() -> Json:
    """The tag by which all of it is found in Kibana's lists."""
    attributes = {"name": "Self-hosted LLM", "description": "Made by llm-bundle.", "color": "#3185fc"}
    return _object("tag", TAG, attributes, "8.0.0")


def data_views() -> list[Json]:
    """The data views that the dashboards reference, under the ids that Fleet gives them."""
    return [
        _object("index-pattern", view, {"title": view, "name": view, "timeFieldName": "@timestamp"}, "8.0.0")
        for view in VIEWS
    ]


def package_files(made: Iterable[Dashboard]) -> dict[str, Json]:
    """The objects by their paths in the package."""
    return {f"kibana/{one['type']}/{one['id']}.json": one for one in objects(made)}


def ndjson(made: Iterable[Json]) -> bytes:
    """One object a line, as ``POST /api/saved_objects/_import`` takes them."""
    return "".join(f"{compact(one)}\n" for one in made).encode()


def _object(kind: str, name: str, attributes: Json, version: str) -> Json:
    versions = {"coreMigrationVersion": CORE_VERSION, "typeMigrationVersion": version}
    return {"id": name, "type": kind, **versions, "attributes": attributes, "references": []}
