"""What the stand-in hub and its storage answer, path by path.

Formats: https://huggingface.co/docs/hub/api, and what the client's ``errors.py``, ``utils/_http.py`` and
``file_download.py`` read: X-Error-Code, X-Repo-Commit, X-Linked-ETag, X-Linked-Size, X-Xet-Hash.
"""

from __future__ import annotations

import hmac
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.counterparts.hub_body import send
from tests.counterparts.hub_repository import Repository, Stored

if TYPE_CHECKING:
    from tests.counterparts.hub import Hub

_NAME = r"(?P<name>[^/]+(?:/[^/]+)?)"
_INFO = re.compile(rf"/api/models/{_NAME}(?:/revision/(?P<revision>[^/]+))?")
_TREE = re.compile(rf"/api/models/{_NAME}/tree/(?P<revision>[^/]+)(?:/(?P<path>.+))?")
_CACHED = re.compile(rf"/api/resolve-cache/models/{_NAME}/(?P<revision>[0-9a-f]{{40}})/(?P<path>.+)")
_RESOLVE = re.compile(rf"/{_NAME}/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
_PAGE = 50


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came: ``host`` is ``hub`` or ``storage``, header names are in lower case."""

    host: str
    method: str
    path: str
    headers: dict[str, str]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, hub: Hub, handler: type[Pages]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.hub = hub


class Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    host = ""
    server: Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: tests read ``Hub.seen``."""

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        hub = self.server.hub
        hub.seen.append(Seen(self.host, self.command, self.path, headers))
        failures = hub.faults.hub_failures if self.host == "hub" else hub.faults.storage_failures
        if self.host == "hub" and hub.faults.silences:
            time.sleep(hub.faults.silences.popleft())
        if failures:
            status, extra = failures.popleft()
            self.answer(status, {"error": "switched on by the test"}, extra)
        else:
            self.serve()

    do_HEAD = do_GET

    def serve(self) -> None:
        raise NotImplementedError

    def answer(self, status: int, value: object, headers: Mapping[str, str] | None = None) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, text)
        if self.server.hub.faults.warning:
            self.send_header("X-HF-Warning", f"topic; {self.server.hub.faults.warning}")
        self.send_header("X-Request-Id", f"Root=1-{len(self.server.hub.seen):08x}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status: int, code: str, message: str) -> None:
        self.answer(status, {"error": message}, {"X-Error-Code": code, "X-Error-Message": message})


class HubPages(Pages):
    host = "hub"

    def serve(self) -> None:
        path, _, query = self.path.partition("?")
        canned = self.server.hub.answers.get(unquote(path))
        if canned is not None:
            self.answer(200, canned)
            return
        for pattern, action in (
            (_CACHED, self._cached),
            (_TREE, self._tree),
            (_RESOLVE, self._resolve),
            (_INFO, self._info),
        ):
            match = pattern.fullmatch(path)
            if match:
                parts = {name: unquote(text or "") for name, text in match.groupdict().items()}
                repository = self._admitted(parts["name"], content=action != self._info)
                if repository:
                    self._at_revision(repository, parts, parse_qs(query), action)
                return
        self.answer(404, {"error": "Sorry, we can't find the page you are looking for."})

    def _admitted(self, name: str, *, content: bool) -> Repository | None:
        """The repository, or None when the request has been answered with a refusal or a redirect."""
        hub = self.server.hub
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        message = "Invalid credentials in Authorization header"
        if token and token not in hub.tokens:
            self.answer(401, {"error": message}, {"X-Error-Message": message})
            return None
        if name in hub.renamed:
            moved = self.path.replace(name, hub.renamed[name], 1)
            self.answer(307, f"Temporary Redirect. Redirecting to {moved}".encode(), {"Location": moved})
            return None
        found = hub.repositories.get(name)
        allowed = name in hub.tokens.get(token, set())
        if not found or (found.private and not allowed):
            self.refuse(404 if token else 401, "RepoNotFound", "Repository not found")
        elif found.gated and content and not allowed:
            who = "you are not in the authorized list" if token else "you must be authenticated"
            self.refuse(403 if token else 401, "GatedRepo", f"Access to model {name} is restricted and {who}.")
        else:
            return found
        return None

    def _at_revision(
        self, repository: Repository, parts: dict[str, str], query: dict[str, list[str]], action: Any
    ) -> None:
        commit = repository.resolve(parts.get("revision") or "main")
        if commit is None:
            self.refuse(404, "RevisionNotFound", f"Invalid rev id: {parts['revision']}")
        else:
            action(repository, commit, parts.get("path", ""), query)

    def _info(self, repository: Repository, commit: str, _: str, query: dict[str, list[str]]) -> None:
        self.answer(200, repository.info(commit, blobs=query.get("blobs") in (["true"], ["True"])))

    def _tree(self, repository: Repository, commit: str, path: str, query: dict[str, list[str]]) -> None:
        recursive = query.get("recursive") in (["true"], ["True"])
        entries = repository.tree(commit, path, recursive=recursive)
        if path and not entries:
            self.refuse(404, "EntryNotFound", f"{path} does not exist on the revision")
            return
        at = int(query.get("cursor", ["0"])[0])
        headers = {"X-Repo-Commit": commit}
        if at + _PAGE < len(entries):
            page = f"{self.server.hub.endpoint}{self.path.partition('?')[0]}"
            flags = f"recursive={str(recursive).lower()}&cursor={at + _PAGE}"
            headers["Link"] = f'<{page}?{flags}>; rel="next"'
        self.answer(200, entries[at : at + _PAGE], headers)

    def _resolve(self, repository: Repository, commit: str, path: str, _: dict[str, list[str]]) -> None:
        file = repository.commits[commit].get(path)
        headers = {"X-Repo-Commit": commit}
        if file is None:
            code = {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}
            self.answer(404, b"Entry not found", {**headers, **code, "Content-Type": "text/plain"})
            return
        etag = f'"{self.server.hub.faults.etag or file.etag}"'
        if file.sha256:
            headers |= {"X-Linked-Size": str(file.size), "X-Linked-ETag": etag}
            headers |= {"Location": self._signed(file, path), **self._xet(file, repository.name, commit)}
            self.answer(302, b"Found. Redirecting", headers)
            return
        cached = f"/api/resolve-cache/models/{repository.name}/{commit}/{quote(path)}"
        self.answer(307, b"Temporary Redirect", {**headers, "Location": f"{cached}?etag={quote(etag)}"})

    def _cached(self, repository: Repository, commit: str, path: str, _: dict[str, list[str]]) -> None:
        send(self, repository.commits[commit][path], {"X-Repo-Commit": commit}, self.server.hub.faults)

    def _signed(self, file: Stored, path: str) -> str:
        hub = self.server.hub
        expires = int((time.time() + hub.faults.lifetime) * 1000)
        shown = quote(f'inline; filename="{path.rpartition("/")[2]}"')
        signature = f"Expires={expires}&Signature={hub.sign(file.sha256 or '', expires)}"
        return f"{hub.storage}/bridge/{file.sha256}?response-content-disposition={shown}&{signature}"

    def _xet(self, file: Stored, name: str, commit: str) -> dict[str, str]:
        if not file.xet:
            return {}
        tokens = f"{self.server.hub.endpoint}/api/models/{name}/xet-read-token/{commit}"
        rebuilt = f"{self.server.hub.storage}/v1/reconstructions/{file.xet}"
        links = f'<{tokens}>; rel="xet-auth", <{rebuilt}>; rel="xet-reconstruction-info"'
        return {"X-Xet-Hash": file.xet, "Link": links}


class StoragePages(Pages):
    host = "storage"

    def serve(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        sha256 = parts.path.rpartition("/")[2]
        expires = int(query.get("Expires", ["0"])[0])
        good = hmac.compare_digest(query.get("Signature", [""])[0], self.server.hub.sign(sha256, expires))
        if not good or expires < time.time() * 1000:
            denied = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
            self.answer(403, denied, {"Content-Type": "application/xml"})
            return
        send(self, self._stored(sha256), {"Content-Type": "binary/octet-stream"}, self.server.hub.faults)

    def _stored(self, sha256: str) -> Stored:
        for repository in self.server.hub.repositories.values():
            for files in repository.commits.values():
                for file in files.values():
                    if file.sha256 == sha256:
                        return file
        raise KeyError(sha256)
