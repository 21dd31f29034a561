"""``make outlines``: writes ``outlines.json`` anew, from the npm package ``world-atlas`` of the version written here.

Rules: needs npm; only a developer runs it. The package (ISC licence, Mike Bostock) is Natural Earth's land at 1:110
million, which is in the public domain, as TopoJSON (https://github.com/topojson/topojson-specification). Land without
borders, for borders are disputed. Small islands go, and Antarctica, which Mercator makes larger than all the rest.
What lies across the 180th meridian is cut there: else a line would run back over the whole map.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from math import hypot
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from kibana_assets.dashboards.outlines import FILE, MOST_BYTES

VERSION: Final = "2.0.2"
WITHIN: Final = 0.2
"""Degrees that an outline may be off."""
SMALLEST: Final = 1.5
"""Square degrees of an island that stays; Hawaii does."""
HALF: Final = 180.0
"""The meridian that ends the map."""
SOUTH: Final = -60.0
"""What lies wholly beyond is left out."""

Point = tuple[float, float]
Ring = list[Point]


def rings(atlas: dict[str, Any]) -> Iterator[list[Ring]]:
    """The polygons of ``land``, each its outer ring and then its lakes, in degrees (longitude, latitude)."""
    (scale_x, scale_y), (move_x, move_y) = atlas["transform"]["scale"], atlas["transform"]["translate"]
    arcs = []
    for steps in atlas["arcs"]:
        x = y = 0
        arc = []
        for step_x, step_y in steps:
            x, y = x + step_x, y + step_y
            arc.append((x * scale_x + move_x, y * scale_y + move_y))
        arcs.append(arc)
    for geometry in atlas["objects"]["land"]["geometries"]:
        for polygon in geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]:
            yield [_joined(ring, arcs) for ring in polygon]


def cut(ring: Ring) -> Iterator[Ring]:
    """The parts of a closed ring on either side of the 180th meridian; most have one."""
    turns, whole = 0, [ring[0]]
    for before, (x, y) in pairwise(ring):
        turns += (x - before[0] < -HALF) - (x - before[0] > HALF)
        whole.append((x + turns * 2 * HALF, y))
    for world in (-1, 0, 1):
        moved = [(x + world * 2 * HALF, y) for x, y in whole]
        part = _beyond(_beyond(moved, 1), -1)
        if len(part) > 3:
            yield part


def simplified(ring: Ring, within: float) -> Ring:
    """A closed ring by Douglas and Peucker, in two halves, since it ends where it begins; rounded to tenths."""
    first = ring[0]
    middle = max(range(len(ring)), key=lambda at: hypot(ring[at][0] - first[0], ring[at][1] - first[1]))
    kept = [*_line(ring[: middle + 1], within)[:-1], *_line(ring[middle:], within)]
    rounded = [(round(x, 1), round(y, 1)) for x, y in kept]
    return [point for at, point in enumerate(rounded) if at == 0 or point != rounded[at - 1]]


def area(ring: Ring) -> float:
    """Square degrees within a closed ring."""
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))) / 2


def outlines(atlas: dict[str, Any]) -> dict[str, Any]:
    """The collection of one feature that the map draws."""
    land = []
    for outer, *lakes in rings(atlas):
        if max(y for _, y in outer) <= SOUTH:
            continue
        # A lake lies on one side of the cut.
        for part in cut(outer):
            kept = [part, *(lake for lake in lakes if _west(part) <= _west(lake) and _west(lake) < _east(part))]
            if area(part) >= SMALLEST:
                land.append([simplified(one, WITHIN) for one in kept if area(one) >= SMALLEST])
    land.sort(key=lambda polygon: (-area(polygon[0]), polygon[0]))
    geometry = {"type": "MultiPolygon", "coordinates": land}
    return {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": geometry}]}


def main() -> int:
    """Fetch, simplify, write."""
    with TemporaryDirectory() as place:
        wanted = ["npm", "install", "--silent", "--no-audit", "--prefix", place, f"world-atlas@{VERSION}"]
        subprocess.run(wanted, check=True)
        atlas = json.loads((Path(place) / "node_modules/world-atlas/land-110m.json").read_bytes())
    text = json.dumps(outlines(atlas), separators=(",", ":")).replace(".0,", ",").replace(".0]", "]")
    if len(text) > MOST_BYTES:
        print(f"{FILE}: {len(text)} bytes, expected {MOST_BYTES} at most", file=sys.stderr)
        return 1
    Path(__file__).with_name(FILE).write_text(text + "\n", encoding="utf-8")
    print(f"{FILE}: {len(text)} bytes, of world-atlas {VERSION}")
    return 0


def _joined(ring: list[int], arcs: list[Ring]) -> Ring:
    """One ring of its arcs; ``~number`` is an arc the other way round, and each begins where the last one ended."""
    made: Ring = []
    for number in ring:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        made += arc[1:] if made else arc
    return made


def _beyond(ring: Ring, side: int) -> Ring:
    """What of a closed ring lies west (1) or east (-1) of where the map ends there, closed along that end."""
    edge, kept = side * HALF, []
    for (x, y), (to_x, to_y) in pairwise(ring):
        inside, stays = x * side <= HALF, to_x * side <= HALF
        if inside:
            kept.append((x, y))
        if inside != stays and x != edge:
            kept.append((edge, y + (to_y - y) * (edge - x) / (to_x - x)))
    return [*kept, kept[0]] if kept else []


def _west(ring: Ring) -> float:
    return min(x for x, _ in ring)


def _east(ring: Ring) -> float:
    return max(x for x, _ in ring)


def _line(points: Ring, within: float) -> Ring:
    """The ends, and in between what is more than ``within`` off the line."""
    if len(points) < 3:
        return points
    far, at = max((_off(point, points[0], points[-1]), at) for at, point in enumerate(points[1:-1], 1))
    if far <= within:
        return [points[0], points[-1]]
    return [*_line(points[: at + 1], within)[:-1], *_line(points[at:], within)]


def _off(point: Point, start: Point, end: Point) -> float:
    """The distance of a point from a line."""
    long, high = end[0] - start[0], end[1] - start[1]
    whole = long * long + high * high
    if not whole:
        return hypot(point[0] - start[0], point[1] - start[1])
    part = min(1, max(0, ((point[0] - start[0]) * long + (point[1] - start[1]) * high) / whole))
    return hypot(point[0] - start[0] - part * long, point[1] - start[1] - part * high)


if __name__ == "__main__":
    sys.exit(main())
