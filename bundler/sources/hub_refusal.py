"""What a refusal of the hub means, and what to do about it.

Rules: no I/O. The hub's own words are not repeated, only its codes are read: X-Error-Code, and the two
X-Error-Message that have none (``utils/_http.py`` of the client, ``hf_raise_for_status``). A 401 without a
code is what the hub says of everything that one may not see, also of what is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bundler.errors import SourceError, TransientError
from bundler.sources import address, faults

_BAD_TOKEN = "Invalid credentials in Authorization header"  # noqa: S105 - what the hub says of a wrong one
_DISABLED = "Access to this resource is disabled."


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of the hub: ``path`` is empty for the model as a whole; ``token`` says whether one was sent."""

    endpoint: str
    repository: str
    revision: str
    path: str = ""
    token: bool = False

    @property
    def where(self) -> str:
        """For messages: the model, the file and the hub."""
        file = f" {self.path}" if self.path else ""
        return f"{self.repository}{file} at {address.host(self.endpoint)}"


def refused(asked: Asked, status: int, headers: Mapping[str, str]) -> SourceError:
    """The error for a status that is no success: TransientError when it may pass."""
    ours = faults.of_status(asked.where, status, headers, b"")
    if isinstance(ours, TransientError):
        return ours
    code, said = headers.get("X-Error-Code", ""), headers.get("X-Error-Message", "")
    if code == "GatedRepo":
        return _gated(asked)
    if said == _BAD_TOKEN:
        return _bad_token(asked)
    if said == _DISABLED:
        return SourceError(f"{asked.where}: the hub has disabled this model", hint="Choose another model.")
    if code == "RevisionNotFound":
        return SourceError(
            f"{asked.where}: there is no revision {asked.revision!r}",
            hint="Check `revision` in bundle.yml: a branch, a tag or a commit. Then lock again.",
        )
    if code == "EntryNotFound":
        hint = "It was deleted with its commit, or the lock was edited. Lock again."
        return SourceError(f"{asked.where}: there is no such file at {asked.revision}", hint=hint)
    if code == "RepoNotFound" or status in (401, 404):
        return _unknown(asked)
    if status == 403:
        hint = "Set HF_TOKEN if this model asks for an account, and check that no web proxy forbids the address."
        if asked.token:
            hint = "Give the token in HF_TOKEN the permission to read this model, or unset HF_TOKEN."
        return SourceError(f"{asked.where}: the hub forbids it", hint=hint)
    return ours


def _gated(asked: Asked) -> SourceError:
    page = f"{asked.endpoint}/{asked.repository}"
    if asked.token:
        return SourceError(
            f"{asked.where}: the model is gated, and the account of this token is not admitted",
            hint=f"Accept the licence at {page} with that account and wait until it is granted; "
            "a fine-grained token also needs the permission to read gated models.",
        )
    return SourceError(
        f"{asked.where}: the model is gated",
        hint=f"Accept the licence at {page}, then set HF_TOKEN to a token of that account.",
    )


def _bad_token(asked: Asked) -> SourceError:
    hint = f"Make a new one at {asked.endpoint}/settings/tokens and set HF_TOKEN to it, or unset it."
    return SourceError(f"{asked.where}: the hub refuses the token, it is wrong or has expired", hint=hint)


def _unknown(asked: Asked) -> SourceError:
    private = "the token's account must be able to read it" if asked.token else "set HF_TOKEN"
    return SourceError(
        f"{asked.where}: there is no such model, or it is private",
        hint=f"Check how the id is written; if the model is private, {private}.",
    )
