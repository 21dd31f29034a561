"""What an answer of Kibana's that is no success means for the person who asked. No I/O here.

Rules: the address that is printed has no credentials in it. What Kibana says is quoted shortened; HTML never is.
Sources of the forms: elastic/kibana, packages/core/http (``{statusCode, error, message}``), and the login redirect of
x-pack/plugins/security.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from preconfigured.errors import PreconfiguredError, RefusedError, UnreachableError
from preconfigured.live.finding import said
from preconfigured.live.login import KEY_VARIABLE
from preconfigured.live.reasons import reason

_LOGIN = f"Give a valid API key in {KEY_VARIABLE} or with --api-key-file, or a user with --user."
_RIGHTS = (
    "The key needs, in each of the spaces, the privilege Actions and Connectors (read to list, all to try), and for "
    "prompts those of the Security AI Assistant."
)


class NotFoundError(RefusedError):
    """Kibana knows no such thing, or no such path."""


def of_exception(place: str, host: str, error: BaseException) -> PreconfiguredError:
    """The error for a connection to Kibana that failed."""
    why = reason(error, host, "--ca")
    return UnreachableError(f"{place}: {why.found}", hint=why.fix)


def of_answer(place: str, status: int, headers: Mapping[str, str], body: bytes) -> PreconfiguredError:
    """The error for an answer that is not the JSON that was asked for; ``place`` is safe to print."""
    if 300 <= status < 400:
        return _redirect(place, headers.get("Location", ""))
    if status == 200:
        return UnreachableError(
            f"{place}: expected JSON from Kibana, found {_kind(headers, body)}",
            hint="This is another server's page or a login page of a proxy: give Kibana's own address and base path.",
        )
    words = message(body)
    text = f"{place}: Kibana answered {status} {_phrase(status)}".rstrip() + (f": {words}" if words else "")
    if status == 401:
        return RefusedError(text, hint=_LOGIN)
    if status == 403:
        return RefusedError(text, hint=_RIGHTS)
    if status == 404:
        return NotFoundError(text, hint="Check the address, its base path (server.basePath), the space and the id.")
    if status == 429:
        return RefusedError(text, hint="Kibana or a proxy in front of it is busy: wait a minute and try again.")
    if status in (502, 503, 504):
        return UnreachableError(text, hint="Kibana is starting or down behind its proxy: see its log, try again.")
    if status >= 500:
        return RefusedError(text, hint="Kibana failed inside: its log has the reason at this moment.")
    return RefusedError(text, hint="Kibana takes this request for wrong; is its version older than 8.16?")


def message(body: bytes) -> str:
    """What Kibana says in its JSON error, or nothing where the body is something else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    text = found.get("message") if isinstance(found, dict) else None
    return said(text) if isinstance(text, str) else ""


def _redirect(place: str, location: str) -> PreconfiguredError:
    if "/login" in location or "/internal/security" in location:
        return RefusedError(f"{place}: Kibana sends us to its login page", hint=_LOGIN)
    if "/spaces/space_selector" in location:
        return UnreachableError(f"{place}: Kibana sends us to its space selector", hint="Give the address alone.")
    target = said(location.split("?")[0].split("@")[-1]) or "nowhere"
    return UnreachableError(
        f"{place}: expected an answer, found a redirect to {target}",
        hint="Give the address that Kibana is served at: https instead of http, with its base path if it has one.",
    )


def _kind(headers: Mapping[str, str], body: bytes) -> str:
    kind = said(headers.get("Content-Type", "").split(";")[0])
    looks_html = body.lstrip()[:1] == b"<"
    return "HTML" if looks_html or kind == "text/html" else (f"broken JSON ({kind})" if kind else "something else")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
