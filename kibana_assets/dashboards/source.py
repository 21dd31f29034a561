"""The sources ``sources/*.yml``, one a dashboard, read into values.

Rules: panels stand in rows, left to right, each with its share of the row's width. A panel names its data streams by
their folders in ``package/data_stream``, all of one type (logs or metrics). Every error names file and line.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from importlib import resources
from typing import Final

from kibana_assets.dashboards.measure_source import TIME, bucket, measure, threshold
from kibana_assets.dashboards.model import Bucket, Control, Dashboard, Link, Panel, Row
from kibana_assets.dashboards.reading import Mapping, read_mapping
from kibana_assets.errors import PackageError
from kibana_assets.package.streams import Stream

PREFIX: Final = "local_llm-"
KINDS: Final = frozenset({"metric", "line", "area", "bar", "pie", "table", "heatmap", "gauge", "map", "text", "links"})
OVER_TIME: Final = frozenset({"line", "area", "bar", "heatmap"})
WITHOUT_DATA: Final = frozenset({"text", "links"})

Streams = AnyMapping[str, Stream]


def sources() -> dict[str, str]:
    """The texts of this llm-bundle's sources by file name, in the order of the names."""
    folder = resources.files("kibana_assets.dashboards").joinpath("sources")
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".yml")), key=lambda file: file.name)
    return {file.name: file.read_text(encoding="utf-8") for file in found}


def dashboard(text: str, file: str, streams: Streams) -> Dashboard:
    """The dashboard that ``text`` describes; ``streams`` are the data streams by folder. Raises: PackageError."""
    read = read_mapping(text, file)
    made = Dashboard(
        id=PREFIX + read.text("id"),
        title=read.text("title"),
        description=read.text("description"),
        file=file,
        controls=tuple(_control(one, streams) for one in read.mappings("controls")),
        rows=tuple(_row(one, streams) for one in read.mappings("rows")),
        time_from=read.text("time_from", "now-24h"),
    )
    read.close()
    if not made.panels:
        raise read.wrong("rows", "no panels", "one at least")
    _once(made)
    return made


def _once(made: Dashboard) -> None:
    known: dict[str, str] = {}
    for panel in made.panels:
        if panel.id in known:
            raise PackageError(f"{panel.place}: id: found {panel.id!r}, which {known[panel.id]} has, expected another")
        known[panel.id] = panel.place


def _row(read: Mapping, streams: Streams) -> Row:
    made = Row(read.whole("height", 12), tuple(_panel(one, streams) for one in read.mappings("panels")))
    if not made.panels:
        raise read.wrong("panels", "nothing", "a list of panels")
    read.close()
    return made


def _control(read: Mapping, streams: Streams) -> Control:
    view, _ = _data(read, streams)
    made = Control(read.text("field"), read.text("as"), view)
    read.close()
    return made


def _panel(read: Mapping, streams: Streams) -> Panel:
    kind = read.one_of("kind", KINDS)
    view, datasets = _data(read, streams) if kind not in WITHOUT_DATA else ("", ())
    made = Panel(
        id=read.text("id"),
        title=read.text("title"),
        kind=kind,
        place=read.place,
        view=view,
        datasets=datasets,
        query=read.text("query", ""),
        description=read.text("description", ""),
        measures=tuple(measure(one) for one in read.mappings("measures")),
        x=_bucket(read, "x") or (TIME if kind in OVER_TIME else None),
        by=_by(read),
        thresholds=tuple(threshold(one) for one in read.mappings("thresholds")),
        text=read.text("text") if kind == "text" else "",
        links=tuple(_link(one) for one in read.mappings("links")) if kind == "links" else (),
        stacked=read.flag("stacked"),
        width=read.number("width", 1),
        time_from=read.text("time_from", ""),
    )
    read.close()
    _check(made, read)
    return made


def _check(panel: Panel, read: Mapping) -> None:
    if panel.kind not in WITHOUT_DATA and not panel.measures:
        raise read.wrong("measures", "nothing", "what the panel shows")
    if len(panel.measures) > 9:
        raise read.wrong("measures", f"{len(panel.measures)} measures", "9 at most")
    if panel.kind in ("metric", "gauge", "heatmap", "pie", "map") and len(panel.measures) != 1:
        raise read.wrong("measures", f"{len(panel.measures)} measures", f"one, for a {panel.kind} shows no more")
    if panel.kind == "links" and not panel.links:
        raise read.wrong("links", "nothing", "a list of dashboards")
    if panel.kind in ("pie", "table", "heatmap", "map") and not panel.by:
        raise read.wrong("by", "nothing", "what the numbers are grouped by")
    if panel.kind != "table" and len(panel.by) > 1:
        raise read.wrong("by", f"{len(panel.by)} groupings", "one, for only a table has more")
    if panel.kind == "map":
        _check_map(panel, read)
    elif any(one.op == "place" for one in (*panel.by, *((panel.x,) if panel.x else ()))):
        raise read.wrong("by", "places", "a map, which alone shows them")
    if panel.width <= 0:
        raise read.wrong("width", f"{panel.width:g}", "a number above 0")
    order = [one.at for one in panel.thresholds]
    if order != sorted(set(order)):
        raise read.wrong("thresholds", "an order that is not theirs", "each from a larger number than the one before")


def _check_map(panel: Panel, read: Mapping) -> None:
    """A map's circles are counts; what Kibana cannot do there would be left out without a word."""
    [shown], [by] = panel.measures, panel.by
    if shown.op != "count" or shown.query or shown.per:
        raise read.wrong("measures", f"the operation {shown.op}", "a count of all that the panel's query finds")
    if by.op != "place" or len(by.fields) != 1:
        raise read.wrong("by", f"{by.op} of {len(by.fields)} fields", "place, of one field")
    for key in ("x", "time_from", "thresholds"):
        if read.has(key):
            raise read.wrong(key, "it", "none, for a map has none")


def _data(read: Mapping, streams: Streams) -> tuple[str, tuple[str, ...]]:
    """The data view and the datasets."""
    names = read.texts("dataset")
    if not names:
        raise read.wrong("dataset", "nothing", "the data stream that the panel reads")
    for name in names:
        if name not in streams:
            raise read.wrong("dataset", repr(name), f"one of {', '.join(sorted(streams))}")
    types = sorted({streams[name].type for name in names})
    if len(types) > 1:
        raise read.wrong("dataset", " and ".join(types), "data streams of one type")
    return f"{types[0]}-*", tuple(streams[name].dataset for name in names)


def _bucket(read: Mapping, key: str) -> Bucket | None:
    found = read.mapping(key)
    return None if found is None else bucket(found)


def _by(read: Mapping) -> tuple[Bucket, ...]:
    """One bucket as a mapping, or several as a list."""
    if read.is_list("by"):
        return tuple(bucket(one) for one in read.mappings("by"))
    found = _bucket(read, "by")
    return () if found is None else (found,)


def _link(read: Mapping) -> Link:
    made = Link(PREFIX + read.text("to"), read.text("as"))
    read.close()
    return made
