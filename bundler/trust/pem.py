"""PEM (RFC 7468) that may say anything: its blocks, and what each of them is, in words. No I/O."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

MAX_BYTES: Final = 64 << 10
"""The most that a file with a key can have; one of ours has some 250 bytes."""

PUBLIC: Final = "PUBLIC KEY"
COSIGN: Final = ("ENCRYPTED COSIGN PRIVATE KEY", "ENCRYPTED SIGSTORE PRIVATE KEY")

# No body holds five dashes, so that a hostile file costs no more than its length.
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,64})-----((?:(?!-----).)*)-----END \1-----", re.DOTALL)
# openssl ecparam writes this before the key; the key itself names its curve again.
_PREFACE: Final = "EC PARAMETERS"
_WORDS: Final = {
    PUBLIC: "a public key",
    "EC PRIVATE KEY": "a private key",
    "RSA PUBLIC KEY": "an RSA key",
    "CERTIFICATE": "a certificate",
    "CERTIFICATE REQUEST": "a certificate request",
}


@dataclass(frozen=True, slots=True)
class Block:
    """One PEM block: its label, and what stands between its borders."""

    label: str
    body: str

    @property
    def is_private(self) -> bool:
        """Whether it is a private key of any kind."""
        return self.label.endswith("PRIVATE KEY")

    @property
    def is_encrypted(self) -> bool:
        """Whether a passphrase is needed to read it (RFC 5958; RFC 1421 for the header of old)."""
        return self.label.startswith("ENCRYPTED ") or "Proc-Type: 4,ENCRYPTED" in self.body

    @property
    def words(self) -> str:
        """What it is, for a message."""
        if self.is_private:
            return "a private key"
        return _WORDS.get(self.label, "another kind of PEM")

    def data(self) -> bytes:
        """The bytes that it encodes. Raises: ValueError."""
        try:
            return base64.b64decode("".join(self.body.split()), validate=True)
        except binascii.Error as error:
            raise ValueError("is not base64") from error

    def encode(self) -> bytes:
        """The block as a text of its own."""
        return f"-----BEGIN {self.label}-----{self.body}-----END {self.label}-----\n".encode()


def blocks(data: bytes) -> tuple[Block, ...]:
    """All blocks of a file but those that only repeat a key's parameters; none for anything that is not PEM."""
    found = (Block(match[1], match[2]) for match in _BLOCK.finditer(data.decode("ascii", "replace")))
    return tuple(block for block in found if block.label != _PREFACE)
