"""The day's logs through an agent's inputs, as the package's templates make them, and our pipelines into a node.

Rules: what the test nodes lack is stored another way, which ``HISTOGRAM`` says: a histogram becomes a number with as
many values as it counted, of which percentiles and averages are the same. The pipeline's own work is not touched.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from bundler.errors import BundleError
from bundler.site.audit import audited
from bundler.site.place import Place
from bundler.site.tls.place import certificate_end
from kibana_assets.dashboards.queries import Window
from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import Field, read_fields
from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import Node
from tests.counterparts.shipper import Input, Said, Shipper
from tests.dashboards.panels import day, engine_log, engine_metrics, studio
from tests.dashboards.panels.diary import Diary, Event
from tests.dashboards.panels.site import PanelSite
from tests.package.end_to_end import agent
from tests.package.simulate import install
from tests.package.store import install_templates, remove, store
from tests.package.vllm_scrapes import documents as piped

Json = dict[str, Any]
HISTOGRAM: Final = "histogram as its values"
NAMESPACE: Final = "panels"
LONG: Final = 1200
"""Seconds of the time range; the day itself lies in the middle."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A node with the day's documents, the diary, and the time range that has it all."""

    node: Node
    diary: Diary
    start: float

    def window(self, interval: int) -> Window:
        """The time range, in points of ``interval`` seconds; numbers are put together by hundreds."""
        ends = (self.start, self.start + LONG)
        first, last = (datetime.fromtimestamp(one, timezone.utc).isoformat() for one in ends)
        return Window(first, last, interval=interval, width=100)


@contextmanager
def recorded(node: Node, folder: Path) -> Iterator[Recorded]:
    """Live the day in ``folder`` and ship it to ``node``; it is taken away afterwards."""
    start = time.time() // 60 * 60 - LONG / 2
    known = {stream.name: stream for stream in streams(load())}
    try:
        for stream in known.values():
            install(node, stream)
            fields = tuple(map(_without_histogram, read_fields(load(), stream, ecs())))
            install_templates(node, stream, fields, stream.data_stream(NAMESPACE))
        with PanelSite(folder / "site") as site:
            diary = day.lived(site)
            studio.written(diary, site.lmstudio.home)
            engine_log.written(diary, folder / "vllm.log")
            _deeds(diary, folder / "installation", site)
            time.sleep(0.3)
            diary.read_log(site.logs(name) / "access.json.log" for name in site.proxies)
            _of_nginx_itself(diary, site)
            paths = site.paths() | {"vllm": [str(folder / "vllm.log")]}
            paths |= {"audit": [str(folder / "installation" / "audit.log")]}
            _ship(node, folder, known, paths)
        _metrics(node, known["vllm_metrics"], diary)
        _given_up(node, known["audit"], diary)
        diary.now = start + LONG
        yield Recorded(node, diary, start)
    finally:
        for stream in known.values():
            remove(node, stream.data_stream(NAMESPACE))


def _ship(node: Node, folder: Path, known: dict[str, Stream], paths: dict[str, list[str]]) -> None:
    said: list[tuple[Stream, Json]] = [
        (known[name], {"paths": one} | ({"containers": False} if name == "vllm" else {})) for name, one in paths.items()
    ]
    settings = agent.settings(folder / "modules", said)
    inputs = [Input(settings[name], known[name].data_stream(NAMESPACE), known[name].dataset) for name in paths]
    # An event may wait five seconds for another line; the shipper's clock jumps over them.
    clock = iter(range(0, 1_000_000, 100))
    zone = f"{datetime.now().astimezone():%z}"
    shipper = Shipper(
        node.url,
        inputs,
        folder / "registry.json",
        said=Said(seconds=lambda: float(next(clock)), zone=f"{zone[:3]}:{zone[3:]}"),
    )
    while shipper.turn():
        pass
    assert shipper.refused == [], shipper.refused[0]
    node.call("POST", f"logs-*-{NAMESPACE}/_refresh")


def _deeds(diary: Diary, folder: Path, site: PanelSite) -> None:
    """What was done to the installation, by the code that writes its log."""
    place = Place(folder)
    place.tls.mkdir(parents=True)
    (place.tls / "server.crt").write_bytes(site.certificate.certificate.read_bytes())
    diary.ends = certificate_end(place.tls / "server.crt")
    for action, bad in (("install", False), ("rotate-token", False), ("rotate-token", False), ("upgrade", True)):
        try:
            with audited(place, action, {"release": "r1"}):
                if bad:
                    raise BundleError("no space")
        except BundleError:
            assert bad
        diary.deeds.append(Event(time.time(), action, bad=bad))


def _of_nginx_itself(diary: Diary, site: PanelSite) -> None:
    """What stands in the error logs and no client met, such as a limit of open files that could not be raised."""
    for name in site.proxies:
        for line in (site.logs(name) / "error.log").read_text(encoding="utf-8").splitlines():
            if ", client: " not in line:
                code = "" if "[warn]" in line else "other"
                at = datetime.strptime(line[:19], "%Y/%m/%d %H:%M:%S").astimezone().timestamp()
                diary.errors.append(Event(at, code, bad=bool(code), code=code, facts={"id": ""}))


def _metrics(node: Node, stream: Stream, diary: Diary) -> None:
    made = piped(node, engine_metrics.lived(diary, time.time()))
    names = [one.name.split(".") for one in read_fields(load(), stream, ecs()) if one.type == "histogram"]
    for document in made:
        document["data_stream"] = _placed(stream)
        for path in names:
            _spread(document, path)
    store(node, stream.data_stream(NAMESPACE), made)


def _given_up(node: Node, stream: Stream, diary: Diary) -> None:
    """Documents that a pipeline gave up on, which ours have not been brought to: as its ``on_failure`` leaves them."""
    diary.gave_up = 2
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    left = {"@timestamp": now, "data_stream": _placed(stream), "event": {"kind": "pipeline_error"}}
    store(node, stream.data_stream(NAMESPACE), [left | {"error": {"message": f"{place}"}} for place in range(2)])


def _placed(stream: Stream) -> Json:
    return {"type": stream.type, "dataset": stream.dataset, "namespace": NAMESPACE}


def _without_histogram(field: Field) -> Field:
    if field.type != "histogram":
        return field
    return replace(field, type="double", entry={**field.entry, "type": "double"})


def _spread(document: Json, path: list[str]) -> None:
    *above, last = path
    for name in above:
        document = document.get(name, {})
    found = document.get(last)
    if found:
        pairs = zip(found["values"], found["counts"], strict=True)
        document[last] = [value for value, count in pairs for _ in range(count)]
