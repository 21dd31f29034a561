"""What an answer of Kibana's that is no success means for the person who asked. No I/O here.

Rules: what Kibana says is quoted shortened; HTML never is. Source of the forms: elastic/kibana, packages/core/http
(``{statusCode, error, message}``), and the login redirect of its security plugin.
"""

from __future__ import annotations

from typing import Final

from kibana_assets.connection.document import parse
from kibana_assets.connection.http import Answer
from kibana_assets.connection.login import KEY_VARIABLE, KIBANA_KEY_VARIABLE
from kibana_assets.connection.reasons import said
from kibana_assets.errors import RefusedError, UnreachableError

_LOGIN: Final = f"Give a valid API key in {KIBANA_KEY_VARIABLE}, {KEY_VARIABLE} or --api-key-file, or a --user."
_RIGHTS: Final = "llm-bundle assets role --space ID prints the role with Kibana's privileges for a space."


def of_answer(place: str, answer: Answer) -> RefusedError | UnreachableError:
    """The error for an answer that is not what was asked for; ``place`` is safe to print."""
    status = answer.status
    if 300 <= status < 400:
        if "/login" in answer.headers.get("Location", ""):
            return RefusedError(f"{place}: Kibana sends us to its login page", hint=_LOGIN, status=status)
        hint = "Give the address that Kibana is served at, with its base path if it has one."
        return UnreachableError(f"{place}: expected an answer, found a redirect", hint=hint)
    if status == 200:
        hint = "This is another server's page, or a proxy's login page: give Kibana's own address and base path."
        return UnreachableError(f"{place}: expected JSON from Kibana, found something else", hint=hint)
    words = _words(answer.body)
    text = f"{place}: Kibana answered {status}" + (f": {words}" if words else "")
    if status in (502, 504):
        return UnreachableError(text, hint="Kibana is down behind its proxy: see its log, try again.", passing=True)
    hints = {
        401: _LOGIN,
        403: _RIGHTS,
        404: "Check the address, its base path (server.basePath) and the space.",
        413: "Raise savedObjects.maxImportPayloadBytes in Kibana, and the limit of a proxy in front of it.",
        429: "Kibana or a proxy in front of it is busy: wait a minute and run the same command again.",
        503: "Kibana is starting: wait a minute and run the same command again.",
    }
    usual = "Kibana failed inside: its log has the reason." if status >= 500 else "Kibana takes this for wrong."
    return RefusedError(text, hint=hints.get(status, usual), status=status)


def _words(body: bytes) -> str:
    try:
        found = parse(body)
    except ValueError:
        return ""
    text = found.get("message") if isinstance(found, dict) else None
    return said(text) if isinstance(text, str) else ""
