"""Compiled dashboards, taken apart for the rules.

Rules: whatever Kibana would import is taken, however broken: a part that is missing or of another type is empty here,
and the rule that it concerns says so. Parts whose names end in ``JSON`` are read whether they are texts or not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from kibana_assets.check import kql_datasets

Json = dict[str, Any]
LENS: Final = "lens"
MAP: Final = "map"
GRID: Final = "ES_GEO_GRID"
"""The source of a map's layer that puts documents together by place."""
DATASET: Final = kql_datasets.DATASET


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of a Lens panel, or of a map; ``columns`` by id.

    ``reference`` names the reference to its data view, ``query`` is KQL of its own.
    """

    id: str
    columns: dict[str, Json]
    order: tuple[str, ...]
    has_order: bool
    reference: str
    query: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel as it stands in ``panelsJSON``; ``place`` names it."""

    place: str
    id: str
    type: str
    raw: Json

    @property
    def config(self) -> Json:
        """``embeddableConfig``."""
        return mapping(self.raw.get("embeddableConfig"))

    @property
    def attributes(self) -> Json:
        """The by-value attributes."""
        return mapping(self.config.get("attributes"))

    @property
    def state(self) -> Json:
        """Lens' own state."""
        return mapping(self.attributes.get("state"))

    @property
    def visualization(self) -> Json:
        """How Lens shows it."""
        return mapping(self.state.get("visualization"))

    @property
    def title(self) -> str:
        """The title above the panel."""
        return (text(self.raw.get("title")) or text(self.config.get("title"))).strip()

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of a map; those of a Lens panel also under the name that they had before 8.6."""
        if self.type == MAP:
            return tuple(_map_layer(one) for one in self.map_layers if asks(one))
        states = mapping(self.state.get("datasourceStates"))
        found = mapping(states.get("formBased") or states.get("indexpattern")).get("layers")
        return tuple(_layer(name, mapping(one)) for name, one in mapping(found).items())

    @property
    def map_layers(self) -> tuple[Json, ...]:
        """All layers of a map, undermost first."""
        return tuple(map(mapping, listing(self.attributes.get("layerListJSON"))))

    @property
    def queries(self) -> tuple[tuple[str, str], ...]:
        """Every KQL query of the panel: (where it stands, query)."""
        return tuple(_queries(self))

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets that the panel's own filters leave; those of a map, if each of its layers is limited."""
        if self.type == MAP:
            found = [kql_datasets.datasets(one.query) for one in self.layers]
            return tuple(dict.fromkeys(name for names in found for name in names)) if all(found) else ()
        return tuple(dict.fromkeys(_datasets(listing(self.state.get("filters")))))


@dataclass(frozen=True, slots=True)
class Board:
    """A saved object of type dashboard; ``unreadable`` says which part cannot be read, and why."""

    id: str
    raw: Json
    panels: tuple[Panel, ...]
    attributes: Json
    unreadable: tuple[str, ...] = field(default=())

    @property
    def search(self) -> Json:
        """Query and filters of the whole."""
        return mapping(mapping(self.attributes.get("kibanaSavedObjectMeta")).get("searchSourceJSON"))

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets that the dashboard's filters leave."""
        return tuple(dict.fromkeys(_datasets(listing(self.search.get("filter")))))

    @property
    def controls(self) -> Json:
        """The controls by their ids."""
        return mapping(mapping(self.attributes.get("controlGroupInput")).get("panelsJSON"))


def board(raw: Json) -> Board:
    """The dashboard that a saved object is."""
    broken: list[str] = []
    attributes = _decoded(mapping(raw.get("attributes")), broken, "attributes")
    name = text(raw.get("id"))
    panels = []
    for number, one in enumerate(listing(attributes.get("panelsJSON"))):
        read = mapping(one)
        own = text(read.get("panelIndex"))
        panels.append(Panel(f"{name}: panel {own or number}", own, text(read.get("type")), read))
    return Board(name, raw, tuple(panels), attributes, tuple(broken))


def mapping(value: object) -> Json:
    """A mapping, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def listing(value: object) -> list[Any]:
    """A list, or an empty one in place of anything else."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """A text, or an empty one in place of anything else."""
    return value if isinstance(value, str) else ""


def _decoded(value: Any, broken: list[str], path: str) -> Any:
    if isinstance(value, list):
        return [_decoded(item, broken, f"{path}[{number}]") for number, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    made = {}
    for key, item in value.items():
        below = f"{path}.{key}"
        if key.endswith("JSON") and isinstance(item, str):
            try:
                item = json.loads(item)
            except (ValueError, RecursionError) as error:
                broken.append(f"{below}, which is no JSON ({error})")
                item = None
        made[key] = _decoded(item, broken, below)
    return made


def _layer(name: str, read: Json) -> Layer:
    columns = {key: mapping(one) for key, one in mapping(read.get("columns")).items()}
    order = tuple(map(str, listing(read.get("columnOrder"))))
    has_order = isinstance(read.get("columnOrder"), list)
    return Layer(name, columns, order, has_order, f"indexpattern-datasource-layer-{name}")


def asks(layer: Json) -> bool:
    """Whether a layer of a map shows what Elasticsearch has."""
    return text(mapping(layer.get("sourceDescriptor")).get("type")).startswith("ES")


def _map_layer(read: Json) -> Layer:
    """A layer of a map, as the columns that a layer of Lens would have: places, counts, and the middle of each."""
    source, query = mapping(read.get("sourceDescriptor")), mapping(read.get("query"))
    columns: dict[str, Json] = {}
    if source.get("type") == GRID:
        field, label = source.get("geoField"), mapping((listing(source.get("metrics")) or [None])[0]).get("label")
        columns = {
            "by0": {"operationType": "geo_grid", "sourceField": field, "isBucketed": True},
            "m0": {"operationType": "count", "sourceField": "___records___", "label": label},
            "at": {"operationType": "geo_centroid", "sourceField": field},
        }
    asked = text(query.get("query")) if query.get("language") == "kuery" else ""
    return Layer(text(read.get("id")), columns, tuple(columns), True, text(source.get("indexPatternRefName")), asked)


def _queries(panel: Panel) -> Iterator[tuple[str, str]]:
    yield from _query("query", panel.state.get("query"))
    for one in panel.map_layers:
        yield from _query(f"layer {one.get('id')}: query", one.get("query"))
    for layer in panel.layers:
        for name, column in layer.columns.items():
            yield from _query(f"column {name}: filter", column.get("filter"))
            for one in listing(mapping(column.get("params")).get("filters")):
                yield from _query(f"column {name}: filters", mapping(one).get("input"))


def _query(where: str, read: object) -> Iterator[tuple[str, str]]:
    found = mapping(read)
    if found.get("language") == "kuery" and isinstance(found.get("query"), str):
        yield where, found["query"]


def _datasets(filters: list[Any]) -> Iterator[str]:
    for one in filters:
        meta = mapping(mapping(one).get("meta"))
        if meta.get("key") != DATASET or meta.get("negate") or meta.get("disabled"):
            continue
        params = meta.get("params")
        yield from map(str, [mapping(params).get("query")] if isinstance(params, dict) else listing(params))
