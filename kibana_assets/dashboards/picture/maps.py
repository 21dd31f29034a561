"""A map as SVG: the shapes that it has itself, and a circle with its number for each place, in Kibana's Mercator."""

from __future__ import annotations

from math import asinh, pi, radians, tan
from typing import Any, Final

from kibana_assets.check.board import Panel, listing, mapping
from kibana_assets.dashboards.picture.form import safe
from kibana_assets.dashboards.picture.numbers import Numbers

Json = dict[str, Any]
_WORLD: Final = 512.0
"""Pixels of the whole world at zoom 0."""
_NORTH, _SOUTH, _SIDE = 78.0, -57.0, 175.0
_SMALL, _LARGE = 7.0, 18.0


def world(panel: Panel, found: Numbers | None) -> str:
    """The map, with the size of its circles beside it in words."""
    top, bottom = _y(_NORTH), _y(_SOUTH)
    box = f"{_x(-_SIDE):.1f} {top:.1f} {_x(_SIDE) - _x(-_SIDE):.1f} {bottom - top:.1f}"
    shapes = "".join(_shape(mapping(one.get("sourceDescriptor"))) for one in panel.map_layers)
    rows = found.rows if found else []
    most = max((row["m0"] for row in rows), default=0)
    circles = "".join(_circle(row["at"], row["m0"], most) for row in sorted(rows, key=lambda row: -row["m0"]))
    label = safe(found.label("m0")) if found else ""
    said = f"{label}: up to {most:,} at a place" if rows else "nobody with a public address"
    svg = f'<svg viewBox="{box}" preserveAspectRatio="xMidYMid meet">{shapes}{circles}</svg>'
    return f'<div class="map">{svg}<span class="y">{said}</span></div>'


def _shape(source: Json) -> str:
    paths = []
    for feature in listing(mapping(source.get("__featureCollection")).get("features")):
        shape = mapping(mapping(feature).get("geometry"))
        many = shape.get("type") == "MultiPolygon"
        for polygon in listing(shape.get("coordinates")) if many else [shape.get("coordinates")]:
            rings = ("L".join(f"{_x(lon):.1f} {_y(lat):.1f}" for lon, lat in ring) for ring in listing(polygon))
            paths.append("".join(f"M{ring}Z" for ring in rings))
    drawn = "".join(paths)
    return f'<path d="{drawn}" fill="#d3dae6" stroke="#b7c1d3" stroke-width=".5" fill-rule="evenodd"/>' if drawn else ""


def _circle(place: Json, count: float, most: float) -> str:
    """As large as its number, and never without it."""
    x, y = _x(float(place["lon"])), _y(float(place["lat"]))
    size = _SMALL + (_LARGE - _SMALL) * count / most
    where = f'cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}"'
    text = f'<text x="{x:.1f}" y="{y:.1f}" class="count">{count:,}</text>'
    return f'<circle {where} fill="#0b64dd" fill-opacity=".75" stroke="#fff"/>{text}'


def _x(lon: float) -> float:
    return (lon + 180) / 360 * _WORLD


def _y(lat: float) -> float:
    return (1 - asinh(tan(radians(lat))) / pi) / 2 * _WORLD
