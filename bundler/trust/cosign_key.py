"""The private key that ``cosign generate-key-pair`` writes: PKCS#8 in a NaCl secretbox, its key derived by scrypt.

Source: github.com/secure-systems-lab/go-securesystemslib, encrypted/encrypted.go. cosign itself has no command that
gives the key in another form, so it is read here.
"""

from __future__ import annotations

import binascii
import hashlib
import json
from base64 import b64decode
from pathlib import Path
from typing import Any, Final

from bundler.errors import UsageError
from bundler.jsonrow import Row
from bundler.trust import secretbox
from bundler.trust.pem import Block

# cosign uses 32,768 and 65,536 rounds of 1 KiB each; a hostile file must not take all memory.
_MOST_ROUNDS: Final = 1 << 18
_MOST_MEMORY: Final = 300 << 20


class CosignKeyError(UsageError):
    """The file is no key that cosign wrote."""

    usual_hint = "`llm-bundle keygen` makes a new key."


def decrypt(block: Block, path: Path, passphrase: bytes) -> bytes:
    """The PKCS#8 form inside. Raises: UsageError, also for a wrong passphrase."""
    derivation, cipher, hidden = _parts(block, path)
    rounds = derivation.row("params").number("N", _MOST_ROUNDS)
    params = derivation.row("params")
    r, p = params.number("r", 8), params.number("p", 1)
    if derivation.text("name") != "scrypt" or cipher.text("name") != "nacl/secretbox" or min(rounds, r, p) < 1:
        raise _damaged(path)
    salt, nonce = _bytes(derivation, "salt", path), _bytes(cipher, "nonce", path)
    try:
        key = hashlib.scrypt(passphrase, salt=salt, n=rounds, r=r, p=p, maxmem=_MOST_MEMORY, dklen=32)
    except ValueError:
        raise _damaged(path) from None
    opened = secretbox.unseal(key, nonce, hidden) if len(nonce) == secretbox.NONCE_BYTES else None
    if opened is None:
        raise UsageError(f"{path}: the passphrase does not fit, or the key is damaged", hint="Try again.")
    return opened


def _parts(block: Block, path: Path) -> tuple[Row, Row, bytes]:
    """How the key is derived, how it is hidden, and what is hidden."""
    try:
        document: Any = json.loads(block.data())
    except (ValueError, RecursionError):
        raise _damaged(path) from None
    row = Row(document, str(path), CosignKeyError)
    return row.row("kdf"), row.row("cipher"), _bytes(row, "ciphertext", path)


def _bytes(row: Row, key: str, path: Path) -> bytes:
    try:
        return b64decode(row.text(key), validate=True)
    except (binascii.Error, ValueError):
        raise _damaged(path) from None


def _damaged(path: Path) -> UsageError:
    return CosignKeyError(f"{path}: is no key that cosign wrote, or is damaged")
