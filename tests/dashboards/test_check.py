"""The check finds what it is for, one bad sample a rule, and nothing in a good dashboard nor in ours."""

from __future__ import annotations

from typing import Any

import pytest

from kibana_assets.check.rules import RULES
from kibana_assets.check.run import check_objects, check_sources
from kibana_assets.dashboards.objects import dashboards, objects
from kibana_assets.dashboards.source import sources
from kibana_assets.package.tree import load
from tests.dashboards.map_faults import MAPS
from tests.dashboards.small_board import (
    Change,
    attributes,
    board,
    column,
    faults,
    layer,
    look,
    map_layer,
    panel,
    put,
    state,
)

Json = dict[str, Any]


def visualization(made: Json, name: str) -> Any:
    return state(made, name)["visualization"]


BAD: dict[str, list[tuple[Change, str]]] = {
    "every_part_can_be_read": [
        (lambda b: put(b["attributes"], "panelsJSON", "[{"), "panelsJSON, which is no JSON"),
        (lambda b: put(b["attributes"], "panelsJSON", "{}"), "found no panels"),
    ],
    "the_dashboard_is_of_a_form_that_is_known": [
        (lambda b: put(b["attributes"], "title", " "), "found no title"),
        (lambda b: put(b["attributes"], "sections", []), "the attribute sections"),
        (lambda b: put(b, "typeMigrationVersion", "8.10.0"), "refuses what is newer"),
        (lambda b: put(b, "typeMigrationVersion", None), "found None"),
    ],
    "panels_have_titles": [(lambda b: put(panel(b, "table"), "title", ""), "panel table: found no title")],
    "panels_have_ids_of_their_own": [
        (lambda b: put(panel(b, "tile"), "panelIndex", "table"), "the panelIndex 'table'"),
        (lambda b: put(panel(b, "tile"), "panelIndex", ""), "the panelIndex ''"),
    ],
    "panels_stand_in_the_grid": [
        (lambda b: put(panel(b, "tile")["gridData"], "x", 40), "columns 40 to 56"),
        (lambda b: put(panel(b, "tile")["gridData"], "h", 0), "a place inside the 48 columns"),
        (lambda b: put(panel(b, "tile"), "gridData", None), "gridData: found None"),
        (lambda b: put(panel(b, "tile")["gridData"], "w", "12"), "as whole numbers"),
    ],
    "panels_do_not_overlap": [(lambda b: put(panel(b, "tile")["gridData"], "w", 17), "that panel gauge covers")],
    "panels_are_of_a_known_type_and_by_value": [
        (lambda b: put(panel(b, "tile"), "type", "lense"), "the type 'lense'"),
        (lambda b: put(panel(b, "tile"), "panelRefName", "panel_1"), "a panel by reference"),
        (
            lambda b: put(panel(b, "text")["embeddableConfig"]["savedVis"], "type", "metrics"),
            "a legacy visualization",
        ),
    ],
    "margins_are_used": [(lambda b: put(b["attributes"]["optionsJSON"], "useMargins", False), "no useMargins")],
    "lens_has_its_state": [
        (lambda b: put(attributes(b, "tile"), "state", None), "panel tile: state: found nothing"),
        (lambda b: put(attributes(b, "tile"), "visualizationType", "lnsCake"), "found 'lnsCake'"),
        (lambda b: put(state(b, "tile"), "datasourceStates", {}), "found no layer"),
    ],
    "layers_have_their_column_order": [
        (lambda b: put(layer(b, "tile"), "columnOrder", None), "columnOrder: found nothing"),
        (lambda b: put(layer(b, "table"), "columnOrder", ["m0"]), "another list than the columns (by0, m1, m2)"),
        (lambda b: put(layer(b, "tile"), "columnOrder", ["m0", "m0"]), "an id twice"),
    ],
    "columns_are_named_for_what_is_there": [
        (lambda b: put(visualization(b, "tile"), "metricAccessor", "m7"), "metricAccessor: found m7"),
        (lambda b: put(visualization(b, "tile"), "layerId", "none"), "layerId: found none, expected a layer"),
        (lambda b: put(visualization(b, "table")["columns"][0], "columnId", "by7"), "columnId: found by7"),
        (lambda b: put(visualization(b, "times")["layers"][0], "accessors", ["m7"]), "accessors: found m7"),
        (lambda b: put(column(b, "rates"), "references", ["gone"]), "references: found gone"),
    ],
    "operations_are_known": [
        (lambda b: put(column(b, "tile"), "operationType", "guess"), "operationType: found 'guess'"),
    ],
    "terms_are_ordered_by_what_is_there": [
        (lambda b: put(column(b, "table", "by0")["params"]["orderBy"], "columnId", "m7"), "orderBy: found 'm7'"),
        (
            lambda b: put(column(b, "rates", "by0")["params"], "orderBy", {"type": "column", "columnId": "m0"}),
            "computed in Elasticsearch",
        ),
    ],
    "counters_are_read_over_time": [
        (lambda b: put(column(b, "rates", "x"), "operationType", "terms"), "a counter_rate without date_histogram"),
    ],
    "fields_are_declared": [
        (lambda b: put(column(b, "times"), "sourceField", "small.log.wait"), "the field small.log.wait,"),
        (lambda b: put(column(b, "table", "by0")["params"], "secondaryFields", ["gone"]), "the field gone"),
        (lambda b: put(column(b, "table", "m2")["params"], "sortField", "when"), "the field when"),
        (lambda b: put(map_layer(b)["sourceDescriptor"], "geoField", "small.log.place"), "the field small.log.place"),
    ],
    "operations_fit_their_fields": [
        (lambda b: put(column(b, "times"), "sourceField", "small.log.state"), "percentile of small.log.state"),
        (lambda b: put(column(b, "rates", "m0X0"), "operationType", "sum"), "which is a long, a counter"),
        (lambda b: put(column(b, "table", "by0"), "sourceField", "message"), "terms of message"),
        (
            lambda b: put(map_layer(b)["sourceDescriptor"], "geoField", "small.log.state"),
            "expected a field of type geo_point",
        ),
    ],
    "datasets_are_declared": [
        (
            lambda b: put(state(b, "tile")["filters"][0]["meta"], "params", {"query": "small.other"}),
            "the dataset small.other",
        ),
        (
            lambda b: put(map_layer(b)["query"], "query", 'data_stream.dataset: "small.other"'),
            "the dataset small.other",
        ),
    ],
    "panels_are_limited_to_datasets": [
        (lambda b: put(state(b, "tile"), "filters", []), "no filter on data_stream.dataset"),
        (lambda b: put(state(b, "tile")["filters"][0]["meta"], "disabled", True), "no filter on data_stream.dataset"),
        (lambda b: put(state(b, "tile")["filters"][0]["meta"], "negate", True), "no filter on data_stream.dataset"),
        (lambda b: put(map_layer(b)["query"], "query", "small.log.state: open"), "panel map: found no filter"),
        (
            lambda b: attributes(b, "map")["layerListJSON"].append(map_layer(b) | {"id": "more", "query": None}),
            "panel map: found no filter",
        ),
        (
            lambda b: put(map_layer(b)["query"], "query", 'data_stream.dataset: "small.log" or small.log.state: open'),
            "panel map: found no filter",
        ),
    ],
    "controls_have_declared_fields": [
        (
            lambda b: put(
                b["attributes"]["controlGroupInput"]["panelsJSON"]["small-log-state"]["explicitInput"],
                "fieldName",
                "gone",
            ),
            "the field gone",
        ),
    ],
    **MAPS,
    "panels_name_their_data_views": [
        (lambda b: put(attributes(b, "tile"), "references", []), "panel tile: references: found none"),
        (lambda b: put(attributes(b, "tile")["references"][0], "name", "x"), "none for the layer tile-data"),
        (lambda b: put(attributes(b, "map")["references"][0], "name", "x"), "none for the layer map-data"),
        (
            lambda b: map_layer(b)["sourceDescriptor"].update(indexPatternRefName="", indexPatternId="logs-*"),
            "expected indexPatternRefName",
        ),
        (
            lambda b: put(b, "references", [one for one in b["references"] if not one["name"].startswith("map:")]),
            "map:layer_1_source_index_pattern",
        ),
        (lambda b: put(b, "references", b["references"][1:]), "tile:indexpattern-datasource-layer-tile-data"),
    ],
    "what_is_referred_to_is_there": [
        (lambda b: put(b["references"][0], "id", "mine-*"), "found index-pattern mine-*"),
        (lambda b: put(b["references"][-1], "id", "gone"), "found tag gone"),
    ],
    "links_lead_to_dashboards": [
        (lambda b: put(b["references"][-4], "id", "gone"), "the link 'Here', which leads to gone"),
        (
            lambda b: put(attributes(b, "links")["links"][0], "destinationRefName", None),
            "the link 'Here', which leads to nothing",
        ),
    ],
    "controls_name_their_data_views": [
        (lambda b: put(b["references"][-2], "name", "x"), "controlGroup_small-log-state:optionsListDataView"),
    ],
    "queries_mean_what_they_look": [
        (lambda b: put(state(b, "tile")["query"], "query", "small.log.state = open"), "without a field"),
        (lambda b: put(state(b, "tile")["query"], "query", "small.log.wait_time:>5"), "does not parse"),
        (lambda b: put(map_layer(b)["query"], "query", "small.log.wait_time:>5"), "layer map-data: query"),
        (lambda b: put(column(b, "gauge", "m0X0")["filter"], "query", "gone: 1"), "column m0X0: filter"),
        (
            lambda b: put(
                column(b, "ring", "by0")["params"]["filters"][0]["input"], "query", "small.log.state: [a TO b]"
            ),
            "Lucene",
        ),
        (
            lambda b: put(b["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"]["query"], "query", "open"),
            "local_llm-small: query: found 'open' without a field",
        ),
    ],
    "numbers_have_units": [
        (lambda b: put(column(b, "times")["params"], "format", None), "column m0: found a number without a format"),
    ],
    "colours_have_words": [
        (lambda b: put(visualization(b, "tile"), "subtitle", ""), "a tile whose colour"),
        (lambda b: put(visualization(b, "gauge"), "labelMinor", None), "a gauge whose colour"),
        (lambda b: put(visualization(b, "heat")["gridConfig"], "isCellLabelVisible", False), "a heat map"),
        (
            lambda b: put(visualization(b, "times")["layers"][1]["yConfig"][0], "textVisibility", False),
            "a coloured line line0",
        ),
        (lambda b: put(visualization(b, "times")["legend"], "isVisible", False), "series without a legend"),
        (
            lambda b: visualization(b, "ring")["layers"][0].update(legendDisplay="hide", categoryDisplay="hide"),
            "a ring without names",
        ),
    ],
}
SAMPLES = [(rule, number) for rule, samples in BAD.items() for number in range(len(samples))]


def test_a_good_dashboard_has_no_findings() -> None:
    assert [str(one) for one in look(board())] == []


def test_ours_have_no_findings_whether_sources_or_compiled() -> None:
    assert [str(one) for one in check_sources(load())] == []
    assert check_objects(objects(dashboards(load())), load()) == []


def test_every_rule_has_a_bad_sample() -> None:
    assert set(BAD) == {rule.__name__ for rule in RULES}


@pytest.mark.parametrize(("rule", "number"), SAMPLES)
def test_a_rule_finds_what_it_is_for(rule: str, number: int) -> None:
    change, says = BAD[rule][number]
    found = [str(one) for one in look(board(change)) if one.rule == rule]
    assert any(says in text for text in found), found


def test_two_objects_with_one_id() -> None:
    assert [one.rule for one in look(board(), board())] == ["objects_have_ids_of_their_own"]
    assert "found no id, or one twice" in str(look(board(lambda b: put(b, "id", None)))[0])


def test_a_finding_in_a_source_names_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = sources()
    text = ours["proxy.yml"].replace("terms: tls.version,", "terms: tls.versions,")
    line = text[: text.index("id: tls\n")].count("\n") + 1
    monkeypatch.setattr("kibana_assets.dashboards.objects.sources", lambda: {**ours, "proxy.yml": text})
    (found,) = check_sources(load())
    assert str(found).startswith(
        f"proxy.yml:{line}: local_llm-proxy: panel tls: column by0: found the field tls.versions"
    )


JUNK: list[Any] = [None, "", [None], {"a": None}]


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_whatever_stands_there_is_a_finding_and_no_crash(junk: Any) -> None:
    """In the place of every part of the dashboard in turn, one of a kind."""

    def broken(made: Json, path: list[Any]) -> Json:
        target: Any = made
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = junk
        return made

    kinds = {tuple(key for key in path if isinstance(key, str)): path for path in _paths(board(), [])}
    for path in kinds.values():
        faults(broken(board(), path))


def _paths(value: Any, above: list[Any]) -> list[list[Any]]:
    """The paths of all parts."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for key, item in items:
        found.append([*above, key])
        found += _paths(item, [*above, key])
    return found
