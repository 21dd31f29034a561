"""Asking Fleet: JSON there and back, and the patience that its answers need.

Rules: 429 and 503 are waited out, as long as Fleet says but not for ever: what was refused so has not been done. A cut
connection is not tried again, for nobody knows what was done; the next run looks. Every answer is read: its form is
checked where a key is needed. Sources: elastic/kibana, Fleet's routes and schemas (2023-10-31, the public version).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from kibana_assets.connection.form import Form, check
from kibana_assets.connection.http import Answer, Wire
from kibana_assets.connection.login import Login
from kibana_assets.errors import RefusedError
from kibana_assets.kibana.refusal import of_answer
from kibana_assets.kibana.request import BUSY, DEFAULT, headers, prefix, read

Json = dict[str, Any]
PATIENCE: Final = 60.0
INSTALL_SECONDS: Final = 600.0
"""How long Fleet may take over a package: it puts pipelines and templates in, one after the other."""
_PAUSE: Final = 2.0


class Api:
    """Fleet's paths below ``/api/fleet`` in a space of a Kibana; nothing is sent before the first call."""

    def __init__(self, wire: Wire, login: Login, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._wire = wire
        self._login = login
        self._sleep = sleep

    @property
    def place(self) -> str:
        """The address, safe to print."""
        return self._wire.address.url

    def get(self, path: str, space: str = DEFAULT, **query: str) -> Json | None:
        """The answer to a GET, or None where there is nothing. Raises: as ``call``."""
        try:
            return self.call("GET", path, space=space, query=query)
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    def call(
        self,
        method: str,
        path: str,
        body: Json | bytes | None = None,
        *,
        space: str = DEFAULT,
        query: Mapping[str, str] | None = None,
    ) -> Json:
        """The answer; ``body`` as bytes is a zip file. Raises: RefusedError; UnreachableError."""
        whole = f"{prefix(space)}/api/fleet/{path}" + (f"?{urlencode(query)}" if query else "")
        place = f"{method} {self.place}{prefix(space)}/api/fleet/{path}"
        answer = self._patiently(method, whole, body)
        found = read(answer, place, object)
        if not isinstance(found, (dict, list)):
            raise of_answer(place, answer)
        return found if isinstance(found, dict) else {"items": found}

    def close(self) -> None:
        """Close connections."""
        self._wire.close()

    def _patiently(self, method: str, path: str, body: Json | bytes | None) -> Answer:
        ends = time.monotonic() + PATIENCE
        while True:
            answer = self._ask(method, path, body)
            pause = _asked_pause(answer)
            if answer.status not in BUSY or time.monotonic() + pause > ends:
                return answer
            self._sleep(pause)

    def _ask(self, method: str, path: str, body: Json | bytes | None) -> Answer:
        kind = "application/zip" if isinstance(body, bytes) else "application/json"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return self._wire.ask(
            method, path, headers(self._login, kind), data, INSTALL_SECONDS if kind.endswith("zip") else None
        )


def item(answer: Json, place: str, form: Form = dict) -> Json:
    """The ``item`` of an answer. Raises: UnreachableError for an answer without, or one of another form."""
    check(answer, {"item": form}, place)
    found: Json = answer["item"]
    return found


def items(answer: Json, place: str, form: Form = dict) -> list[Json]:
    """The ``items`` of an answer. Raises: UnreachableError for an answer without, or some of another form."""
    check(answer, {"items": [form]}, place)
    found: list[Json] = answer["items"]
    return found


def _asked_pause(answer: Answer) -> float:
    """The seconds of ``Retry-After``, which Fleet sends with a 429; dates are not read."""
    text = answer.headers.get("Retry-After", "")
    return max(float(text), 0.1) if text.isascii() and text.isdigit() and len(text) < 5 else _PAUSE
