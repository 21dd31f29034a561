"""An encrypted private key in PKCS#8 (RFC 5958) by PBES2 (RFC 8018): PBKDF2-HMAC-SHA256 and AES-256-CBC.

Written here because the cryptography library offers no choice of the rounds and takes 2,048: a stolen file would be
guessed at 300 times faster. openssl and the library read what is written here.
"""

from __future__ import annotations

import hashlib
import os
from typing import Final

ROUNDS: Final = 600_000
"""OWASP's figure for PBKDF2-HMAC-SHA256 of 2023; half a second."""

_PBES2: Final = bytes.fromhex("06092a864886f70d01050d")
_PBKDF2: Final = bytes.fromhex("06092a864886f70d01050c")
_HMAC_SHA256: Final = bytes.fromhex("300c06082a864886f70d02090500")
_AES_256_CBC: Final = bytes.fromhex("060960864801650304012a")
_BLOCK: Final = 16


def encrypt(pkcs8: bytes, passphrase: bytes) -> bytes:
    """The DER form of an EncryptedPrivateKeyInfo that holds ``pkcs8``."""
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    salt, start = os.urandom(16), os.urandom(_BLOCK)
    key = hashlib.pbkdf2_hmac("sha256", passphrase, salt, ROUNDS, 32)
    count = _BLOCK - len(pkcs8) % _BLOCK
    encryptor = Cipher(AES(key), CBC(start)).encryptor()
    hidden = encryptor.update(pkcs8 + bytes([count]) * count) + encryptor.finalize()
    derivation = _sequence(_PBKDF2, _sequence(_octets(salt), _integer(ROUNDS), _HMAC_SHA256))
    algorithm = _sequence(_PBES2, _sequence(derivation, _sequence(_AES_256_CBC, _octets(start))))
    return _sequence(algorithm, _octets(hidden))


def _value(tag: int, body: bytes) -> bytes:
    size = len(body)
    return (
        bytes([tag, size] if size < 0x80 else [tag, 0x81, size] if size < 0x100 else [tag, 0x82, *divmod(size, 256)])
        + body
    )


def _sequence(*parts: bytes) -> bytes:
    return _value(0x30, b"".join(parts))


def _octets(body: bytes) -> bytes:
    return _value(0x04, body)


def _integer(number: int) -> bytes:
    return _value(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))
