"""The pages that show the dashboards without a Kibana: places, words and numbers, and nothing that data could do."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from kibana_assets.check.board import board as taken_apart
from kibana_assets.check.rules.lens import KINDS
from kibana_assets.dashboards.picture.__main__ import main
from kibana_assets.dashboards.picture.form import NOTHING, written
from kibana_assets.dashboards.picture.numbers import window
from kibana_assets.dashboards.picture.page import DRAWN
from kibana_assets.dashboards.picture.write import pages
from kibana_assets.dashboards.queries import Search
from tests.dashboards.panels.report import boards
from tests.dashboards.small_board import board

Json = dict[str, Any]
NOW = datetime(2026, 11, 21, tzinfo=timezone.utc)
LONDON = {"location": {"lat": 51.5, "lon": 0.0}}
TOKYO = {"location": {"lat": 35.7, "lon": 139.8}}
EVIL = '<script>alert(1)</script>"onload='


def bucket(key: object, count: int, **aggs: object) -> Json:
    return {"key": key, "doc_count": count, **aggs}


def answers(search: Search) -> Json:
    """An answer for every panel of the small board, with a group whose name is an attack."""
    times = [NOW.timestamp() * 1000 + number * 60_000 for number in range(3)]
    points = [bucket(at, 2, m0X0={"value": n * 60.0}, m0={"values": {"95.0": n}}) for n, at in enumerate(times)]
    by = {
        "rates": [bucket(EVIL, 6, x={"buckets": points})],
        "times": [bucket(EVIL, 6, x={"buckets": points})],
        "table": [bucket(EVIL, 12, m1={"value": times[0]}, m2={"doc_count": 0})],
        "heat": [bucket(5.0, 6, x={"buckets": points})],
        "ring": {EVIL: {"doc_count": 3}, "others": {"doc_count": 1}},
        "map": [bucket("3/3/2", 9, at=LONDON), bucket("3/7/3", 1234, at=TOKYO)],
    }
    aggs: Json = {"m0X0": {"doc_count": 3}}
    if search.panel in by:
        aggs |= {"by0": {"buckets": by[search.panel]}, "x": {"buckets": points}}
    return {"hits": {"total": {"value": 7}}, "aggregations": aggs}


def drawn(folder: Path, *, numbers: bool) -> str:
    (path,) = pages([taken_apart(board())], folder, answers if numbers else None, window(NOW, NOW + timedelta(hours=1)))
    return path.read_text(encoding="utf-8")


def test_every_kind_that_the_check_knows_and_we_make_is_drawn() -> None:
    panels = [one for name in boards().values() for one in name.panels]
    made = {str(one.attributes["visualizationType"]) for one in panels if one.type == "lens"}
    assert made <= set(DRAWN) <= KINDS


@pytest.mark.parametrize("numbers", [True, False])
def test_each_panel_stands_in_its_place_with_its_title(tmp_path: Path, numbers: bool) -> None:
    text = drawn(tmp_path, numbers=numbers)
    for panel in taken_apart(board()).panels:
        place = panel.raw["gridData"]
        where = f"grid-column:{place['x'] + 1}/span {place['w']};grid-row:{place['y'] + 1}/span {place['h']}"
        assert where in text
        assert f">{panel.title}<" in text, panel.title
    assert text.count('class="panel"') == len(taken_apart(board()).panels)


def test_the_numbers_are_shown_as_kibana_writes_them(tmp_path: Path) -> None:
    text = drawn(tmp_path, numbers=True)
    assert '<div class="big">7</div>' in text
    assert '<div class="big">42.9 %</div>' in text
    assert ">2026-11-21 00:00:00<" in text
    assert "75.0 %" in text
    assert "up to 0.2 tokens/s" in text
    assert "background:#cc5642" in text, "seven events are many"
    assert "No results found" not in text
    assert '<div class="big">7</div>' not in drawn(tmp_path, numbers=False)


def test_circles_stand_where_they_belong_with_their_numbers(tmp_path: Path) -> None:
    text = drawn(tmp_path, numbers=True)
    circles = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)" fill="#0b64dd"', text)
    (tokyo_x, tokyo_y, tokyo), (london_x, london_y, london) = [tuple(map(float, one)) for one in circles]
    assert london_x == 256.0
    assert abs(tokyo_x - (256 + 139.8 / 360 * 512)) < 0.1
    assert london_y < tokyo_y < 256
    assert london < tokyo == 18.0
    assert 'class="count">1,234</text>' in text
    assert "Events: up to 1,234 at a place" in text
    assert '<path d="M' in text
    assert "nobody with a public address" in drawn(tmp_path, numbers=False)


def test_nothing_of_data_or_of_elsewhere_runs_in_a_page(tmp_path: Path) -> None:
    text = drawn(tmp_path, numbers=True)
    assert "&lt;script&gt;" in text
    assert EVIL not in text
    assert re.findall(r"<script|javascript:|https?://|url\(|@import", text) == []


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (52e6, {"id": "duration", "params": {"fromUnit": "nanoseconds"}}, "52.0 ms"),
        (90.0, {"id": "duration", "params": {"fromUnit": "seconds"}}, "1.5 min"),
        (0, {"id": "duration", "params": {"fromUnit": "seconds"}}, "0 s"),
        (1536, {"id": "bytes", "params": {"decimals": 1}}, "1.5 KB"),
        (0.0153, {"id": "percent", "params": {"decimals": 1}}, "1.5 %"),
        (12345, {"id": "number", "params": {"decimals": 0}}, "12,345"),
        (2.5, {"id": "number", "params": {"decimals": 1, "suffix": " tokens/s"}}, "2.5 tokens/s"),
        (None, {"id": "number"}, NOTHING),
        ("open", None, "open"),
    ],
)
def test_how_a_number_is_written(value: object, unit: Json | None, text: str) -> None:
    assert written(value, {"params": {"format": unit} if unit else {}}) == text


def test_a_range_of_time_has_some_fifty_points() -> None:
    hours = [window(NOW, NOW + timedelta(hours=hours)).interval for hours in (0.01, 1, 24, 24 * 7, 24 * 3650)]
    assert hours == [1, 300, 1800, 43200, 604800]


def test_the_command_writes_all_dashboards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--output", str(tmp_path / "new")]) == 0
    assert sorted(one.stem for one in (tmp_path / "new").iterdir()) == sorted(boards())
    assert "local_llm-overview.html" in capsys.readouterr().out


def test_what_goes_wrong_is_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["--output", str(tmp_path / "file")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert main(["--output", str(tmp_path), "--elasticsearch", "http://127.0.0.1:1"]) == 1
    assert "127.0.0.1:1" in capsys.readouterr().err
