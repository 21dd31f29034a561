"""A Kibana for the tests: spaces, connectors of a real kibana.yml, ``_execute`` that really calls, prompts.

It refuses what Kibana refuses: a missing kbn-xsrf, another kbn-version, wrong logins, unknown spaces and connectors.
``test_kibana.py`` holds it to the reference.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.counterparts.certificates import Certificate
from tests.counterparts.http_server import HttpServer, QuietHandler
from tests.counterparts.kibana_connectors import TYPES, Connector, RunError, Settings
from tests.counterparts.kibana_prompts import Prompts

KEY = base64.b64encode(b"VuaCfGcBCdbkQm-e5aOx:ui2lp2axTNmsyakw9tvNnw").decode()
USER, PASSWORD = "elastic", "correct-horse"


@dataclass(frozen=True, slots=True)
class Forced:
    """An answer that stands in for every other one."""

    status: int
    body: bytes = b""
    kind: str = "application/json; charset=utf-8"
    location: str = ""


class KibanaServer:
    """The server. ``spaces`` are ids with names; ``saved`` connectors of people; ``forced`` answers by path.

    ``hidden`` spaces answer 403 for their connectors. ``secure`` False is a Kibana without security. A context manager.
    """

    version = "9.2.0"

    def __init__(
        self,
        kibana_yml: str = "",
        *,
        spaces: Mapping[str, str] | None = None,
        keystore: Mapping[str, str] | None = None,
        tls: Certificate | None = None,
        base_path: str = "",
        name: str = "localhost",
        secure: bool = True,
    ) -> None:
        self.settings = Settings(kibana_yml, keystore or {})
        self.spaces = {"default": "Default", **(spaces or {})}
        self.saved: list[Connector] = []
        self.prompts = Prompts()
        self.forced: dict[str, Forced] = {}
        self.hidden: set[str] = set()
        self.base_path = base_path
        self.secure = secure
        self.seen: list[str] = []
        self._server = _Server(self, tls)
        self.url = f"{self._server.url(name)}{base_path}"

    def __enter__(self) -> KibanaServer:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def connectors(self, space: str) -> list[Connector]:
        """What a space shows: saved ones first, then those of kibana.yml."""
        return [*(one for one in self.saved if one.space == space), *self.settings.connectors]


class _Server(HttpServer):
    def __init__(self, kibana: KibanaServer, tls: Certificate | None) -> None:
        super().__init__(_Handler, tls.context() if tls else None)
        self.kibana = kibana


class _Handler(QuietHandler):
    timeout = 10
    server: _Server

    def do_GET(self) -> None:
        self._dispatch(b"")

    def do_POST(self) -> None:
        self._dispatch(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _dispatch(self, body: bytes) -> None:
        kibana = self.server.kibana
        kibana.seen.append(f"{self.command} {self.path}")
        parts = urlsplit(self.path)
        if not parts.path.startswith(kibana.base_path + "/"):
            return self._error(404, "Not Found")
        inside = parts.path[len(kibana.base_path) :]
        forced = next((answer for path, answer in kibana.forced.items() if path in inside), None)
        if forced:
            return self._send(forced.status, forced.body, forced.kind, forced.location)
        found = re.fullmatch(r"/s/([^/]+)(/.*)", inside)
        space, path = (found[1], found[2]) if found else ("default", inside)
        refusal = self._refusal(space)
        if refusal:
            return self._error(*refusal)
        return self._answer(space, path, parse_qs(parts.query), body)

    def _refusal(self, space: str) -> tuple[int, str] | None:
        kibana = self.server.kibana
        version = self.headers.get("kbn-version")
        if self.command != "GET" and version is None and not self.headers.get("kbn-xsrf"):
            return 400, "Request must contain a kbn-xsrf header."
        if version not in (None, kibana.version):
            text = f'Browser client is out of date, please refresh the page ("kbn-version" header was "{version}" but '
            return 400, f'{text}should be "{kibana.version}")'
        if kibana.secure and self.headers.get("Authorization") not in _logins():
            return 401, "[security_exception]: unable to authenticate with provided credentials"
        if space not in kibana.spaces:
            return 404, f"Saved object [space/{space}] not found"
        return None

    def _answer(self, space: str, path: str, query: dict[str, list[str]], body: bytes) -> None:
        kibana = self.server.kibana
        if path == "/api/status":
            version = {"number": kibana.version, "build_hash": "0", "build_number": 1, "build_snapshot": False}
            return self._json(
                200, {"name": "kibana", "version": version, "status": {"overall": {"level": "available"}}}
            )
        if path == "/api/spaces/space":
            rows = [{"id": key, "name": name, "disabledFeatures": []} for key, name in kibana.spaces.items()]
            return self._json(200, rows)
        if path.startswith("/api/security_ai_assistant/prompts/"):
            return self._prompts(space, path.rsplit("/", 1)[1], query, body)
        if path.startswith("/api/actions/connector"):
            return self._actions(space, path, body)
        return self._error(404, "Not Found")

    def _prompts(self, space: str, verb: str, query: dict[str, list[str]], body: bytes) -> None:
        prompts = self.server.kibana.prompts
        if self.headers.get("elastic-api-version") != "2023-10-31":
            return self._error(400, "No version available; available versions are: 2023-10-31")
        if (self.command, verb) == ("GET", "_find"):
            return self._json(*prompts.find(space, query))
        if (self.command, verb) == ("POST", "_bulk_action"):
            return self._json(*prompts.act(space, json.loads(body)))
        return self._error(404, "Not Found")

    def _actions(self, space: str, path: str, body: bytes) -> None:
        kibana = self.server.kibana
        if space in kibana.hidden:
            return self._error(403, "Unauthorized to get actions")
        if path == "/api/actions/connectors":
            return self._json(200, [one.row() for one in kibana.connectors(space)])
        found = re.fullmatch(r"/api/actions/connector/([^/]+)(/_execute)?", path)
        name = unquote(found[1]) if found else ""
        # A preconfigured connector wins over a saved one of the same id.
        connector = next((one for one in reversed(kibana.connectors(space)) if one.id == name), None)
        if not found or connector is None:
            return self._error(404, f"Saved object [action/{name}] not found")
        if not found[2]:
            return self._json(200, connector.row())
        return self._execute(connector, json.loads(body))

    def _execute(self, connector: Connector, body: dict[str, Any]) -> None:
        if connector.type not in TYPES:
            return self._error(400, f'Action type "{connector.type}" is not registered.')
        if set(body) != {"params"}:
            return self._error(400, "[request body.params]: expected at least one defined value but got [undefined]")
        params = body["params"]
        if params["subActionParams"].get("stream") is True:
            # The route cannot hand on a stream: https://github.com/elastic/kibana/issues/188467
            return self._error(500, "An internal server error occurred. Check Kibana server logs for details.")
        try:
            data = self.server.kibana.settings.run(connector, params["subAction"], params["subActionParams"])
        except RunError as error:
            failed: dict[str, Any] = {"connector_id": connector.id, "status": "error", "retry": True}
            if str(error).startswith("error validating"):
                return self._json(200, {**failed, "message": str(error), "retry": False})
            words = {"message": "an error occurred while running the action", "service_message": str(error)}
            return self._json(200, {**failed, **words})
        return self._json(200, {"connector_id": connector.id, "status": "ok", "data": data})

    def _error(self, status: int, text: str) -> None:
        phrase = self.responses[status][0] if status in self.responses else ""
        self._json(status, {"statusCode": status, "error": phrase, "message": text})

    def _json(self, status: int, document: Any) -> None:
        self._send(status, json.dumps(document).encode(), "application/json; charset=utf-8", "")

    def _send(self, status: int, body: bytes, kind: str, location: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("kbn-name", "kibana")
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)


def _logins() -> set[str]:
    return {f"ApiKey {KEY}", "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
