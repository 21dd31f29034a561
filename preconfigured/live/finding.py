"""What a trial of a connector finds: one value for each check, with the place to mend.

Rules: a finding that is not ``ok`` names its place and says what to do. What servers say stands in it shortened, on
one line, and without the token that was sent to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

State: TypeAlias = Literal["ok", "warn", "block"]
Place: TypeAlias = Literal[
    "",
    "dns",
    "network",
    "tls",
    "token",
    "path",
    "body-size",
    "proxy-timeout",
    "proxy",
    "rate-limit",
    "buffering",
    "model-name",
    "model-server",
    "context",
    "tool-parser",
    "kibana.yml",
    "allowed-hosts",
    "inference-endpoint",
    "license",
]

MAX_SAID = 300
_UNFIT = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]+")


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found, at which place it is to be mended, and how. ``ok`` findings have no place."""

    check: str
    state: State
    found: str
    place: Place = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """All findings of one trial, in the order of the checks. ``first_token_seconds`` is None where nothing came."""

    findings: tuple[Finding, ...]
    first_token_seconds: float | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is to be mended."""
        return all(finding.state == "ok" for finding in self.findings)


def said(text: str, secrets: Iterable[str] = ()) -> str:
    """A text of a server's on one line of at most 300 characters, without those secrets."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "…")
    line = " ".join(_UNFIT.sub(" ", text).split())
    return line if len(line) <= MAX_SAID else line[: MAX_SAID - 1] + "…"
