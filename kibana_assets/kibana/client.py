"""The saved objects of a real Kibana, over its public API.

Rules: an import goes as a file whose name ends in ``.ndjson``, with overwriting; an answer of 200 may still say that it
failed, and is read. Objects are read all at once, each with an error of its own where it is missing. Busy answers (429,
503) are tried again. Sources: elastic/kibana, docs of the saved objects and spaces APIs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kibana_assets.connection.address import segment
from kibana_assets.connection.form import NAME, Form
from kibana_assets.connection.http import Answer, Wire
from kibana_assets.connection.login import Login
from kibana_assets.connection.reasons import said
from kibana_assets.connection.version import NOT_HERE, OLDEST, told_version
from kibana_assets.errors import RefusedError, UnreachableError, UsageError
from kibana_assets.kibana.interface import Json, Name
from kibana_assets.kibana.refusal import of_answer
from kibana_assets.kibana.request import BUSY, SPACE, headers, prefix, read

LARGEST: Final = 26_214_400
_PAUSES: Final = (1.0, 2.0, 4.0, 8.0)
_BOUNDARY: Final = "llm-bundle-7MA4YWxkTrZu0gW"
_FOUND: Final = {"saved_objects": [{"type": NAME, "id": NAME}]}
_IMPORTED: Final = {
    "success": bool,
    "successResults?": [{"type": NAME, "id": NAME, "destinationId?": NAME}],
    "errors?": [{"error?": {"references?": [dict]}}],
}


class Kibana:
    """A Kibana; nothing is sent before the first call."""

    def __init__(self, wire: Wire, login: Login) -> None:
        self._wire = wire
        self._login = login

    @property
    def place(self) -> str:
        """The address, safe to print."""
        return self._wire.address.url

    @property
    def authorization(self) -> str:
        """The header by which it is asked; empty without a login."""
        return self._login.authorization

    def version(self) -> str:
        """The version. Raises: RefusedError for one that is too old, or serverless; UnreachableError."""
        place = f"GET {self._wire.address.url}/api/status"
        answer = self._ask("GET", "/api/status", None)
        if answer.status in NOT_HERE:
            hint = "Another server listens there: give Kibana's own address, with its base path if it has one."
            raise UnreachableError(
                f"{place}: no Kibana answers there, but something that says {answer.status}", hint=hint
            )
        told = told_version(read(answer, place))
        if told.serverless:
            hint = "Install into a Kibana that you run, 8.19 or newer."
            raise RefusedError(f"{self._wire.address.url}: Kibana is serverless", hint=hint)
        if not told.number:
            hint = "Is this a Kibana? And has the login its privileges? Give its own address and base path."
            raise UnreachableError(f"{self._wire.address.url}: does not tell its version", hint=hint)
        if told.old:
            raise RefusedError(
                f"{self._wire.address.url}: Kibana {told.number}: expected {OLDEST[0]}.{OLDEST[1]} or newer",
                hint="It could not read the dashboards. Upgrade the stack, or install with --no-kibana.",
            )
        return told.number

    def spaces(self) -> tuple[str, ...]:
        """The ids of all spaces that the login sees. Raises: RefusedError; UnreachableError."""
        return tuple(one["id"] for one in self._json("GET", "/api/spaces/space", [{"id": SPACE}]))

    def find(self, space: str, names: Iterable[Name]) -> dict[Name, Json]:
        """Those of the objects that are there. Raises: RefusedError; UnreachableError."""
        wanted = list(names)
        if not wanted:
            return {}
        path = f"{prefix(space)}/api/saved_objects/_bulk_get"
        body = json.dumps([{"type": kind, "id": name} for kind, name in wanted]).encode()
        document = read(self._ask("POST", path, body), f"POST {self._wire.address.url}{path}", _FOUND)
        return {(one["type"], one["id"]): one for one in document["saved_objects"] if _is_there(one)}

    def may_read(self, space: str, kinds: Iterable[str]) -> bool:
        """Whether objects of these types may be read there. Raises: UnreachableError."""
        body = [{"type": kind, "id": "llm-bundle-asks"} for kind in kinds]
        return self.send("POST", space, "/api/saved_objects/_bulk_get", body)[0].status not in (401, 403)

    def put(self, space: str, objects: Sequence[Json]) -> dict[Name, str]:
        """Create or replace. Raises: RefusedError that names what was refused; UnreachableError."""
        place = f"{self._wire.address.url}{prefix(space)}/api/saved_objects/_import"
        body, kind = _multipart("".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in objects).encode())
        if len(body) > LARGEST:
            raise UsageError(f"{place}: {len(body)} bytes, expected {LARGEST} at most", hint="Import fewer at once.")
        path = f"{prefix(space)}/api/saved_objects/_import?overwrite=true"
        answer = self._ask("POST", path, body, {"Content-Type": kind})
        document = read(answer, f"POST {place}", _IMPORTED)
        if not document["success"]:
            raise _refused(place, document)
        ids = {(one["type"], one["id"]): one["id"] for one in objects}
        for one in document.get("successResults") or ():
            if one.get("destinationId"):
                ids[(one["type"], one["id"])] = one["destinationId"]
        return ids

    def delete(self, space: str, name: Name) -> None:
        """Remove one, if it is there. Raises: RefusedError; UnreachableError."""
        path = f"{prefix(space)}/api/saved_objects/{segment(name[0])}/{segment(name[1])}"
        answer = self._ask("DELETE", path, None)
        if answer.status not in (200, 404):
            raise of_answer(f"DELETE {self._wire.address.url}{path}", answer)

    def send(self, method: str, space: str, path: str, body: Json | list[Json] | None = None) -> tuple[Answer, str]:
        """The answer to a request in a space, whatever it is, and the place that an error names.

        Raises: UnreachableError.
        """
        whole = f"{prefix(space)}{path}"
        data = None if body is None else json.dumps(body).encode()
        return self._ask(method, whole, data), f"{method} {self._wire.address.url}{whole}"

    def close(self) -> None:
        """Close connections."""
        self._wire.close()

    def _json(self, method: str, path: str, form: Form = dict) -> Any:
        return read(self._ask(method, path, None), f"{method} {self._wire.address.url}{path}", form)

    def _ask(self, method: str, path: str, data: bytes | None, more: Mapping[str, str] | None = None) -> Answer:
        for pause in _PAUSES:
            answer = self._wire.ask(method, path, {**headers(self._login), **(more or {})}, data)
            if answer.status not in BUSY:
                return answer
            time.sleep(pause)
        return self._wire.ask(method, path, {**headers(self._login), **(more or {})}, data)


def _multipart(data: bytes) -> tuple[bytes, str]:
    head = (
        f"--{_BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="file"; filename="llm-bundle.ndjson"\r\n'
        "Content-Type: application/x-ndjson\r\n\r\n"
    )
    return head.encode() + data + f"\r\n--{_BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={_BOUNDARY}"


def _is_there(one: Json) -> bool:
    return "attributes" in one and "error" not in one


def _refused(place: str, document: Json) -> RefusedError:
    told = []
    for one in (document.get("errors") or ())[:5]:
        error = one.get("error") or {}
        refs = ", ".join(f"{ref.get('type')} {ref.get('id')}" for ref in error.get("references") or ())
        told.append(said(f"{one.get('type')} {one.get('id')}: {error.get('type')} {refs}", 160))
    hint = "Missing references: import the data views first, or all at once. Unsupported types: that Kibana is too old."
    return RefusedError(f"POST {place}: not imported: {'; '.join(told) or 'no reason told'}", hint=hint)
