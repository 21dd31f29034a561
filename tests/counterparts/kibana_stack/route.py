"""A request, an answer, a refusal, and the table of routes that the parts of this Kibana fill."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.counterparts.kibana_stack.state import Stack

Json = dict[str, Any]
JSON_BYTES = 1_048_576
"""``server.maxPayload``: what a route takes that names no limit of its own."""


class Refusal(Exception):
    """An answer that is no success, as Kibana words it; ``more`` stands beside the message."""

    def __init__(self, status: int, message: str, more: Json | None = None, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.more = more or {}
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked: ``parts`` of the path, one value for each query key, ``body`` parsed where it is JSON."""

    stack: Stack
    space: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    data: bytes
    body: Any = None

    def granted(self, actions: Iterable[str], space: str = "") -> frozenset[str]:
        """Those of the actions that the login may do in the request's space, or in another."""
        return self.stack.granted(self.headers.get("Authorization"), space or self.space, actions)

    def may(self, *actions: str) -> bool:
        """Whether the login may do all of these."""
        return self.granted(actions) == set(actions)

    def must(self, operation: str, kinds: Iterable[str]) -> None:
        """Raises: Refusal for types of saved objects that the login may not do this with."""
        wanted = {f"saved_object:{kind}/{operation}": kind for kind in kinds}
        granted = self.granted(wanted)
        if missing := sorted(kind for action, kind in wanted.items() if action not in granted):
            raise Refusal(403, f"Unable to {operation} {','.join(missing)}")

    def flag(self, name: str) -> bool:
        """A boolean of the query; Kibana takes ``true`` and ``false`` and nothing else."""
        value = self.query.get(name, "false")
        if value not in ("true", "false"):
            raise Refusal(400, f"[request query.{name}]: expected value of type [boolean] but got [string]")
        return value == "true"

    def only(self, *names: str) -> None:
        """Raises: Refusal for a key of the query that the route does not know."""
        for name in self.query:
            if name not in names:
                raise Refusal(400, f"[request query.{name}]: definition for this key is missing")


@dataclass(frozen=True, slots=True)
class Answer:
    """A success; ``data`` stands for ``body`` where that is no JSON."""

    body: Any = None
    status: int = 200
    data: bytes | None = None
    kind: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    def bytes(self) -> bytes:
        """The body as it is sent."""
        return json.dumps(self.body).encode() if self.data is None else self.data


Handler = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """``right`` are the ``api:`` actions that the login needs; ``accepts`` are the content types of a body."""

    method: str
    path: re.Pattern[str]
    right: str
    handler: Handler
    accepts: tuple[str, ...] = ("application/json",)
    most: int = JSON_BYTES


class Routes:
    """A table of routes; a part in ``{}`` is given to the handler."""

    def __init__(self) -> None:
        self.all: list[Route] = []

    def add(self, method: str, path: str, right: str, **more: Any) -> Callable[[Handler], Handler]:
        """Register a handler."""
        pattern = re.compile(re.sub(r"\\{\w+\\}", "([^/]+)", re.escape(path)))

        def register(handler: Handler) -> Handler:
            self.all.append(Route(method, pattern, right, handler, **more))
            return handler

        return register
