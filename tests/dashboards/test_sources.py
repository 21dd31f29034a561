"""Sources: what is said of a bad one, with file and line; the shape of ours."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kibana_assets.dashboards.grid import placed
from kibana_assets.dashboards.model import COLUMNS, Panel, Row
from kibana_assets.dashboards.objects import dashboards
from kibana_assets.dashboards.source import sources
from kibana_assets.errors import PackageError
from kibana_assets.package.tree import load
from tests.dashboards.small_board import SOURCE, changed_source, read

COUNT = "- {op: count, unit: events, as: Events}\n        thresholds:\n          - {from: 0, level: ok, text: none}"
TILE = "id: tile\n        title: Events"
NO_PART_OF_A_PANEL = re.compile(r" {12}[^-{].*: '|  - height|    panels|$")
"""The filters of a grouping, which are as many as there are, and the head of the next row."""
BAD = {
    "title: Small\n -> titel: Small\n": "small.yml:2: title: found nothing, expected a text",
    "      - {id: text, -> \t- {id: text,": "small.yml:82:1: not YAML",
    f"{TILE} -> {TILE}\n        colour: red": "rows[0].panels[0].colour: found a key that means nothing here",
    f"{TILE} -> id: tile\n        title: ''": "small.yml:11: rows[0].panels[0].title: found '', expected a text",
    "id: tile -> id: gauge": "id: found 'gauge', which small.yml:10 has, expected another",
    "kind: metric -> kind: metrics": "kind: found 'metrics', expected one of area, bar, gauge",
    "dataset: rate -> dataset: rats": "dataset: found 'rats', expected one of log, rate",
    "dataset: rate -> dataset: [log, rate]": "found logs and metrics, expected data streams of one type",
    "dataset: rate -> dataset: []": "dataset: found nothing, expected the data stream",
    "op: rate, -> op: rates,": "measures[0].op: found 'rates', expected one of average, count",
    "of: small.rate.tokens, -> ": "measures[0].of: found nothing, expected a text",
    "unit: tokens/s -> unit: parsecs": "unit: found 'parsecs', expected one of attempts",
    "at: 95 -> at: 100": "at: found 100, expected a number between 0 and 100",
    "at: 95 -> at: true": "at: found True, expected a number",
    "query: 'small.log.state: open', as: Open -> as: Open": "query: found nothing, expected a text",
    "{from: 5, level: bad, text: many} -> {from: 5, level: bad}": "thresholds[1].text: found nothing, expected a text",
    "{from: 5, level: bad, text: many} -> {from: 0, level: bad, text: many}": "from a larger number",
    "{from: 9, level: warning -> {from: 9, level: red": "level: found 'red', expected one of bad, ok, warning",
    "terms: small.log.state, as: State}\n        thr -> as: State}\n        thr": "by.terms: found nothing, expected",
    "{range: small.log.wait_time, -> {range: small.log.wait_time, terms: x,": "found terms and range, expected one of",
    "width: 2 -> width: 0": "width: found 0, expected a number above 0",
    "height: 6 -> height: 0": "rows[0].height: found 0, expected a number from 1 on",
    "height: 6 -> height: high": "height: found 'high', expected a whole number",
    "\n          - {to: small, as: Here} ->  []": "links: found nothing, expected a list of dashboards",
    "text: Switch it on. -> width: 1": "text: found nothing, expected a text",
    "by: {range: small.log.wait_time, as: Wait} -> stacked: false": "by: found nothing, expected what the numbers",
    "kind: map -> kind: map\n        time_from: now-1d": "time_from: found it, expected none, for a map has none",
    "query: 'small.log.state: open or small.log.wait_time > 1'\n        measures:\n          - {op: count, -> "
    "measures:\n          - {op: count, query: 'a: 1',": "expected a count of all that the panel's query finds",
    "{place: small.log.where} -> {terms: small.log.where, as: P}": "found terms of 1 fields, expected place, of",
    "{place: small.log.where} -> {place: [small.log.where, b]}": "found place of 2 fields, expected place,",
    "by: {range: small.log.wait_time, -> by: {place: small.log.where,": "found places, expected a map",
    "kind: map -> kind: map\n        x: {place: small.log.where}": "x: found it, expected none, for a map has none",
    "by: {range: small.log.wait_time, as: Wait} -> by: {range: small.log.wait_time, as: Wait}\n"
    "        x: {place: small.log.where}": "found places, expected a map",
    "filters: {open: 'small.log.state: open', -> filters: {open: [],": "filters.open: found a list, expected a text",
}


@pytest.mark.parametrize("change", BAD)
def test_a_bad_source_is_told_with_its_line(change: str) -> None:
    old, _, new = change.partition(" -> ")
    with pytest.raises(PackageError) as raised:
        read(changed_source(old, new))
    assert raised.value.message.startswith("small.yml:")
    assert BAD[change] in raised.value.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "small.yml:1: found nothing, expected a mapping"),
        ("- a", "small.yml:1: found a list, expected a mapping"),
        ("a: 1\na: 2", 'found duplicate key "a"'),
        (SOURCE[: SOURCE.index("rows:")], "rows: found no panels"),
        (SOURCE[: SOURCE.index("rows:")] + "rows: {}", "rows: found a mapping, expected a list"),
        (SOURCE[: SOURCE.index("rows:")] + "rows: [a]", "rows[0]: found 'a', expected a mapping"),
        (SOURCE[: SOURCE.index("rows:")] + "rows: [{height: 3}]", "panels: found nothing, expected a list of panels"),
        ("[" * 5000, "small.yml"),
    ],
)
def test_what_is_no_dashboard(text: str, says: str) -> None:
    with pytest.raises(PackageError) as raised:
        read(text)
    assert says in raised.value.message


def test_ours_are_the_five_and_a_panel_is_short() -> None:
    made = dashboards(load())
    assert [one.id.removeprefix("local_llm-") for one in made] == [
        "lmstudio",
        "overview",
        "proxy",
        "troubleshooting",
        "vllm",
    ]
    texts = sources()
    for one in made:
        lines = texts[one.file].split("\n")
        starts = [int(panel.place.rpartition(":")[2]) for panel in one.panels]
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            panel = [line for line in lines[start - 1 : end - 1] if not NO_PART_OF_A_PANEL.match(line)]
            assert len(panel) <= 18, f"{one.file}:{start}: {len(panel)} lines"


def test_each_of_ours_begins_with_tiles_and_ends_with_what_to_do_without_data() -> None:
    for one in dashboards(load()):
        assert {panel.kind for panel in one.rows[1].panels} <= {"metric", "gauge"}, one.file
        assert one.panels[-1].kind == "text"
        assert "No data" in one.panels[-1].title
        assert "switch on" in one.panels[-1].text.lower() or one.id.endswith("troubleshooting")


@example([[1.0, 4.0, 4.0, 4.0, 0.5, 1.0, 4.0, 4.0, 4.0]])
@example([[4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 0.5]])
@given(st.lists(st.lists(st.floats(0.5, 4), min_size=1, max_size=9), min_size=1, max_size=5))
def test_rows_are_filled_and_nothing_overlaps(widths: list[list[float]]) -> None:
    rows = [
        Row(3, tuple(Panel(f"{y}-{x}", "t", "text", "f:1", width=width) for x, width in enumerate(row)))
        for y, row in enumerate(widths)
    ]
    for y, row in enumerate(widths):
        places = [place for panel, place in placed(rows) if panel.id.startswith(f"{y}-")]
        ends = [int(place["x"]) + int(place["w"]) for place in places]
        assert [int(place["x"]) for place in places] == [0, *ends[:-1]]
        assert ends[-1] == COLUMNS
        assert {(place["y"], place["h"]) for place in places} == {(3 * y, 3)}
        assert len(places) == len(row)
        assert all(int(place["w"]) >= 1 for place in places)
