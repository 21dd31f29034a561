"""A Kibana's saved objects for the tests: import, export, delete, spaces; as reference/kibana.md and Kibana's docs say.

It refuses what Kibana refuses: a missing kbn-xsrf, another login, an unknown space, a file whose name does not end in
.ndjson, references to what is not there. What it stores it changes a little, as migrations do. In a second space an
object of a kind that is shared gets a new id, with ``destinationId``.
"""

from __future__ import annotations

import email
import email.policy
import json
import re
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

Json = dict[str, Any]
Key = tuple[str, str, str]


class KibanaObjects:
    """The server. ``stored`` is (space, type, id) → object; ``faults``: (part of METHOD PATH, answer or cut)."""

    def __init__(self, authorization: str, spaces: tuple[str, ...] = ("default",), version: str = "9.2.0") -> None:
        self.authorization = authorization
        self.spaces = spaces
        self.version = version
        self.stored: dict[Key, Json] = {}
        self.imports: list[tuple[str, list[str]]] = []
        self.faults: list[tuple[str, int | str]] = []
        self.renames = True
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/kb"

    def __enter__(self) -> KibanaObjects:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take_in(self, space: str, objects: list[Json]) -> Json:
        """What an import answers."""
        coming = {(one["type"], one["id"]) for one in objects}
        there = {
            (kind, one.get("originId", name)) for (where, kind, name), one in self.stored.items() if where == space
        }
        errors = []
        for one in objects:
            lacking = [ref for ref in one["references"] if (ref["type"], ref["id"]) not in coming | there]
            if lacking:
                error = {"type": "missing_references", "references": lacking}
                errors.append({"type": one["type"], "id": one["id"], "error": error})
        if errors:
            return {"success": False, "successCount": len(objects) - len(errors), "errors": errors}
        self.imports.append((space, [one["id"] for one in objects]))
        results = [self._keep(space, one) for one in objects]
        return {"success": True, "successCount": len(objects), "successResults": results}

    def _keep(self, space: str, one: Json) -> Json:
        mine = [
            key
            for key, old in self.stored.items()
            if key[:2] == (space, one["type"]) and one["id"] in (key[2], old.get("originId"))
        ]
        elsewhere = any(key[0] != space and key[1:] == (one["type"], one["id"]) for key in self.stored)
        name = mine[0][2] if mine else str(uuid.uuid4()) if elsewhere and self.renames else one["id"]
        kept = {**one, "id": name, "attributes": {**one["attributes"], "migrated": True}, "updated_at": "now"}
        if name != one["id"]:
            kept["originId"] = one["id"]
        self.stored[(space, one["type"], name)] = kept
        result = {"type": one["type"], "id": one["id"]}
        return result if name == one["id"] else {**result, "destinationId": name}


def _handler(owner: KibanaObjects) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing on stderr."""

        def _serve(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.removeprefix("/kb")
            fault = next((one for one in owner.faults if one[0] in f"{self.command} {path}"), None)
            if fault:
                owner.faults.remove(fault)
                if isinstance(fault[1], int):
                    return self._error(fault[1], "made up")
                if fault[1] == "cut":
                    self.close_connection = True
                    return None
            found = re.fullmatch(r"/s/([^/]+)(/.*)", path)
            space, inside = (found[1], found[2]) if found else ("default", path)
            refusal = self._refusal(space)
            if refusal:
                return self._error(*refusal)
            self._dispatch(space, inside, data)
            return None

        def _refusal(self, space: str) -> tuple[int, str] | None:
            if self.command != "GET" and not self.headers.get("kbn-xsrf"):
                return 400, "Request must contain a kbn-xsrf header."
            if self.headers.get("Authorization") != owner.authorization:
                return 401, "[security_exception]: unable to authenticate with provided credentials"
            if space not in owner.spaces:
                return 404, f"Saved object [space/{space}] not found"
            return None

        def _dispatch(self, space: str, path: str, data: bytes) -> None:
            if path == "/api/status":
                return self._json(200, {"version": {"number": owner.version, "build_flavor": "traditional"}})
            if path == "/api/spaces/space":
                return self._json(200, [{"id": one, "name": one} for one in owner.spaces])
            if path.startswith("/api/saved_objects/_import"):
                return self._import(space, data)
            if path == "/api/saved_objects/_export":
                return self._export(space, json.loads(data))
            found = re.fullmatch(r"/api/saved_objects/([^/]+)/([^/]+)", path)
            if self.command == "DELETE" and found:
                gone = owner.stored.pop((space, unquote(found[1]), unquote(found[2])), None)
                return self._json(200, {}) if gone else self._error(404, "Saved object not found")
            return self._error(404, "Not Found")

        def _import(self, space: str, data: bytes) -> None:
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            [part] = email.message_from_bytes(head + data, policy=email.policy.default).iter_parts()
            if not str(part.get_filename()).endswith(".ndjson"):
                return self._error(400, "Invalid file extension")
            lines = part.get_payload(decode=True)
            assert isinstance(lines, bytes)
            return self._json(200, owner.take_in(space, [json.loads(line) for line in lines.splitlines() if line]))

        def _export(self, space: str, body: Json) -> None:
            names = [(one["type"], one["id"]) for one in body["objects"]]
            missing = [(kind, name) for kind, name in names if (space, kind, name) not in owner.stored]
            if missing:
                objects = [{"type": kind, "id": name, "error": {"statusCode": 404}} for kind, name in missing]
                document = {"statusCode": 400, "message": "Error fetching objects to export"}
                return self._json(400, {**document, "attributes": {"objects": objects}})
            lines = "\n".join(json.dumps(owner.stored[(space, kind, name)]) for kind, name in names)
            return self._send(200, lines.encode(), "application/ndjson")

        def _error(self, status: int, text: str) -> None:
            self._json(status, {"statusCode": status, "error": "", "message": text})

        def _json(self, status: int, document: Any) -> None:
            self._send(status, json.dumps(document).encode(), "application/json; charset=utf-8")

        def _send(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = _serve

    return Handler
