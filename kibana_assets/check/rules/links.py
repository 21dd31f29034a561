"""Rules for references: what a panel refers to is named, and is there."""

from __future__ import annotations

from kibana_assets.check.board import Board, Panel, listing, mapping
from kibana_assets.check.context import Context
from kibana_assets.check.rules.interface import Faults, Rule


def panels_name_their_data_views(board: Board, context: Context) -> Faults:
    for panel in _of_data(board):
        named = {str(mapping(one).get("name")) for one in listing(panel.attributes.get("references"))}
        above = _names(board)
        if not named:
            yield f"{panel.place}: references", "none", "one for each layer, or the panel stays empty"
            continue
        for layer in panel.layers:
            name = layer.reference
            if not name or name not in named:
                yield f"{panel.place}: references", f"none for the layer {layer.id}", name or "indexPatternRefName"
            elif f"{panel.id}:{name}" not in above:
                yield f"{board.id}: references", f"none for the layer {layer.id}", f"{panel.id}:{name}"


def what_is_referred_to_is_there(board: Board, context: Context) -> Faults:
    for one in listing(board.raw.get("references")):
        read = mapping(one)
        target = (str(read.get("type", "")), str(read.get("id", "")))
        if target not in context.objects:
            yield f"{board.id}: references: {read.get('name')}", f"{target[0]} {target[1]}", "an object that is there"


def links_lead_to_dashboards(board: Board, context: Context) -> Faults:
    targets = {str(mapping(one).get("name")): mapping(one) for one in listing(board.raw.get("references"))}
    for panel in board.panels:
        if panel.type != "links":
            continue
        for link in map(mapping, listing(panel.attributes.get("links"))):
            target = targets.get(f"{panel.id}:{link.get('destinationRefName')}", {})
            if link.get("type") == "dashboardLink" and ("dashboard", target.get("id")) not in context.objects:
                found = f"the link {link.get('label')!r}, which leads to {target.get('id') or 'nothing'}"
                yield panel.place, found, "a dashboard that is there"


def controls_name_their_data_views(board: Board, context: Context) -> Faults:
    above = _names(board)
    for name in board.controls:
        expected = f"controlGroup_{name}:optionsListDataView"
        if expected not in above:
            yield f"{board.id}: control {name}", "no reference", expected


def _names(board: Board) -> set[str]:
    return {str(mapping(one).get("name")) for one in listing(board.raw.get("references"))}


def _of_data(board: Board) -> list[Panel]:
    return [panel for panel in board.panels if panel.type == "lens" or panel.layers]


RULES: tuple[Rule, ...] = (
    panels_name_their_data_views,
    what_is_referred_to_is_there,
    links_lead_to_dashboards,
    controls_name_their_data_views,
)
