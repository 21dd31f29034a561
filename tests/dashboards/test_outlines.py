"""The outlines of the world: what is in the file, and how TopoJSON becomes it."""

from __future__ import annotations

from importlib import resources
from itertools import pairwise
from typing import Any

from kibana_assets.dashboards.outlines import FILE, MOST_BYTES, outlines
from kibana_assets.dashboards.refresh_outlines import area, cut, rings, simplified
from kibana_assets.dashboards.refresh_outlines import outlines as made_of

SQUARE = [(0.0, 0.0), (5.0, 0.04), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (0.0, 0.0)]


def atlas(arcs: list[Any], *polygons: list[list[int]]) -> dict[str, Any]:
    """TopoJSON whose steps are tenths of a degree from the south-western corner on."""
    land = {"type": "GeometryCollection", "geometries": [{"type": "MultiPolygon", "arcs": polygons}]}
    transform = {"scale": [0.1, 0.1], "translate": [-180, -90]}
    return {"type": "Topology", "transform": transform, "arcs": arcs, "objects": {"land": land}}


def steps(*points: tuple[float, float]) -> list[list[int]]:
    """An arc through points in degrees."""
    at = [(round((x + 180) * 10), round((y + 90) * 10)) for x, y in points]
    return [list(at[0]), *([b[0] - a[0], b[1] - a[1]] for a, b in pairwise(at))]


def test_the_file_is_small_land_of_closed_rings() -> None:
    assert len(resources.files("kibana_assets.dashboards").joinpath(FILE).read_bytes()) <= MOST_BYTES + 1
    (feature,) = outlines()["features"]
    polygons = feature["geometry"]["coordinates"]
    points = [point for polygon in polygons for ring in polygon for point in ring]
    assert all(ring[0] == ring[-1] and len(ring) > 3 for polygon in polygons for ring in polygon)
    assert all(-180 <= lon <= 180 and -60 < lat < 84 for lon, lat in points)
    assert all(point == [round(one, 1) for one in point] for point in points)
    for name, lon, lat in (("Kansas", -98, 38), ("Kinshasa", 15.3, -4.3), ("Bavaria", 11.5, 48.8), ("Perth", 117, -32)):
        assert _on_land(polygons, lon, lat), name
    for name, lon, lat in (("Atlantic", -40, 30), ("Caspian Sea", 50.5, 41.5), ("South Pole", 0, -89)):
        assert not _on_land(polygons, lon, lat), name


def test_arcs_are_put_together_either_way_round() -> None:
    upper = steps((0, 0), (0, 10), (10, 10))
    lower = steps((0, 0), (10, 0), (10, 10))
    ((ring,),) = rings(atlas([upper, lower], [[0, ~1]]))
    assert [(round(x, 6), round(y, 6)) for x, y in ring] == [(0, 0), (0, 10), (10, 10), (10, 0), (0, 0)]


def test_what_is_off_by_little_goes_and_corners_stay() -> None:
    assert simplified(SQUARE, 0.2) == [SQUARE[0], *SQUARE[2:]]
    assert simplified(SQUARE, 0.01) == [(x, round(y, 1)) for x, y in SQUARE]
    assert area(SQUARE) == 99.8


def test_what_lies_across_the_end_of_the_map_is_cut_there() -> None:
    across = [(170.0, 0.0), (-170.0, 0.0), (-170.0, 10.0), (170.0, 10.0), (170.0, 0.0)]
    west, east = sorted(cut(across))
    assert set(west) == {(-180, 0), (-170, 0), (-170, 10), (-180, 10)}
    assert set(east) == {(170, 0), (180, 0), (180, 10), (170, 10)}
    assert west[0] == west[-1]
    assert east[0] == east[-1]
    assert list(cut(SQUARE)) == [SQUARE]
    for polygon in outlines()["features"][0]["geometry"]["coordinates"]:
        for ring in polygon:
            assert all(abs(a[0] - b[0]) < 180 for a, b in pairwise(ring)), "a line over the whole map"


def test_small_islands_and_the_far_south_are_left_out_and_lakes_kept() -> None:
    land = steps((0, 0), (0, 10), (10, 10), (10, 0), (0, 0))
    lake = steps((2, 2), (4, 2), (4, 4), (2, 4), (2, 2))
    pond = steps((6, 6), (6.5, 6), (6.5, 6.5), (6, 6))
    island = steps((20, 0), (20, 1), (21, 1), (20, 0))
    south = steps((0, -80), (0, -70), (10, -70), (10, -80), (0, -80))
    across = steps((175, 40), (-175, 40), (-175, 45), (175, 45), (175, 40))
    made = made_of(atlas([land, lake, pond, island, south, across], [[0], [1], [2]], [[3]], [[4]], [[5]]))
    kept, west, east = made["features"][0]["geometry"]["coordinates"]
    assert [ring[0] for ring in kept] == [(0, 0), (2, 2)]
    assert [len(west), min(west[0]), max(west[0])] == [1, (-180, 40), (-175, 45)]
    assert [len(east), min(east[0]), max(east[0])] == [1, (175, 40), (180, 45)]


def _on_land(polygons: list[Any], lon: float, lat: float) -> bool:
    return any(sum(_crossed(ring, lon, lat) for ring in polygon) % 2 for polygon in polygons)


def _crossed(ring: list[Any], lon: float, lat: float) -> int:
    """How often a line to the east crosses a ring."""
    pairs = pairwise(ring)
    return sum(
        (a[1] > lat) != (b[1] > lat) and lon < a[0] + (lat - a[1]) / (b[1] - a[1]) * (b[0] - a[0]) for a, b in pairs
    )
