"""What the proxy lets through: methods and paths, exactly as they stand here and in no other spelling.

An engine's own key does not guard everything: vLLM answers ``POST /invocations``, ``/tokenize``, ``/metrics`` and more
without one. So the proxy compares the raw request line with this list, and sends on the path of this list, never the
client's spelling and never its query.
"""

from __future__ import annotations

import re
from typing import Final

_OPENAI: Final = (
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/completions"),
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/responses"),
    ("GET", "/v1/models"),
)
ROUTES: Final = {"vllm": _OPENAI, "lmstudio": _OPENAI}
"""Engine → (method, path), for who holds a token."""

PROBES: Final = {
    "vllm": {"/health": "/health", "/metrics": "/metrics"},
    # LM Studio has no metrics; its greeting shows that it lives.
    "lmstudio": {"/health": "/lmstudio-greeting"},
}
"""Engine → path → path at the engine: GET, for the addresses of ``monitors``, without a token."""

STATUS: Final = "/nginx_status"


def raw_pattern(head: str, method: str, path: str) -> str:
    """The regular expression (PCRE) of ``<head><method> <path>`` in its one spelling, a query may follow."""
    return rf"~^{head}{method} {literal(path)}(?:\?|\z)"


def literal(text: str) -> str:
    r"""``text`` for a regular expression that stands in quotes in a configuration. ``\z``, unlike ``$``, takes no
    newline for the end."""
    return re.sub(r"([.+*?^$()\[\]{}|])", r"\\\1", text)
