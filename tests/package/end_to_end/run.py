"""The end-to-end run: clients, proxies, logs, a shipper, Elasticsearch. Its documents are data for other tests, too.

Rules: the documents go into data streams of our templates, through our pipelines, in a namespace of their own. The
shipper runs all the time. Logs are turned over twice, once while Elasticsearch is down; it is killed at the busiest. At
the end the shipper has forgotten what it did in the second half, as after a power cut, and sends it again.
"""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import read_fields
from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import Node
from tests.counterparts.shipper import Input, Shipper
from tests.package.end_to_end import agent, day
from tests.package.end_to_end.clients import Clients, Saw
from tests.package.end_to_end.site import Site
from tests.package.simulate import install
from tests.package.store import install_templates

SHIPPED: Final = ("proxy_access", "proxy_error", "lmstudio")
_PATIENCE: Final = 60


@dataclass(frozen=True, slots=True)
class Interruption:
    """How Elasticsearch goes and comes back."""

    end: Callable[[], None]
    again: Callable[[], None]


@dataclass(slots=True)
class Recorded:
    """What the clients saw, and the data streams (name of the stream → of the data stream) with its documents.

    ``written`` is how many events stand in the logs of each stream, ``taken`` how many documents Elasticsearch took,
    ``again`` how many were there when they were sent once more, ``failures`` how often it took nothing.
    """

    node: Node
    namespace: str
    data_streams: dict[str, str]
    saw: list[Saw] = field(default_factory=list)
    written: dict[str, int] = field(default_factory=dict)
    taken: int = 0
    again: int = 0
    failures: int = 0
    refused: list[tuple[dict[str, Any], Any]] = field(default_factory=list)

    def documents(self, name: str, query: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """All documents of a stream that fit."""
        body = {"size": 10_000, "query": query or {"match_all": {}}}
        hits = self.node.call("POST", f"{self.data_streams[name]}/_search", body)["hits"]
        return [hit["_source"] for hit in hits["hits"]]

    def aggregate(self, name: str, aggregation: dict[str, Any], query: dict[str, Any] | None = None) -> Any:
        """The result of one aggregation over a stream."""
        body = {"size": 0, "query": query or {"match_all": {}}, "aggs": {"it": aggregation}}
        return self.node.call("POST", f"{self.data_streams[name]}/_search", body)["aggregations"]["it"]


def record(node: Node, folder: Path, modules: Path, interruption: Interruption | None = None) -> Recorded:
    """Make the run. ``modules`` is where npm's modules are or are put; without ``interruption`` the node stays up."""
    known = {stream.name: stream for stream in streams(load())}
    recorded = prepare(node, [known[name] for name in SHIPPED])
    with Site(folder / "site") as site:
        paths = site.paths()
        settings = agent.settings(modules, [(known[name], {"paths": paths[name]}) for name in SHIPPED])
        inputs = [Input(settings[name], recorded.data_streams[name], known[name].dataset) for name in SHIPPED]
        shipper = Shipper(node.url, inputs, folder / "registry.json")
        with Clients(site) as clients:
            with _running(shipper):
                day.calm(clients)
                day.refused(clients)
                site.rotate()
                _caught_up(node, recorded, clients)
                shutil.copy(folder / "registry.json", folder / "old.json")
                _the_rest(clients, interruption)
                _caught_up(node, recorded, clients)
            recorded.saw = clients.saw
        forgetful = Shipper(node.url, inputs, folder / "old.json")
        _to_the_end(shipper, forgetful)
        recorded.written = {name: site.written(name) for name in SHIPPED}
    for one in (shipper, forgetful):
        recorded.taken += one.taken
        recorded.again += one.again
        recorded.failures += one.failures
        recorded.refused += one.refused
    node.call("POST", f"{','.join(recorded.data_streams.values())}/_refresh")
    return recorded


def _the_rest(clients: Clients, interruption: Interruption | None) -> None:
    """From the busiest hour on, while Elasticsearch is away and comes back."""
    with ThreadPoolExecutor(1) as beside:
        if interruption:
            interruption.end()
        day.busy(clients)
        clients.site.rotate()
        back = beside.submit(interruption.again) if interruption else None
        day.abandoned(clients)
        day.lmstudio(clients)
        if back:
            back.result()


def prepare(node: Node, which: Iterable[Stream]) -> Recorded:
    """Pipelines and data streams for these streams, empty, in a namespace of their own."""
    namespace = f"run{secrets.token_hex(4)}"
    found = {}
    for stream in which:
        found[stream.name] = stream.data_stream(namespace)
        install(node, stream)
        install_templates(node, stream, read_fields(load(), stream, ecs()), found[stream.name])
    return Recorded(node, namespace, found)


@contextmanager
def _running(shipper: Shipper) -> Iterator[None]:
    thread = threading.Thread(target=shipper.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        shipper.stop()
        thread.join(_PATIENCE)
    assert not thread.is_alive(), "the shipper does not end"


def _caught_up(node: Node, recorded: Recorded, clients: Clients) -> None:
    """Wait until each request has a document, or nothing more comes."""
    name, until = recorded.data_streams["proxy_access"], time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        node.call("POST", f"{name}/_refresh")
        if node.call("GET", f"{name}/_count")["count"] >= len(clients.saw):
            return
        time.sleep(0.2)


def _to_the_end(*shippers: Shipper) -> None:
    """Until also the last event of each file was shipped, which may wait five seconds for another line."""
    quiet = time.monotonic()
    while time.monotonic() - quiet < 6:
        if sum(shipper.turn() for shipper in shippers):
            quiet = time.monotonic()
        time.sleep(0.2)
