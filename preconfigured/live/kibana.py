"""A small client of Kibana's HTTP API.

Rules: redirects are not followed, so that a login never leaves the address that was given. Every answer is bounded in
size and time. Proxies come from the environment; .netrc and cookies are not used. Every failure is one of our errors.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import requests
import urllib3

from preconfigured import address
from preconfigured.errors import ConnectorError, UnreachableError, UsageError
from preconfigured.live.finding import said
from preconfigured.live.login import Login
from preconfigured.live.reasons import innermost
from preconfigured.live.refusal import of_answer, of_exception

DEFAULT_SPACE = "default"
CONNECT_SECONDS = 10.0
LARGEST = 16 * 1024 * 1024
# The version of public APIs, as elastic/kibana's docs for API versions name it.
PUBLIC_VERSION = "2023-10-31"
_SPACE = re.compile(r"[a-z0-9_-]{1,255}", re.ASCII)
_VERSION = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){1,2}(?:-[0-9A-Za-z.]{1,32})?", re.ASCII)


class Kibana:
    """A Kibana at ``url`` (with its base path, if any), asked as ``login``; ``ca`` is a PEM file to trust."""

    def __init__(self, url: str, login: Login, *, ca: Path | None = None, timeout: float = 60.0) -> None:
        """Nothing is sent yet.

        Raises:
            UsageError: the address or the CA file cannot be used.
        """
        self.url = _checked(url)
        self._host = urlsplit(self.url).hostname or ""
        self._login = login
        self._timeout = timeout
        self._session = _session(login)
        self._verify: str | bool = str(_readable(ca)) if ca else True

    def get(self, path: str, *, space: str = DEFAULT_SPACE, versioned: bool = False) -> Any:
        """The JSON at ``path`` in a space.

        Raises:
            PreconfiguredError: Kibana cannot be reached, refuses, or answers something else.
        """
        return self._json("GET", path, space, None, versioned, None)

    def post(
        self, path: str, body: Any, *, space: str = DEFAULT_SPACE, versioned: bool = False, timeout: float | None = None
    ) -> Any:
        """The JSON that Kibana answers to ``body``; ``timeout`` is in seconds, for the whole answer.

        Raises:
            PreconfiguredError: as ``get`` does.
        """
        return self._json("POST", path, space, json.dumps(body).encode(), versioned, timeout)

    def version(self) -> str | None:
        """The version of the stack, or None where Kibana does not tell it to this login.

        Raises:
            UnreachableError: there is no Kibana.
        """
        document = self.get("/api/status")
        found = document.get("version") if isinstance(document, dict) else None
        number = found.get("number") if isinstance(found, dict) else None
        return number if isinstance(number, str) and _VERSION.fullmatch(number) else None

    def _json(
        self, method: str, path: str, space: str, data: bytes | None, versioned: bool, timeout: float | None
    ) -> Any:
        place = f"{method} {self.url}{_prefix(space)}{path.split('?')[0]}"
        headers = {"kbn-xsrf": "llm-bundle", "Accept": "application/json", "Accept-Encoding": "identity"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        if versioned:
            headers["elastic-api-version"] = PUBLIC_VERSION
        ask = _Ask(method, f"{self.url}{_prefix(space)}{path}", headers, data)
        status, given, body = self._exchange(ask, place, timeout or self._timeout)
        if status == 200:
            try:
                return json.loads(body)
            except (ValueError, RecursionError):
                pass
        raise of_answer(place, status, given, body)

    def _exchange(self, ask: _Ask, place: str, allowed: float) -> tuple[int, Mapping[str, str], bytes]:
        deadline = time.monotonic() + allowed
        try:
            with self._session.request(
                ask.method,
                ask.url,
                headers=ask.headers,
                data=ask.data,
                stream=True,
                allow_redirects=False,
                timeout=(min(CONNECT_SECONDS, allowed), allowed),
                verify=self._verify,
            ) as response:
                body = _read(response, place, deadline)
                return response.status_code, response.headers, body
        except (OSError, urllib3.exceptions.HTTPError, http.client.HTTPException, UnicodeError) as error:
            # The innermost cause alone: the outer ones repeat whole addresses.
            raise of_exception(place, self._host, error) from innermost(error)


@dataclass(frozen=True, slots=True)
class _Ask:
    method: str
    url: str
    headers: Mapping[str, str]
    data: bytes | None


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nothing: requests would read the whole body of a redirect, even when told not to follow it."""


def check_space(space: str) -> str:
    """Return the id of a space, checked.

    Raises:
        UsageError: it cannot be one.
    """
    if not _SPACE.fullmatch(space):
        raise UsageError(
            f"--space: expected the id of a space (a-z, 0-9, '_' and '-'), found {said(space)[:80]!r}",
            hint="It is the part after /s/ in Kibana's address; the space's name may differ from it.",
        )
    return space


def _prefix(space: str) -> str:
    return "" if space == DEFAULT_SPACE else f"/s/{check_space(space)}"


def _session(login: Login) -> requests.Session:
    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        if login.authorization:
            request.headers["Authorization"] = login.authorization
        return request

    session = _Session()
    # Also where there is no login: with no ``auth`` at all, requests would look into ~/.netrc.
    session.auth = authorize
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = "llm-bundle"
    return session


def _read(response: requests.Response, place: str, deadline: float) -> bytes:
    # Below urllib3, whose own reads wait until a whole piece is there: a server that drips would never time out.
    raw = cast(http.client.HTTPResponse, response.raw._fp)
    body = bytearray()
    while piece := raw.read1(65536):
        body += piece
        if len(body) > LARGEST:
            raise UnreachableError(
                f"{place}: expected at most {LARGEST} bytes, Kibana sent more", hint="Is this really a Kibana?"
            )
        if time.monotonic() > deadline:
            raise TimeoutError
    if raw.length:
        raise http.client.IncompleteRead(b"", raw.length)
    return bytes(body)


def _checked(url: str) -> str:
    try:
        found = address.server(url.strip(), "--kibana")
    except ConnectorError as error:
        hint = "Give Kibana's address alone, as https://kibana.example.internal:5601; a login never stands in it."
        raise UsageError(error.message, hint=hint) from error
    path = urlsplit(found.url).path.rstrip("/")
    if re.search(r"/(?:app|s|api)(?:/|$)", path):
        raise UsageError(
            f"--kibana: expected Kibana's address, found one with {said(path)[:80]!r}",
            hint="Leave /app/… and /s/… away (a space is named by --space); keep only the base path, if there is one.",
        )
    return found.url.rstrip("/")


def _readable(ca: Path) -> Path:
    """The CA file, read once: requests would say of a missing one only that the bundle is invalid."""
    try:
        ssl.create_default_context(cafile=str(ca))
    except (OSError, ValueError) as error:
        reason = "holds no certificate in PEM form" if isinstance(error, ssl.SSLError) else "cannot be read"
        raise UsageError(f"--ca {ca}: {reason}", hint="Name the PEM file of the authority that signed.") from error
    return ca
