"""Credentials for a registry, from where ``docker login`` and ``podman login`` put them.

Rules: REGISTRY_AUTH_FILE alone where it is set; else Podman's files, then Docker's, and the first that knows the
registry counts. In a file a helper program comes before the store, the store before what the file holds. A
broken file is named, what it holds never. Nothing is read before a registry asks for a login. Formats:
containers-auth.json(5), https://docs.docker.com/reference/cli/docker/login/#credential-stores.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bundler.disk import is_there
from bundler.errors import MachineError, SourceError
from bundler.sources.credential_helper import ask

_LARGEST_FILE = 1024 * 1024
_HUB = ("https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io")
_LOG_IN_AGAIN = "Repair the file, or log in again with `docker login` or `podman login`."


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and a password, or an identity token (OAuth2's refresh token) alone."""

    user: str
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of an Authorization header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


class Keychain:
    """Looks credentials up in the files and helpers that ``environment`` (the process's own) leads to."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def find(self, registry: str, repository: str) -> Credentials | None:
        """The credentials for ``registry`` (host[:port]) and ``repository``, None when there are none.

        Raises: SourceError for a broken file; MachineError for one that cannot be read or a missing helper.
        """
        for path in self._files():
            found = _in_file(path, registry, repository)
            if found:
                return found
        return None

    def _files(self) -> Iterator[Path]:
        explicit = self._environment.get("REGISTRY_AUTH_FILE")
        if explicit:
            if not is_there(Path(explicit)):
                hint = "Set it to a file, or unset it. `podman login` makes one."
                raise SourceError(f"REGISTRY_AUTH_FILE names {explicit}, which is not there", hint=hint)
            yield Path(explicit)
            return
        home = Path(self._environment.get("HOME") or Path.home())
        if self._environment.get("XDG_RUNTIME_DIR"):
            yield Path(self._environment["XDG_RUNTIME_DIR"], "containers", "auth.json")
        yield Path(self._environment.get("XDG_CONFIG_HOME") or home / ".config", "containers", "auth.json")
        yield Path(self._environment.get("DOCKER_CONFIG") or home / ".docker", "config.json")


def _in_file(path: Path, registry: str, repository: str) -> Credentials | None:
    document = _read(path)
    hosts = _HUB if registry in _HUB else (registry,)
    helpers, store = _mapping(document, "credHelpers", path), document.get("credsStore")
    programs = [(host, helpers[host]) for host in hosts if helpers.get(host)][:1]
    if store and not programs:
        programs = [(hosts[0], store)]
    for server, program in programs:
        answer = ask(program, server, path)
        if answer:
            return _credentials(*answer)
    auths = _mapping(document, "auths", path)
    key = _key(auths, hosts, repository)
    return _entry(auths[key], f"{path}: auths: {key[:200]}") if key else None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise MachineError(f"{path}: the credentials cannot be read: {error.strerror}") from error
    if len(text) > _LARGEST_FILE:
        raise SourceError(f"{path}: expected a file of credentials, found more than 1 MiB")
    try:
        document = json.loads(text.decode()) if text.strip() else {}
    except (ValueError, RecursionError):
        # Not chained: json's error keeps the whole text, which holds passwords.
        raise SourceError(f"{path}: expected JSON", hint=_LOG_IN_AGAIN) from None
    if not isinstance(document, dict):
        raise SourceError(f"{path}: expected a JSON object", hint=_LOG_IN_AGAIN)
    return document


def _mapping(document: dict[str, Any], key: str, path: Path) -> dict[str, Any]:
    found = document.get(key) or {}
    if not isinstance(found, dict):
        raise SourceError(f"{path}: {key}: expected a JSON object", hint=_LOG_IN_AGAIN)
    return found


def _key(auths: Mapping[str, Any], hosts: tuple[str, ...], repository: str) -> str | None:
    """The most specific key: ``host/team/app`` before ``host/team`` before ``host``; Docker writes addresses."""
    parts = repository.split("/")
    names = ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
    wanted = [f"{host}/{name}" for name in names for host in hosts] + list(hosts)
    bare = {_bare(key): key for key, entry in reversed(list(auths.items())) if entry}
    return next((bare[_bare(one)] for one in wanted if _bare(one) in bare), None)


def _bare(key: str) -> str:
    scheme, found, rest = key.partition("://")
    return rest.partition("/")[0] if found and scheme in ("http", "https") else key


def _entry(entry: Any, place: str) -> Credentials | None:
    fields = entry if isinstance(entry, dict) else None
    if fields is None or not all(isinstance(fields.get(key, ""), str) for key in ("auth", "identitytoken")):
        raise SourceError(f"{place}: expected an object with auth", hint=_LOG_IN_AGAIN)
    user, password = "", ""
    if fields.get("auth"):
        try:
            user, colon, password = base64.b64decode(fields["auth"], validate=True).decode().partition(":")
        except ValueError:
            colon = ""
        if not colon:
            raise SourceError(f"{place}.auth: expected base64 of USER:PASSWORD", hint=_LOG_IN_AGAIN)
    if fields.get("identitytoken"):
        return Credentials(user, identity_token=fields["identitytoken"])
    return _credentials(user, password.strip("\0")) if user else None


def _credentials(user: str, secret: str) -> Credentials:
    """Docker marks an identity token with the user name ``<token>``."""
    return Credentials("", identity_token=secret) if user == "<token>" else Credentials(user, secret)
