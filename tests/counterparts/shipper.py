"""A shipper as Filebeat's filestream input is one: follows files, sends what is in them to Elasticsearch.

Rules: a file is known by the SHA-256 of its first bytes, so that it is the same one under another name, and one that
is shorter waits; two files that begin alike are one. What Elasticsearch has taken is written down, and after a crash it
goes on from there. What may have been taken already is sent again: its ``_id`` is its place in its file, so that a
document that is there is told by 409. Busy (429, 503) or gone: the same is sent again until it is taken. What is
refused for good is kept in ``refused``, for tests to look at.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO, Final

import requests

from tests.counterparts.filestream import Event, Reader, Settings

Document = dict[str, Any]
AGENT: Final = {"type": "filebeat", "version": "9.4.3", "id": "a1", "ephemeral_id": "e1", "name": "llm-host"}
_PIECE: Final = 1 << 20
_AGAIN: Final = (429, 502, 503)


@dataclass(frozen=True, slots=True)
class Input:
    """An input and where its events go: a data stream and the dataset that it belongs to."""

    settings: Settings
    data_stream: str
    dataset: str


@dataclass(frozen=True, slots=True)
class Said:
    """What the machine says that the shipper runs on: the time of reading and its zone."""

    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
    zone: str = "+00:00"
    seconds: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class _Read:
    """An event with its document, and the file that it is of."""

    identity: str
    event: Event
    document: Document
    data_stream: str

    @property
    def id(self) -> str:
        return hashlib.sha256(f"{self.identity}:{self.event.start}".encode()).hexdigest()[:20]


class Shipper:
    """Follows the files of ``inputs`` and sends to the node at ``url``; ``registry`` is the file of what was taken."""

    def __init__(
        self, url: str, inputs: Iterable[Input], registry: Path, *, said: Said | None = None, batch: int = 250
    ) -> None:
        self.inputs, self.url, self.batch = tuple(inputs), url, batch
        self.taken, self.again, self.failures = 0, 0, 0
        self.refused: list[tuple[Document, Any]] = []
        self._said, self._registry = said or Said(), registry
        self._offsets: dict[str, int] = json.loads(registry.read_text()) if registry.exists() else {}
        self._readers: dict[str, Reader] = {}
        self._stop = threading.Event()
        self._session = requests.Session()
        self._session.trust_env = False

    def turn(self) -> int:
        """Look at every file once, and send what is new; how many events. Blocks while Elasticsearch takes nothing."""
        waiting: list[_Read] = []
        sent = 0
        for one in self.inputs:
            for read in self._scan(one):
                waiting.append(read)
                if len(waiting) == self.batch:
                    sent += self._send(waiting)
                    waiting = []
        return sent + (self._send(waiting) if waiting else 0)

    def run(self, pause: float = 0.1) -> None:
        """Take turns until ``stop``."""
        while not self._stop.is_set():
            self.turn()
            self._stop.wait(pause)

    def stop(self) -> None:
        """End ``run``, also one that waits for Elasticsearch."""
        self._stop.set()

    def _scan(self, one: Input) -> Iterator[_Read]:
        seen = set()
        paths = (pattern[1:] for pattern in one.settings.paths if pattern.startswith("/"))
        for path in sorted({path for pattern in paths for path in Path("/").glob(pattern)}):
            if any(pattern.search(str(path)) for pattern in one.settings.exclude) or not path.is_file():
                continue
            with path.open("rb") as file:
                head = file.read(one.settings.fingerprint_length)
                if len(head) < one.settings.fingerprint_length:
                    continue
                mark = hashlib.sha256(head).hexdigest()
                if mark not in seen:
                    seen.add(mark)
                    yield from self._harvest(one, file, str(path), mark)

    def _harvest(self, one: Input, file: BinaryIO, path: str, mark: str) -> Iterator[_Read]:
        identity = f"{one.data_stream}:{mark}"
        reader = self._readers.setdefault(identity, Reader(one.settings, self._offsets.get(identity, 0)))
        if file.seek(0, 2) < reader.position:  # it was cut, and has grown again to what it began with
            reader = self._readers[identity] = Reader(one.settings, 0)
        file.seek(reader.position)
        while data := file.read(_PIECE):
            for event in reader.feed(data, self._said.seconds()):
                yield self._read(one, event, path, mark)
        for event in reader.idle(self._said.seconds()):
            yield self._read(one, event, path, mark)

    def _read(self, one: Input, event: Event, path: str, mark: str) -> _Read:
        made = document(one, event, self._said)
        made["log"]["file"] = {"path": path, "fingerprint": mark}
        return _Read(f"{one.data_stream}:{mark}", event, made, one.data_stream)

    def _send(self, events: list[_Read]) -> int:
        left = events
        while left and not self._stop.is_set():
            left = self._bulk(left)
            if left:
                self.failures += 1
                self._stop.wait(0.2)
        if left:
            return 0
        for read in events:
            self._offsets[read.identity] = read.event.end
        beside = self._registry.with_suffix(".new")
        beside.write_text(json.dumps(self._offsets))
        beside.replace(self._registry)
        return len(events)

    def _bulk(self, events: list[_Read]) -> list[_Read]:
        """Those that are to be sent again."""
        rows = "".join(
            f'{{"create":{{"_index":"{read.data_stream}","_id":"{read.id}"}}}}\n{json.dumps(read.document)}\n'
            for read in events
        )
        try:
            answer = self._session.post(
                f"{self.url}/_bulk", data=rows.encode(), headers={"Content-Type": "application/x-ndjson"}, timeout=60
            )
            items = answer.json()["items"] if answer.status_code == 200 else []
        except (requests.RequestException, ValueError):
            return events
        if not items and answer.status_code not in _AGAIN:
            raise AssertionError(f"_bulk: {answer.status_code}: {answer.text[:2000]}")
        return [read for read, item in zip(events, items, strict=True) if self._again(read, item)] if items else events

    def _again(self, read: _Read, item: dict[str, Any]) -> bool:
        result = item["create"]
        if result["status"] in _AGAIN:
            return True
        if result["status"] == 201:
            self.taken += 1
        elif result["status"] == 409:
            self.again += 1
        else:
            self.refused.append((read.document, result))
        return False


def document(one: Input, event: Event, said: Said) -> Document:
    """An event as the agent sends it, but for its file."""
    settings = one.settings
    kind, _, rest = one.data_stream.partition("-")
    made: Document = {
        "@timestamp": said.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "message": event.text,
        "log": {"offset": event.start},
        "input": {"type": "filestream"},
        "agent": dict(AGENT),
        "ecs": {"version": "8.0.0"},
        "event": {"dataset": one.dataset},
        "data_stream": {"type": kind, "dataset": one.dataset, "namespace": rest.removeprefix(f"{one.dataset}-")},
        "tags": list(settings.tags),
        **json.loads(json.dumps(dict(settings.fields))),
    }
    if event.time:
        made["@timestamp"] = event.time
    if event.stream:
        made["stream"] = event.stream
    if event.flags:
        made["log"]["flags"] = list(event.flags)
    if settings.locale:
        made["event"]["timezone"] = said.zone
    if settings.host:
        made["host"] = {"name": AGENT["name"]}
    return made
