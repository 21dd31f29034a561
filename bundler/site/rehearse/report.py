"""What a rehearsal found: a row for each check, and the document that travels with the bundle.

Rules: no token, no prompt and no answer of the model is in it, nor a name or path of the machine. Every check has its
row in every report: one that could not be made is skipped, with the reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any, Final, Literal

from bundler.errors import EngineError, IntegrityError
from bundler.progress import Progress

FORMAT: Final = "llm-bundle-rehearsal/1"

State = Literal["passed", "failed", "skipped"]
Ending = Literal["rehearsed", "damaged", "refused"]
"""It ran and was asked; the bundle is not what it must be; the engine or the proxy did not come up."""

_LONGEST: Final = 4000


@dataclass(frozen=True, slots=True)
class Check:
    """What was tried, how it went, how many seconds it took, what was found and what was expected."""

    name: str
    state: State
    seconds: float
    found: str
    expected: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """All that a report says. ``began`` in seconds since 1970; ``engine`` and ``settings`` are printed as they are.

    ``manifest`` is the digest in hexadecimal, None where the bundle is too damaged to have one; ``signed_by`` the key.
    """

    ending: Ending
    bundle: str | None
    manifest: str | None
    signature: str
    signed_by: str | None
    tool: str
    began: float
    seconds: float
    engine: dict[str, str | bool]
    gpus: tuple[str, ...]
    settings: dict[str, Any]
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return self.ending == "rehearsed" and all(check.state != "failed" for check in self.checks)

    def document(self) -> dict[str, Any]:
        """The stable keys of the report."""
        return {
            "format": FORMAT,
            "ok": self.ok,
            "ending": self.ending,
            "bundle": self.bundle,
            "manifest_sha256": self.manifest,
            "signature": self.signature,
            "signed_by": self.signed_by,
            "tool": self.tool,
            "date": datetime.fromtimestamp(int(self.began), timezone.utc).isoformat().replace("+00:00", "Z"),
            "seconds": round(self.seconds, 3),
            "engine": self.engine,
            "gpus": list(self.gpus),
            "settings": self.settings,
            "checks": [asdict(check) for check in self.checks],
        }


class Ledger:
    """The checks as they are made; ``secrets`` are blotted out wherever a server repeats them."""

    def __init__(self, progress: Progress) -> None:
        self.checks: list[Check] = []
        self.secrets: list[str] = []
        self._progress = progress

    def check(self, name: str, expected: str, act: Callable[[], str]) -> bool:
        """Whether ``act`` went well; it returns what was found, and raises EngineError or IntegrityError for less."""
        self._progress.say(f"{name} …")
        began = time.monotonic()
        state: State = "passed"
        try:
            found = act()
        except (EngineError, IntegrityError) as error:
            state, found = "failed", error.message
        self._add(Check(name, state, time.monotonic() - began, found, expected))
        return state == "passed"

    def skip(self, name: str, expected: str, reason: str) -> None:
        """A check that cannot be made, and why."""
        self._add(Check(name, "skipped", 0.0, reason, expected))

    def _add(self, check: Check) -> None:
        found = check.found
        for secret in filter(None, self.secrets):
            found = found.replace(secret, "…")
        self.checks.append(Check(check.name, check.state, round(check.seconds, 3), found[:_LONGEST], check.expected))
