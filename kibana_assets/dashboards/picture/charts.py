"""Lines, areas, bars and heat maps over time, as SVG that grows with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from kibana_assets.check.board import Panel, listing, mapping
from kibana_assets.dashboards.picture.form import safe, written
from kibana_assets.dashboards.picture.numbers import Numbers

Json = dict[str, Any]
WIDTH, HEIGHT = 400.0, 150.0
COLOURS: Final = (
    *("#16c5c0", "#a6edea", "#61a2ff", "#bfdbff", "#ee72a6", "#ffc7db", "#f6726a", "#ffc9c2", "#eaae01", "#fcd883"),
)
_SEEN: Final = 12
"""Rows of a legend."""


@dataclass(slots=True)
class Series:
    """One line: its name, and its points by time (milliseconds)."""

    name: str
    points: dict[float, float]


def xy(panel: Panel, found: Numbers) -> str:
    """A chart over time with its legend; the lines of thresholds with their words."""
    layers = [mapping(one) for one in listing(panel.visualization.get("layers"))]
    data = next(one for one in layers if one.get("layerType") == "data")
    kind = str(data.get("seriesType"))
    made = list(_series(data, found))
    column = found.column(str(listing(data.get("accessors"))[0]))
    lines = list(_lines(panel, layers))
    stacked = kind.endswith("_stacked")
    top = _top(made, stacked=stacked) or 1.0
    drawn = "".join(_shape(made, kind, top)) + "".join(_rule(at, text, top) for at, text in lines)
    times = sorted({time for one in made for time in one.points})
    words = [f"{panel.visualization.get('yTitle', '')}: up to {written(top, column)}", *(text for _, text in lines)]
    axis = _axis(times, " · ".join(words))
    svg = f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" preserveAspectRatio="none">{drawn}</svg>'
    return f'<div class="chart"><div class="plot">{axis}{svg}</div>{_legend(made)}</div>'


def heatmap(panel: Panel, found: Numbers) -> str:
    """Rows of cells with their numbers."""
    state = panel.visualization
    by, x, value = (str(state[key]) for key in ("yAccessor", "xAccessor", "valueAccessor"))
    cells = {(row[by], row[x]): row.get(value) or 0 for row in found.rows}
    times = sorted({time for _, time in cells if cells[_, time]})
    most = max(cells.values(), default=1) or 1
    lines = []
    for group in sorted({one for one, _ in cells}, reverse=True):
        line = "".join(_heat(cells.get((group, time), 0), most) for time in times)
        lines.append(f"<tr><td class=n>{safe(f'{group:g}')}</td>{line}</tr>")
    return f"<table class=heat>{''.join(lines)}</table><div class=said>{safe(found.label(by))}</div>"


def _heat(value: float, most: float) -> str:
    return f'<td style="background:rgba(22,197,192,{value / most:.2f})">{value:g}</td>' if value else "<td></td>"


def _series(data: Json, found: Numbers) -> Iterator[Series]:
    """One for each number and group; a group is named by its key."""
    split, x = str(data.get("splitAccessor", "")), str(data.get("xAccessor"))
    names = [str(one) for one in listing(data.get("accessors"))]
    for name in names:
        groups: dict[str, dict[float, float]] = {}
        for row in found.rows:
            key = row.get(split)
            parts = key if isinstance(key, tuple) else () if key is None else (key,)
            word = " › ".join(map(str, parts)) or found.label(name)  # noqa: RUF001
            if row.get(name) is not None and row.get(x) is not None:
                groups.setdefault(word, {})[float(row[x])] = float(row[name])
        yield from (Series(word, points) for word, points in groups.items())


def _lines(panel: Panel, layers: list[Json]) -> Iterator[tuple[float, str]]:
    for one in layers:
        if one.get("layerType") == "referenceLine":
            columns = next(layer.columns for layer in panel.layers if layer.id == one.get("layerId"))
            for column in columns.values():
                yield float(mapping(column.get("params"))["value"]), str(column.get("label"))


def _top(made: list[Series], *, stacked: bool) -> float:
    if not stacked:
        return max((value for one in made for value in one.points.values()), default=0.0)
    sums: dict[float, float] = {}
    for one in made:
        for time, value in one.points.items():
            sums[time] = sums.get(time, 0) + value
    return max(sums.values(), default=0.0)


def _shape(made: list[Series], kind: str, top: float) -> Iterator[str]:
    times = sorted({time for one in made for time in one.points})
    if not times:
        return
    step = WIDTH / len(times)
    below = dict.fromkeys(times, 0.0)
    for number, one in enumerate(made):
        colour = COLOURS[number % len(COLOURS)]
        if not kind.startswith(("bar", "area")):
            yield _line([((times.index(t) + 0.5) * step, _y(v, top)) for t, v in sorted(one.points.items())], colour)
            continue
        for place, time in enumerate(times):
            value = one.points.get(time, 0.0)
            high = value / top * (HEIGHT - 4)
            y = _y(below[time] + value, top)
            wide = step * (0.9 if kind.startswith("bar") else 1.02)
            yield f'<rect x="{place * step:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" fill="{colour}"/>'
            if kind.endswith("_stacked"):
                below[time] += value


def _line(spots: list[tuple[float, float]], colour: str) -> str:
    """A line, or a dot where there is one point alone."""
    if len(spots) == 1:
        return f'<circle cx="{spots[0][0]:.1f}" cy="{spots[0][1]:.1f}" r="3" fill="{colour}"/>'
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _rule(at: float, text: str, top: float) -> str:
    if at > top:
        return ""
    place = f'x1="0" x2="{WIDTH:g}" y1="{_y(at, top):.1f}" y2="{_y(at, top):.1f}"'
    return f'<line {place} stroke="#cc5642" stroke-dasharray="5 4"><title>{safe(text)}</title></line>'


def _y(value: float, top: float) -> float:
    return HEIGHT - value / top * (HEIGHT - 4)


def _axis(times: list[float], words: str) -> str:
    ends = ""
    if times:
        ends_at = (datetime.fromtimestamp(one / 1000, timezone.utc) for one in (times[0], times[-1]))
        first, last = (one.strftime("%H:%M:%S") for one in ends_at)
        ends = f'<span class="x">{first}</span><span class="x end">{last}</span>'
    return f'<span class="y">{safe(words)}</span>{ends}'


def _legend(made: list[Series]) -> str:
    rows = [
        f'<li><i style="background:{COLOURS[number % len(COLOURS)]}"></i>{safe(one.name)}</li>'
        for number, one in enumerate(made[:_SEEN])
    ]
    return f'<ul class="legend">{"".join(rows)}</ul>'
