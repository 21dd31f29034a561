"""What an answer of Elasticsearch's that is no success means for the person who asked. No I/O here.

Rules: what the server says is quoted shortened. Source of the forms: elastic/elasticsearch, ElasticsearchException
(``{"error": {"type", "reason", "root_cause"}, "status"}``), and the REST handlers that answer with a text.
"""

from __future__ import annotations

import re
from typing import Any, Final

from kibana_assets.connection.login import KEY_VARIABLE
from kibana_assets.connection.reasons import said
from kibana_assets.errors import RefusedError, UnreachableError

BUSY: Final = frozenset({429, 502, 503, 504})
_LOGIN: Final = f"Give a valid API key in {KEY_VARIABLE} or with --api-key-file, or a user with --user."
_RIGHTS: Final = "llm-bundle assets role prints the role that installing needs, and makes a key with it."
_READ_ONLY: Final = re.compile(r"read-only|FORBIDDEN/\d+|flood.?stage", re.I)
_UNBLOCK: Final = (
    "Free disk space on the nodes: Elasticsearch then lifts the block by itself. One that was set by hand: PUT "
    "_cluster/settings with cluster.blocks.read_only: null. Then run the same command again."
)


def of_refusal(place: str, status: int, body: Any) -> RefusedError | UnreachableError:
    """The error for an answer with ``status``; ``place`` is safe to print."""
    words = words_of(body)
    text = f"{place}: Elasticsearch answered {status}" + (f": {words}" if words else "")
    if 300 <= status < 400:
        return UnreachableError(f"{place}: expected an answer, found a redirect", hint="Give the address itself.")
    return RefusedError(text, hint=_hint(status, words), status=status)


def words_of(body: Any) -> str:
    """What Elasticsearch says in its error: the innermost cause's reason after the outer one."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, str):
        return said(error)
    if not isinstance(error, dict):
        return ""
    reasons = [error.get("reason")]
    cause = error.get("caused_by")
    for _ in range(8):
        if not isinstance(cause, dict):
            break
        reasons.append(cause.get("reason"))
        cause = cause.get("caused_by")
    texts = [text for text in reasons if isinstance(text, str) and text]
    if not texts:
        return ""
    return said(texts[0] if texts[-1] in texts[0] else f"{texts[0]}: {texts[-1]}")


def _hint(status: int, words: str) -> str:
    if status == 401:
        return _LOGIN
    if _READ_ONLY.search(words):
        return _UNBLOCK
    if status == 403:
        return _RIGHTS
    if status in BUSY:
        return "The cluster is busy or starting: wait a minute and run the same command again."
    if status == 405:
        return "Give the address of Elasticsearch, with its base path if it has one."
    if status >= 500:
        return "Elasticsearch failed inside: its log has the reason. Run the same command again."
    return "Elasticsearch takes this for wrong; what it said names the place."
