"""What the compiler makes: as Kibana stores it, the same each time, in the zip and as NDJSON."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from kibana_assets.dashboards.dashboard import TYPE_VERSION
from kibana_assets.dashboards.encode import encoded
from kibana_assets.dashboards.objects import VIEWS, dashboards, data_views, ndjson, objects
from kibana_assets.package.build import build
from kibana_assets.package.tree import load
from tests.dashboards.small_board import attributes, board, column, layer, panel, read, state

KNOWN = {
    "title",
    "description",
    "panelsJSON",
    "optionsJSON",
    "kibanaSavedObjectMeta",
    "timeRestore",
    "timeFrom",
    "timeTo",
    "refreshInterval",
    "controlGroupInput",
}


DOC_COUNT = {"name": "doc_count", "origin": "source"}


def test_the_zip_has_what_the_ndjson_has() -> None:
    made = objects(dashboards(load()))
    lines = [json.loads(line) for line in ndjson(made).decode().splitlines()]
    assert lines == made
    with zipfile.ZipFile(io.BytesIO(build(load()).data)) as opened:
        top = opened.namelist()[0].split("/")[0]
        for one in made:
            assert json.loads(opened.read(f"{top}/kibana/{one['type']}/{one['id']}.json")) == one
    assert ndjson(objects(dashboards(load()))) == ndjson(made)


def test_parts_in_json_are_texts() -> None:
    made = next(one for one in objects(dashboards(load())) if one["type"] == "dashboard")
    whole = made["attributes"]
    assert set(whole) == KNOWN
    assert made["coreMigrationVersion"] == "8.8.0"
    assert made["typeMigrationVersion"] == TYPE_VERSION == "8.9.0"
    for text in (whole["panelsJSON"], whole["optionsJSON"], whole["kibanaSavedObjectMeta"]["searchSourceJSON"]):
        assert isinstance(text, str)
        json.loads(text)
    controls = whole["controlGroupInput"]
    assert isinstance(controls["panelsJSON"], str)
    assert isinstance(controls["ignoreParentSettingsJSON"], str)


def test_every_reference_of_a_panel_stands_above_under_its_id() -> None:
    for made in (board(), *(one for one in map(_decoded, objects(dashboards(load()))) if one["type"] == "dashboard")):
        above = {one["name"]: (one["type"], one["id"]) for one in made["references"]}
        assert len(above) == len(made["references"])
        for one in made["attributes"]["panelsJSON"]:
            for reference in one["embeddableConfig"].get("attributes", {}).get("references", ()):
                name = f"{one['panelIndex']}:{reference['name']}"
                assert above[name] == (reference["type"], reference["id"])


def test_a_tile_with_its_filter_and_thresholds() -> None:
    made = board()
    assert column(made, "tile") == {
        "customLabel": True,
        "dataType": "number",
        "isBucketed": False,
        "label": "Events",
        "operationType": "count",
        "params": {"emptyAsNull": False, "format": {"id": "number", "params": {"decimals": 0}}},
        "scale": "ratio",
        "sourceField": "___records___",
    }
    shown = state(made, "tile")["visualization"]
    assert shown["subtitle"] == "none · many from 5"
    assert [one["stop"] for one in shown["palette"]["params"]["colorStops"]] == [None, 5]
    assert [one["stop"] for one in shown["palette"]["params"]["stops"]] == [5, 10]
    (found,) = state(made, "tile")["filters"]
    assert found["query"] == {"match_phrase": {"data_stream.dataset": "small.log"}}
    assert state(made, "tile")["query"] == {"language": "kuery", "query": "small.log.state: open"}


def test_a_share_is_a_formula_with_its_parts() -> None:
    columns = layer(board(), "gauge")["columns"]
    assert list(columns) == ["m0X0", "m0X1", "m0X2", "m0", "min", "max"]
    assert columns["m0"]["params"]["formula"] == "count(kql='small.log.state: open') / count()"
    assert columns["m0"]["references"] == ["m0X2"]
    assert columns["m0X2"]["operationType"] == "math"
    assert columns["m0X2"]["references"] == columns["m0X2"]["params"]["tinymathAst"]["args"] == ["m0X0", "m0X1"]
    assert columns["m0X0"]["filter"] == {"language": "kuery", "query": "small.log.state: open"}
    assert "filter" not in columns["m0X1"]


def test_a_ratio_of_rates() -> None:
    source = """
id: r
title: R
description: R.
rows:
  - panels:
      - id: p
        title: P
        kind: line
        dataset: rate
        measures:
          - op: ratio
            as: Hits
            part: {op: rate, of: small.rate.tokens, query: "service.name: 'a'"}
            whole: {op: rate, of: small.rate.tokens}
"""
    from kibana_assets.dashboards.lens import layer as layer_of

    columns = layer_of(read(source).panels[0]).columns
    assert list(columns) == ["x", "m0X0", "m0X1", "m0X2", "m0X3", "m0X4", "m0"]
    assert [columns[f"m0X{number}"]["operationType"] for number in range(5)] == [
        "max",
        "counter_rate",
        "max",
        "counter_rate",
        "math",
    ]
    assert columns["m0X1"]["references"] == ["m0X0"]
    assert columns["m0X3"]["references"] == ["m0X2"]
    assert columns["m0X4"]["references"] == ["m0X1", "m0X3"]
    formula = columns["m0"]["params"]["formula"]
    assert formula.startswith("counter_rate(max(small.rate.tokens, kql='service.name: \\'a\\''))")
    assert formula.endswith(" / counter_rate(max(small.rate.tokens))")


def test_a_rate_is_collapsed_over_its_groups() -> None:
    made = board()
    (shown,) = state(made, "rates")["visualization"]["layers"]
    assert (shown["splitAccessor"], shown["collapseFn"], shown["accessors"]) == ("by0", "sum", ["m0"])
    assert layer(made, "rates")["columnOrder"] == ["by0", "x", "m0X0", "m0"]
    assert column(made, "rates")["timeScale"] == "s"
    assert column(made, "rates", "by0")["params"]["orderBy"] == {"fallback": True, "type": "alphabetical"}


def test_thresholds_of_a_chart_are_lines_with_words() -> None:
    made = board()
    shown = state(made, "times")["visualization"]["layers"][1]
    assert shown["layerType"] == "referenceLine"
    line = state(made, "times")["datasourceStates"]["formBased"]["layers"]["times-lines"]["columns"]["line0"]
    assert (line["label"], line["params"]["value"]) == ("slow from 9 s", "9")
    assert shown["yConfig"][0]["textVisibility"] is True


def test_texts_and_links() -> None:
    made = board()
    assert panel(made, "text")["type"] == "visualization"
    assert panel(made, "text")["embeddableConfig"]["savedVis"]["params"]["markdown"] == "Switch it on."
    (link,) = attributes(made, "links")["links"]
    target = next(one for one in made["references"] if one["name"] == f"links:{link['destinationRefName']}")
    assert (target["type"], target["id"]) == ("dashboard", "local_llm-small")


def test_a_map_has_its_land_itself_and_its_circles_from_the_cluster() -> None:
    made = encoded(board())
    (shown,) = (one for one in json.loads(made["attributes"]["panelsJSON"]) if one["type"] == "map")
    whole = shown["embeddableConfig"]["attributes"]
    land, circles = json.loads(whole["layerListJSON"])
    assert {land["sourceDescriptor"]["type"], circles["sourceDescriptor"]["type"]} == {"GEOJSON_FILE", "ES_GEO_GRID"}
    assert land["includeInFitToBounds"] is False
    assert circles["query"] == {
        "language": "kuery",
        "query": 'data_stream.dataset: "small.log" and (small.log.state: open or small.log.wait_time > 1)',
    }
    assert circles["sourceDescriptor"]["indexPatternRefName"] == whole["references"][0]["name"]
    assert json.loads(whole["mapStateJSON"])["center"] == {"lat": 20, "lon": 10}
    assert json.loads(whole["uiStateJSON"]) == {"isLayerTOCOpen": True, "openTOCDetails": ["map-data"]}
    style = circles["style"]["properties"]
    assert style["labelText"]["options"]["field"] == style["iconSize"]["options"]["field"] == DOC_COUNT
    assert "http" not in whole["layerListJSON"]


def test_the_views_that_are_referred_to_are_those_that_can_be_made() -> None:
    used = {
        one["id"]
        for made in objects(dashboards(load()))
        for one in made["references"]
        if one["type"] == "index-pattern"
    }
    assert used == set(VIEWS) == {one["id"] for one in data_views()}
    assert all(one["attributes"]["timeFieldName"] == "@timestamp" for one in data_views())


def test_encoding_leaves_texts_alone() -> None:
    assert encoded({"aJSON": {"b": [1]}, "cJSON": "x", "d": [{"eJSON": []}]}) == {
        "aJSON": '{"b":[1]}',
        "cJSON": "x",
        "d": [{"eJSON": "[]"}],
    }


def _decoded(made: dict[str, Any]) -> dict[str, Any]:
    if made["type"] != "dashboard":
        return made
    whole = made["attributes"]
    return {**made, "attributes": {**whole, "panelsJSON": json.loads(whole["panelsJSON"])}}
