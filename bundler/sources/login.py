"""Logging in to a registry: a bearer token from its token server, or the basic scheme.

Rules: a token is kept for each (registry, repository) and fetched by one thread while the others wait;
after a 401 it is fetched anew, once. Credentials are looked up under the registry's own name, so a mirror
never sees those of the registry. Protocol: https://distribution.github.io/distribution/spec/auth/token/ and
/spec/auth/oauth/.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin

from bundler.errors import SourceError
from bundler.sources.credentials import Credentials, Keychain
from bundler.sources.transport import Answer, StatusError, Transport

_LARGEST_TOKEN = 256 * 1024
_CHALLENGE = re.compile(
    r'(?:([A-Za-z]{1,32})\s{1,8})?([A-Za-z_]{1,32})\s{0,8}=\s{0,8}(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))'
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a WWW-Authenticate header asks for; ``scheme`` in lower case."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenge(header: str) -> Challenge | None:
    """The bearer challenge of a WWW-Authenticate header, else the basic one, else None (RFC 9110, 11.6.1)."""
    found: dict[str, dict[str, str]] = {}
    scheme = ""
    for match in _CHALLENGE.finditer(header[:8192]):
        scheme = (match[1] or scheme).lower()
        value = match[4] if match[3] is None else re.sub(r"\\(.)", r"\1", match[3])
        found.setdefault(scheme, {})[match[2].lower()] = value
    for name in ("bearer", "basic"):
        if name in found:
            return Challenge(name, found[name])
    return Challenge("basic", {}) if re.match(r"basic\b", header, re.IGNORECASE) else None


class Logins:
    """The Authorization headers of a run. Safe to use from several threads."""

    def __init__(self, transport: Transport, keychain: Keychain) -> None:
        self._transport = transport
        self._keychain = keychain
        self._headers: dict[tuple[str, str], dict[str, str]] = {}
        self._locks: dict[tuple[str, str], threading.Lock] = {}
        self._lock = threading.Lock()

    def known(self, registry: str, repository: str) -> dict[str, str]:
        """The secret headers for a repository, none before the registry asked for a login."""
        with self._lock:
            return self._headers.get((registry, repository), {})

    def renew(self, registry: str, repository: str, refused: StatusError, used: Mapping[str, str]) -> dict[str, str]:
        """New secret headers after a 401 to ``used``, those of another thread if it was faster.

        Raises: SourceError when the registry cannot be logged in to.
        """
        key = (registry, repository)
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            current = self.known(registry, repository)
            if current != used:
                return current
            headers = {"Authorization": self._authorization(registry, repository, refused)}
            with self._lock:
                self._headers[key] = headers
            return headers

    def _authorization(self, registry: str, repository: str, refused: StatusError) -> str:
        challenge = parse_challenge(refused.headers.get("WWW-Authenticate", ""))
        if challenge is None:
            raise SourceError(f"{refused.url}: the registry asks for a login of a kind that is not known")
        credentials = self._keychain.find(registry, repository)
        if challenge.scheme == "bearer":
            try:
                return "Bearer " + self._token(refused.url, repository, challenge, credentials)
            except StatusError as error:
                login = "login" if credentials else "request without a login"
                message = f"{registry}: its token server refused the {login} for {repository}: {error.message}"
                raise SourceError(message, hint=log_in(registry)) from error
        if credentials is None or credentials.identity_token:
            raise SourceError(f"{registry}: the registry asks for a login", hint=log_in(registry))
        return credentials.basic

    def _token(self, url: str, repository: str, challenge: Challenge, credentials: Credentials | None) -> str:
        if not challenge.parameters.get("realm"):
            raise SourceError(f"{url}: the registry asks for a token and does not say where to get one")
        realm = urljoin(url, challenge.parameters["realm"])
        asked = {"scope": challenge.parameters.get("scope") or f"repository:{repository}:pull"}
        if "service" in challenge.parameters:
            asked["service"] = challenge.parameters["service"]
        if credentials and credentials.identity_token:
            form = {"grant_type": "refresh_token", "client_id": "llm-bundle", **asked}
            answer = self._exchange(realm, {**form, "refresh_token": credentials.identity_token})
        else:
            secret = {"Authorization": credentials.basic} if credentials else {}
            joint = "&" if "?" in realm else "?"
            answer = self._transport.small(f"{realm}{joint}{urlencode(asked)}", secret=secret, limit=_LARGEST_TOKEN)
        return _read_token(answer)

    def _exchange(self, realm: str, form: Mapping[str, str]) -> Answer:
        return self._transport.small(
            realm,
            method="POST",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            data=urlencode(form).encode(),
            limit=_LARGEST_TOKEN,
        )


def log_in(registry: str) -> str:
    """The hint for a registry that wants a login."""
    return f"Log in: `docker login {registry}` or `podman login {registry}`. Check the name, and that you may pull."


def _read_token(answer: Answer) -> str:
    try:
        document = json.loads(answer.body.decode())
    except (ValueError, RecursionError):
        document = None
    fields = document if isinstance(document, dict) else {}
    token = fields.get("token") or fields.get("access_token")
    if not isinstance(token, str) or not re.fullmatch("[!-~]+", token):
        # Not chained and not shown: a broken answer may still hold the token.
        raise SourceError(f"{answer.url}: expected a token from the registry's token server")
    return token
