"""The page of a dashboard: every panel where Kibana would put it.

Rules: one file without scripts and without anything from elsewhere. A panel's place is that of its grid, in Kibana's
own measures: 48 columns, rows of 20 pixels, gaps of 8. Everything that came from data or sources is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from kibana_assets.check.board import MAP, Board, Panel, listing, mapping
from kibana_assets.dashboards.picture import charts, maps, tables, tiles
from kibana_assets.dashboards.picture.form import safe
from kibana_assets.dashboards.picture.numbers import Numbers

Draw = Callable[[Panel, Numbers], str]
DRAWN: Final[Mapping[str, Draw]] = MappingProxyType(
    {
        "lnsMetric": tiles.metric,
        "lnsGauge": tiles.gauge,
        "lnsDatatable": tables.table,
        "lnsPie": tables.ring,
        "lnsXY": charts.xy,
        "lnsHeatmap": charts.heatmap,
    }
)
STYLE: Final = """
body{font:14px Inter,Helvetica,Arial,sans-serif;background:#f6f9fc;color:#111c2c;margin:16px;width:1568px}
h1{font-size:20px;margin:0 0 4px} .about{color:#516381;margin:0 0 12px}
.controls span{display:inline-block;background:#fff;border:1px solid #cad3e2;border-radius:4px;padding:6px 12px;
margin:0 8px 8px 0;min-width:220px}
.grid{display:grid;grid-template-columns:repeat(48,1fr);grid-auto-rows:20px;gap:8px}
.panel{background:#fff;border:1px solid #e3e8f2;border-radius:6px;overflow:hidden;display:flex;flex-direction:column;
min-width:0}
.panel h2{font-size:14px;margin:0;padding:6px 8px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;flex:none}
.body{flex:1;overflow:hidden;padding:0 8px 8px;position:relative;min-height:0}
.none{color:#798eaf;text-align:center;padding-top:12%} .said{color:#516381;font-size:12px}
.body:has(.tile){padding:0}
.tile{height:100%;box-sizing:border-box;padding:8px;position:relative;border-radius:4px;overflow:hidden}
.tile b{font-size:16px}
.tile .said{color:inherit;opacity:.85} .big{font-size:34px;font-weight:700;position:absolute;right:10px;bottom:6px}
.bar{background:#e3e8f2;height:14px;border-radius:3px} .bar div{height:14px;border-radius:3px}
.tile .bar{margin-top:30px}
table{border-collapse:collapse;width:100%;font-size:12px} th{text-align:left} th,td{padding:3px 6px;
border-bottom:1px solid #e3e8f2;vertical-align:top;word-break:break-word} .n{text-align:right;white-space:nowrap}
.share{width:50%} .heat td{text-align:center;border:0}
.chart{display:flex;height:100%;gap:8px} .plot{flex:1;position:relative;padding:16px 0;min-width:0}
.plot svg{width:100%;height:100%;border-left:1px solid #cad3e2;border-bottom:1px solid #cad3e2}
.y,.x{position:absolute;font-size:11px;color:#516381} .y{top:0;left:2px} .x{bottom:0;left:0} .x.end{left:auto;right:0}
.legend{list-style:none;margin:0;padding:0;font-size:11px;width:26%;overflow:hidden} .legend i{display:inline-block;
width:9px;height:9px;margin-right:5px;border-radius:5px} .legend li{white-space:nowrap;overflow:hidden;
text-overflow:ellipsis} a{color:#0b64dd;margin-right:24px;text-decoration:none}
.map{height:100%;position:relative} .map svg{width:100%;height:100%} .map .y{top:auto;bottom:0}
.count{font-size:9px;text-anchor:middle;dominant-baseline:central;paint-order:stroke;stroke:#fff;stroke-width:2px}
code{background:#ecf1f9;padding:0 3px}
"""


def page(board: Board, numbers: Mapping[str, Numbers | None]) -> str:
    """The page; ``numbers`` are those of each panel by its id, or nothing."""
    controls = "".join(f"<span>{safe(_title(one))}</span>" for one in board.controls.values())
    panels = "".join(_panel(one, numbers.get(one.id)) for one in board.panels)
    title = safe(board.attributes.get("title", board.id))
    about = safe(board.attributes.get("description", ""))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f'<h1>{title}</h1><p class="about">{about}</p><div class="controls">{controls}</div>'
        f'<div class="grid">{panels}</div></html>\n'
    )


def _title(control: Any) -> str:
    return str(mapping(mapping(control).get("explicitInput")).get("title", ""))


def _panel(panel: Panel, found: Numbers | None) -> str:
    place = mapping(panel.raw.get("gridData"))
    left, top, width, height = (int(place.get(key, 0)) for key in "xywh")
    where = f"grid-column:{left + 1}/span {width};grid-row:{top + 1}/span {height}"
    about = safe(panel.attributes.get("description", ""))
    head = "" if panel.config.get("hidePanelTitles") else f'<h2 title="{about}">{safe(panel.title)}</h2>'
    return f'<div class="panel" style="{where}">{head}<div class="body">{_body(panel, found)}</div></div>'


def _body(panel: Panel, found: Numbers | None) -> str:
    if panel.type == "links":
        return "".join(_link(mapping(one)) for one in listing(panel.attributes.get("links")))
    if panel.type == "visualization":
        params = mapping(mapping(panel.config.get("savedVis")).get("params"))
        return _markdown(str(params.get("markdown", "")))
    if panel.type == MAP:
        return maps.world(panel, found)
    kind = str(panel.attributes.get("visualizationType"))
    if found is None or kind not in DRAWN:
        return f'<div class="none">{safe(kind)}</div>'
    if not found.rows and kind not in ("lnsMetric", "lnsGauge"):
        return '<div class="none">No results found</div>'
    return DRAWN[kind](panel, found)


def _link(link: dict[str, Any]) -> str:
    return f'<a href="{safe(link.get("id", ""))}.html">{safe(link.get("label", ""))}</a>'


def _markdown(text: str) -> str:
    """Lists, bold, slanted and code: what our texts have."""
    made = []
    for line in re.sub(r"\n +(?![-\d])", " ", text).strip().splitlines():
        parts = safe(re.sub(r"^- ", "• ", line)).split("`")
        parts[0::2] = [
            re.sub(r"\*([^*]+)\*", r"<i>\1</i>", re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", one)) for one in parts[0::2]
        ]
        parts[1::2] = [f"<code>{one}</code>" for one in parts[1::2]]
        made.append(f"<div>{''.join(parts)}</div>")
    return "".join(made)
