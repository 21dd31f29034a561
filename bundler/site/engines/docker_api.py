"""Docker's HTTP API over its unix socket, without a library: https://docs.docker.com/reference/api/engine/.

Rules: answers are bounded in size and time; every failure is an EngineError with the daemon's own words. The oldest
API that the daemon still speaks and we know is used: 1.41 (Docker 20.10), or the daemon's own oldest after that.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from bundler.disk import is_there
from bundler.errors import EngineError, MachineError, UsageError
from bundler.site.engines.words import clean, refused

_KNOWN: Final = (1, 41)
_LARGEST: Final = 8 << 20
_LONGEST_LINE: Final = 1 << 20
_SECONDS: Final = 120
LOADING_SECONDS: Final = 3600
"""How long the daemon may be silent while it unpacks an image."""

_START: Final = "Start it (systemctl start docker), or name its socket: DOCKER_HOST=unix:///run/docker.sock"


def socket_path() -> Path:
    """The socket that DOCKER_HOST names, else the rootless one where there is one, else the system's.

    Raises: UsageError when DOCKER_HOST is no unix socket.
    """
    named = os.environ.get("DOCKER_HOST", "")
    if named:
        scheme, _, path = named.partition("://")
        if scheme != "unix" or not path.startswith("/"):
            found = f"{scheme}://…" if "://" in named else "something else"
            hint = "The engine must run on this machine: the model is mounted from its disk."
            raise UsageError(f"DOCKER_HOST: expected unix:///path/to/docker.sock, found {found}", hint=hint)
        return Path(path)
    own = Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent")) / "docker.sock"
    return own if is_there(own) else Path("/var/run/docker.sock")


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class DockerApi:
    """Requests to the daemon behind ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._version = ""

    def get(self, path: str, doing: str, **query: str) -> Any:
        """The JSON that ``path`` answers; None for 404. Raises: EngineError; MachineError."""
        return self._json("GET", path, doing, query, None)

    def post(self, path: str, doing: str, body: object = None, **query: str) -> Any:
        """The JSON answer, None where there is none and for 404. Raises: EngineError; MachineError."""
        return self._json("POST", path, doing, query, body)

    def order(self, path: str, doing: str, body: object = None) -> None:
        """As ``post`` where all that is named must be there: 404 is a refusal, too."""
        status, data = self._ask("POST", self._address(path, {}), doing, body, _LARGEST)
        if status == 404:
            raise refused("Docker", doing, _message(data))
        self._good(status, data, doing)

    def delete(self, path: str, doing: str, **query: str) -> Any:
        """As ``post``."""
        return self._json("DELETE", path, doing, query, None)

    def raw(self, path: str, doing: str, limit: int, **query: str) -> bytes | None:
        """The first ``limit`` bytes of an answer; None for 404. Raises: EngineError; MachineError."""
        status, data = self._ask("GET", self._address(path, query), doing, None, limit)
        return None if status == 404 else self._good(status, data, doing)

    def load(self, body: Iterator[bytes], size: int, doing: str) -> None:
        """Send ``body`` of ``size`` bytes to /images/load. Raises: EngineError; MachineError; what ``body`` raises."""
        address = self._address("/images/load", {})
        with closing(_Connection(self.path, LOADING_SECONDS)) as connection:
            try:
                connection.putrequest("POST", address, skip_accept_encoding=True)
                connection.putheader("Content-Type", "application/x-tar")
                connection.putheader("Content-Length", str(size))
                connection.endheaders()
                cut = _send(connection, body)
                _read_load(connection.getresponse(), doing)
            except (OSError, http.client.HTTPException) as error:
                raise self._unreachable(error, doing) from error
        if cut:
            raise refused("Docker", doing, f"it closed the connection while the image was sent ({cut})")

    def _json(self, method: str, path: str, doing: str, query: dict[str, str], body: object) -> Any:
        status, data = self._ask(method, self._address(path, query), doing, body, _LARGEST)
        if status == 404:
            return None
        text = self._good(status, data, doing)
        if len(text) > _LARGEST:
            raise refused("Docker", doing, f"its answer is larger than {_LARGEST:,} bytes")
        return _parsed(text, doing)

    def _address(self, path: str, query: dict[str, str]) -> str:
        self._version = self._version or self._negotiated()
        return f"/v{self._version}{quote(path)}" + (f"?{urlencode(query)}" if query else "")

    def _negotiated(self) -> str:
        status, data = self._ask("GET", "/version", "asking for its version", None, _LARGEST)
        said = _parsed(self._good(status, data, "asking for its version"), "asking for its version")
        if not isinstance(said, dict):
            raise refused("Docker", "asking for its version", "its answer is no object")
        newest, oldest = _number(said.get("ApiVersion")), _number(said.get("MinAPIVersion"))
        if newest is None or newest < _KNOWN:
            raise EngineError(
                f"Docker: expected version 20.10 or newer, found {clean(str(said.get('Version')))[:40]}",
                hint="Install a newer Docker engine, or use Podman: --engine podman",
            )
        return ".".join(map(str, max(_KNOWN, oldest or _KNOWN)))

    def _ask(self, method: str, address: str, doing: str, body: object, limit: int) -> tuple[int, bytes]:
        question = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if question is not None else {}
        with closing(_Connection(self.path, _SECONDS)) as connection:
            try:
                connection.request(method, address, question, headers)
                answer = connection.getresponse()
                data = answer.read(limit + 1)
                if answer.length and len(data) <= limit:
                    raise http.client.IncompleteRead(b"", answer.length)
                return answer.status, data
            except (OSError, http.client.HTTPException) as error:
                raise self._unreachable(error, doing) from error

    def _good(self, status: int, data: bytes, doing: str) -> bytes:
        if status < 400:
            return data
        raise refused("Docker", doing, _message(data))

    def _unreachable(self, error: Exception, doing: str) -> EngineError | MachineError:
        if isinstance(error, PermissionError):
            hint = "Run as root, or as a member of the group docker."
            return MachineError(f"{self.path}: this user may not talk to Docker", hint=hint)
        if isinstance(error, TimeoutError):
            return EngineError(f"Docker: {doing}: no answer in time", hint="Look at its log: journalctl -u docker")
        if isinstance(error, (FileNotFoundError, ConnectionRefusedError)):
            return EngineError(f"Docker: {doing}: nobody listens on {self.path}", hint=_START)
        return EngineError(
            f"Docker: {doing}: the connection broke ({clean(str(error))[:120] or type(error).__name__})",
            hint="Look at its log: journalctl -u docker",
        )


def _parsed(data: bytes, doing: str) -> Any:
    """The JSON in ``data``, None where it is empty."""
    try:
        return json.loads(data) if data.strip() else None
    except (ValueError, RecursionError) as error:
        raise refused("Docker", doing, "its answer is no JSON") from error


def _number(text: object) -> tuple[int, ...] | None:
    parts = str(text).split(".")
    return (
        tuple(map(int, parts)) if len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts) else None
    )


def _message(data: bytes) -> str:
    """What the daemon says: ``{"message": …}``, or the text itself."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return clean(data)
    return str(found.get("message")) if isinstance(found, dict) else clean(data)


def _send(connection: _Connection, body: Iterator[bytes]) -> str | None:
    """Send all; a daemon that refuses closes early and has said why: then its words are still to be read."""
    for piece in body:
        try:
            connection.send(piece)
        except (BrokenPipeError, ConnectionResetError) as error:
            return str(error)
    return None


def _read_load(answer: http.client.HTTPResponse, doing: str) -> None:
    """Read the stream of JSON lines to its end. Raises: EngineError with the error that is among them."""
    if answer.status >= 400:
        raise refused("Docker", doing, _message(answer.read(_LONGEST_LINE)))
    while line := answer.readline(_LONGEST_LINE):
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(said, dict) and said.get("error"):
            raise refused("Docker", doing, str(said["error"]))
