"""A small good dashboard over the small package, whole by every rule; tests change what they need to."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from kibana_assets.check.board import board as taken_apart
from kibana_assets.check.context import Context, declared, present
from kibana_assets.check.finding import Finding
from kibana_assets.check.rules import RULES
from kibana_assets.check.rules.interface import Fault
from kibana_assets.check.run import check_objects
from kibana_assets.dashboards.dashboard import saved_object
from kibana_assets.dashboards.model import Dashboard
from kibana_assets.dashboards.objects import TAG, tag
from kibana_assets.dashboards.source import dashboard
from kibana_assets.package.streams import streams
from tests.kibana_assets.package.small import small

Json = dict[str, Any]
SOURCE = """
id: small
title: Small
description: Shows small things.
controls:
  - {field: small.log.state, as: State, dataset: log}
rows:
  - height: 6
    panels:
      - id: tile
        title: Events
        kind: metric
        dataset: log
        query: 'small.log.state: open'
        measures:
          - {op: count, unit: events, as: Events}
        thresholds:
          - {from: 0, level: ok, text: none}
          - {from: 5, level: bad, text: many}
      - id: gauge
        title: Share
        kind: gauge
        dataset: log
        measures:
          - {op: share, query: 'small.log.state: open', as: Open}
        thresholds:
          - {from: 0, level: ok, text: few}
          - {from: 0.5, level: bad, text: most}
        width: 2
  - panels:
      - id: rates
        title: Tokens
        kind: line
        dataset: rate
        measures:
          - {op: rate, of: small.rate.tokens, unit: tokens/s, as: Tokens}
        by: {terms: service.name, as: Service, collapse: sum}
      - id: times
        title: Times
        kind: line
        dataset: log
        measures:
          - {op: percentile, of: small.log.wait_time, at: 95, unit: s, as: p95}
        by: {terms: small.log.state, as: State}
        thresholds:
          - {from: 0, level: ok, text: fast}
          - {from: 9, level: warning, text: slow}
      - id: table
        title: States
        kind: table
        dataset: log
        measures:
          - {op: count, unit: events, as: Events}
          - {op: max, of: '@timestamp', unit: none, as: Last}
          - {op: last_value, of: small.log.state, unit: none, as: State now}
        by: {terms: small.log.state, as: State}
  - panels:
      - id: heat
        title: Waits
        kind: heatmap
        dataset: log
        measures:
          - {op: count, unit: events, as: Events}
        by: {range: small.log.wait_time, as: Wait}
      - id: ring
        title: Ring
        kind: pie
        dataset: log
        measures:
          - {op: count, unit: events, as: Events}
        by:
          as: State
          filters: {open: 'small.log.state: open', others: 'not small.log.state: open'}
      - id: map
        title: Places
        kind: map
        dataset: log
        query: 'small.log.state: open or small.log.wait_time > 1'
        measures:
          - {op: count, unit: events, as: Events}
        by: {place: small.log.where}
      - {id: text, title: No data?, kind: text, text: Switch it on.}
      - id: links
        title: Links
        kind: links
        links:
          - {to: small, as: Here}
"""
CONTEXT = Context(declared(small()), present([tag(), {"type": "dashboard", "id": "local_llm-small"}]))
Change = Callable[[Json], object]


def read(source: str = SOURCE, file: str = "small.yml") -> Dashboard:
    """The dashboard, over the small package."""
    return dashboard(source, file, {one.name: one for one in streams(small())})


def changed_source(old: str, new: str) -> str:
    """The source with its one ``old`` replaced."""
    assert SOURCE.count(old) == 1, f"{SOURCE.count(old)} times: {old}"
    return SOURCE.replace(old, new)


_MADE = saved_object(read(), TAG)


def board(change: Change | None = None) -> Json:
    """The saved object, changed; its ``…JSON`` parts are values."""
    made: Json = deepcopy(_MADE)
    if change:
        change(made)
    return made


def put(target: Any, key: str, value: object) -> None:
    """Set or, with None, take away."""
    if value is None:
        del target[key]
    else:
        target[key] = value


def panel(made: Json, name: str) -> Json:
    """A panel of it."""
    found: Json = next(one for one in made["attributes"]["panelsJSON"] if one["panelIndex"] == name)
    return found


def attributes(made: Json, name: str) -> Json:
    """A panel's by-value attributes."""
    found: Json = panel(made, name)["embeddableConfig"]["attributes"]
    return found


def state(made: Json, name: str) -> Json:
    """A Lens panel's state."""
    found: Json = attributes(made, name)["state"]
    return found


def layer(made: Json, name: str) -> Json:
    """A Lens panel's layer of data."""
    found: Json = state(made, name)["datasourceStates"]["formBased"]["layers"][f"{name}-data"]
    return found


def column(made: Json, name: str, number: str = "m0") -> Json:
    """A column of it."""
    found: Json = layer(made, name)["columns"][number]
    return found


def map_layer(made: Json, number: int = 1) -> Json:
    """A layer of the map: 0 is the land, 1 the circles."""
    found: Json = attributes(made, "map")["layerListJSON"][number]
    return found


# One island is land enough for the tests, which copy and change it often.
del map_layer(_MADE, 0)["sourceDescriptor"]["__featureCollection"]["features"][0]["geometry"]["coordinates"][:-1]


def look(*made: Json) -> list[Finding]:
    """What the check finds."""
    return check_objects([*made, tag()], small())


def faults(made: Json) -> list[Fault]:
    """What the rules find, without reading the package anew."""
    taken = taken_apart(made)
    return [fault for rule in RULES for fault in rule(taken, CONTEXT)]
