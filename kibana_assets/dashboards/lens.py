"""A panel's Lens state: layer, data view, filter on its datasets, KQL.

Rules: everything by value. The layer of data is ``<panel>-data``, that of lines across a chart ``<panel>-lines``; each
has its reference to the data view, and so has the filter. The data views are ``logs-*`` and ``metrics-*``, which Fleet
makes; where there is no Fleet, ``data_views`` (objects.py) has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from kibana_assets.dashboards.columns import bucket_column, kql, measure_columns
from kibana_assets.dashboards.model import Measure, Panel

Json = dict[str, Any]
DATASET: Final = "data_stream.dataset"
FILTER_NAME: Final = "dataset-filter"


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of data: ids of its columns by role. ``columns`` has those that others need too."""

    id: str
    columns: dict[str, Json]
    measures: tuple[str, ...]
    by: tuple[str, ...]
    x: str

    @property
    def state(self) -> Json:
        """As ``formBased.layers`` holds it: buckets first, then numbers, what is needed before what needs it."""
        return {"columnOrder": list(self.columns), "columns": self.columns, "incompleteColumns": {}, "sampling": 1}


def layer(panel: Panel) -> Layer:
    """The layer of a panel that shows data; groups stand outside of time, as Lens puts them."""
    named: list[tuple[str, Measure]] = [(f"m{number}", one) for number, one in enumerate(panel.measures)]
    by = {f"by{number}": bucket_column(one, named) for number, one in enumerate(panel.by)}
    x = {"x": bucket_column(panel.x, named)} if panel.x else {}
    numbers: dict[str, Json] = {}
    for name, measure in named:
        numbers |= measure_columns(measure, name)
    return Layer(f"{panel.id}-data", {**by, **x, **numbers}, tuple(n for n, _ in named), tuple(by), "".join(x))


def attributes(panel: Panel, kind: str, visualization: Json, layers: dict[str, Json]) -> Json:
    """The by-value attributes of a Lens panel; ``layers`` are states by layer id."""
    names = [f"indexpattern-datasource-layer-{name}" for name in layers] + [FILTER_NAME]
    return {
        "title": panel.title,
        "description": panel.description,
        "type": "lens",
        "visualizationType": kind,
        "references": [{"type": "index-pattern", "id": panel.view, "name": name} for name in names],
        "state": {
            "datasourceStates": {"formBased": {"layers": layers}},
            "visualization": visualization,
            "query": kql(panel.query),
            "filters": [dataset_filter(panel.datasets, {"index": FILTER_NAME})],
            "internalReferences": [],
            "adHocDataViews": {},
        },
    }


def dataset_filter(datasets: tuple[str, ...], meta: Json) -> Json:
    """A filter on ``data_stream.dataset``; ``meta`` says whose field that is."""
    base = {"alias": None, "disabled": False, "field": DATASET, "key": DATASET, "negate": False, **meta}
    found = [{"match_phrase": {DATASET: dataset}} for dataset in datasets]
    if len(datasets) == 1:
        base |= {"type": "phrase", "params": {"query": datasets[0]}}
        query: Json = found[0]
    else:
        base |= {"type": "phrases", "params": list(datasets)}
        query = {"bool": {"minimum_should_match": 1, "should": found}}
    return {"$state": {"store": "appState"}, "meta": base, "query": query}
