"""The signature over the bytes of SHA256SUMS: ECDSA on P-256 with SHA-256, in DER. Rules alone, no I/O.

With keys given, only a signature that one of them made is good: none, a malformed one and another's are refused, by
one kind of error, so that the caller has read nothing else yet. The form is checked here to the last bit (RFC 3279,
2.2.3, in DER; r and s from 1 to the order of the curve less 1), so that no way of checking is looser than another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from bundler.errors import IntegrityError
from bundler.layout.member import SIGNATURE, SUMS
from bundler.trust.keys import ORDER, KeyName, PublicKey

State = Literal["valid", "absent", "unchecked", "invalid"]

_INTEGER: Final = 0x02
_SEQUENCE: Final = 0x30


class Verifier(Protocol):
    """A way to check a signature, whose form is good already."""

    def fits(self, key: PublicKey, signature: bytes, message: bytes) -> bool:
        """Whether the owner of ``key`` signed ``message``. Raises: MachineError when that cannot be told."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What is known of a bundle's signature, and who made it when it is valid."""

    state: State
    by: KeyName | None = None


class SignatureRefused(IntegrityError):
    """Keys were given, and none of them made a signature over these sums."""

    usual_hint = "Do not use the bundle. Ask the sender which key it was signed with, on another way than the bundle's."

    def __init__(self, state: State, reason: str) -> None:
        super().__init__(f"{SIGNATURE}: {reason}")
        self.state = state
        self.reason = reason


def unchecked(signature: bytes | None) -> Seal:
    """What can be said when no key was given."""
    return Seal("absent" if signature is None else "unchecked")


def examine(sums: bytes, signature: bytes | None, keys: Sequence[PublicKey], verifier: Verifier) -> Seal:
    """The seal of whichever of ``keys`` signed the bytes ``sums``. Raises: SignatureRefused; MachineError."""
    if signature is None:
        raise SignatureRefused("absent", "is not there: the bundle is not signed")
    fault = form_fault(signature)
    if fault:
        raise SignatureRefused("invalid", f"is no signature: {fault}")
    for key in keys:
        if verifier.fits(key, signature, sums):
            return Seal("valid", key.name)
    given = ", ".join(str(key.name) for key in keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")
    raise SignatureRefused(
        "invalid",
        f"was not made over these {SUMS} with {given}: another key, another bundle's, or changed since",
    )


def form_fault(signature: bytes) -> str | None:
    """Why the bytes cannot be a signature of ECDSA on P-256 in DER, or None."""
    if not signature:
        return "it is empty"
    try:
        r, s = _numbers(signature)
    except (ValueError, IndexError):
        return "it is not in the form that DER has for it"
    return None if 1 <= r < ORDER and 1 <= s < ORDER else "its numbers are out of range"


def _numbers(signature: bytes) -> tuple[int, int]:
    """r and s. Raises: ValueError, IndexError for anything but the one encoding that DER has for them."""
    if signature[0] != _SEQUENCE or signature[1] != len(signature) - 2:
        raise ValueError("no sequence")
    r, rest = _integer(signature[2:])
    s, rest = _integer(rest)
    if rest:
        raise ValueError("more than two numbers")
    return r, s


def _integer(data: bytes) -> tuple[int, bytes]:
    """The number that ``data`` begins with, and the rest."""
    length = data[1]
    body = data[2 : 2 + length]
    if data[0] != _INTEGER or not 1 <= length <= 33 or len(body) != length:
        raise ValueError("no number")
    # A leading zero only where the number would look negative without it.
    if length > 1 and body[0] == 0 and not body[1] & 0x80:
        raise ValueError("not the shortest form")
    return int.from_bytes(body, "big", signed=True), data[2 + length :]
