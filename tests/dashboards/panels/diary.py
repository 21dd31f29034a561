"""What everybody who took part in the day wrote down: clients, stand-ins and those who changed the installation.

Rules: nothing here was read from a document. Of times that only the proxy knows (its own to the millisecond, those of
its upstream) the witness is its log, read here as JSON and by nothing of ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]
OPERATIONS: Final = {"/v1/chat/completions": "chat", "/v1/embeddings": "embeddings"}


@dataclass(frozen=True, slots=True)
class Call:
    """A request as its client tells it. ``began`` and ``ended`` in seconds since 1970, ``bytes`` of the body.

    ``ended_by`` is who gave the answer: ``engine``, ``proxy`` (it refused), ``client`` (it left), or ``failed``: the
    way to the engine did. ``whole`` is False for an answer of which the end was missing. ``id`` is empty where no
    answer told it. ``country`` and ``place`` (latitude, longitude) are those of a public address.
    """

    proxy: str
    status: int
    path: str
    label: str
    began: float
    ended: float
    ended_by: str = "engine"
    id: str = ""
    bytes: int = 0
    agent: str = ""
    model: str = ""
    source: str = "127.0.0.1"
    tls: str = "1.3"
    whole: bool = True
    country: str = ""
    place: tuple[float, float] | None = None

    @property
    def operation(self) -> str:
        """The operation of a call of the model; empty for another request."""
        return OPERATIONS.get(self.path, "")

    @property
    def denied(self) -> bool:
        """Refused by the proxy for who asked, what was asked, or how often."""
        return self.ended_by == "proxy" and self.status in (401, 403, 404, 405, 429)

    @property
    def bad(self) -> bool:
        """Not answered as it was asked, as far as an access log can tell: what the engine cut is whole to Nginx."""
        return self.status >= 400 or not (self.whole or self.cut)

    @property
    def cut(self) -> bool:
        """The engine fell silent or broke off in its answer, and the client saw a part with status 200."""
        return self.status == 200 and not self.whole and self.ended_by == "failed"


@dataclass(frozen=True, slots=True)
class Event:
    """A line that a stand-in wrote into its log. ``what`` it means, ``of`` which model or process, further facts."""

    at: float
    what: str
    of: str = ""
    bad: bool = False
    code: str = ""
    facts: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Served:
    """A request that an engine of vLLM finished before its scrape of number ``scrape``; times in seconds."""

    server: str
    engine: str
    scrape: int
    reason: str
    prompt: int
    answer: int
    times: dict[str, float]
    preempted: bool


@dataclass(slots=True)
class Diary:
    """The whole day. ``log`` is request id → the line of the proxy's access log, ``addresses`` proxy → its engine.

    ``ends`` is when the certificate does, ``gave_up`` how many events a pipeline gave up on,
    ``now`` the end of the time range, at which a dashboard is looked at.
    """

    calls: list[Call] = field(default_factory=list)
    studio: list[Event] = field(default_factory=list)
    engine: list[Event] = field(default_factory=list)
    served: list[Served] = field(default_factory=list)
    scrapes: list[float] = field(default_factory=list)
    gauges: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    documents: dict[str, int] = field(default_factory=dict)
    errors: list[Event] = field(default_factory=list)
    deeds: list[Event] = field(default_factory=list)
    log: dict[str, Json] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    gave_up: int = 0
    ends: float = 0
    now: float = 0

    def model_calls(self) -> list[Call]:
        """The calls of the model, answered or not."""
        return [one for one in self.calls if one.operation]

    def logged(self, key: str, where: Callable[[Json], bool]) -> list[float]:
        """Numbers of the lines that fit, where they have one."""
        return [found for line in self.log.values() if where(line) and (found := number(line[key])) is not None]

    def read_log(self, paths: Iterable[Path]) -> None:
        """Take in the lines of access logs."""
        for path in paths:
            for line in path.read_text(encoding="utf-8").splitlines():
                read = json.loads(line)
                self.log[read["request_id"]] = read


def number(text: object) -> float | None:
    """A number of Nginx's; none where there was nothing to measure."""
    try:
        return float(str(text))
    except ValueError:
        return None
