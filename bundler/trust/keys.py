"""Public keys: read from PEM files, and believed to be nothing else than ECDSA keys on P-256.

A key is what its owner calls it, the name of its file; its id is made of its bytes (the first 16 hexadecimal digits
of the SHA-256 of its SubjectPublicKeyInfo, RFC 5480) and can be told by telephone. No cryptography is done here, so
that the site can read keys with Python alone.
"""

from __future__ import annotations

import base64
import hashlib
import stat
import textwrap
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from bundler.disk import guarded, is_folder, read_bounded
from bundler.errors import UsageError
from bundler.trust import pem

SUFFIX: Final = ".pub"
MOST_KEYS: Final = 256
_MOST_ENTRIES: Final = 20_000

# SubjectPublicKeyInfo of an uncompressed point on P-256: nothing in it can vary before the point (RFC 5480, 2).
_P256: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + b"\x04"
_P256_COMPRESSED: Final = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
# FIPS 186-4, D.1.2.3.
_P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_OTHERS: Final = {
    "2a864886f70d010101": "an RSA key",
    "2a864886f70d01010a": "an RSA key",
    "06032b6570": "an Ed25519 key",
    "06032b6571": "an Ed448 key",
    "06032b656e": "an X25519 key",
    "2b81040022": "a key on the curve P-384",
    "2b81040023": "a key on the curve P-521",
    "2b8104000a": "a key on the curve secp256k1",
}
_MAKE: Final = "`llm-bundle keygen` makes a pair of the right kind."


@dataclass(frozen=True, slots=True)
class KeyName:
    """Whose key it is: the file's name (or variable's) and the id."""

    key: str
    id: str

    def __str__(self) -> str:
        return f"{self.key} (key id {self.id})"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key on P-256; ``spki`` is its DER form of 91 bytes."""

    file: str
    spki: bytes

    @property
    def name(self) -> KeyName:
        """Its name for people, and its id."""
        return KeyName(self.file, hashlib.sha256(self.spki).hexdigest()[:16])

    def pem(self) -> bytes:
        """The PEM form, as openssl writes it."""
        body = "\n".join(textwrap.wrap(base64.b64encode(self.spki).decode(), 64))
        return f"-----BEGIN {pem.PUBLIC}-----\n{body}\n-----END {pem.PUBLIC}-----\n".encode()


def read_keys(path: Path) -> tuple[PublicKey, ...]:
    """The key in the file ``path``, or those in all files ``*.pub`` of the folder ``path``, by name.

    Raises: UsageError for whatever is no public key on P-256; MachineError when it cannot be read.
    """
    if not is_folder(path):
        return (_read_key(path),)
    return tuple(_read_key(one) for one in _key_files(path))


def _key_files(folder: Path) -> list[Path]:
    """The keys of a folder. Hidden names are left out: a Mac writes ``._x.pub`` beside each file."""
    with guarded(folder, "read"):
        names = [path.name for path in islice(folder.iterdir(), _MOST_ENTRIES + 1)]
    found = sorted(folder / name for name in names if name.endswith(SUFFIX) and not name.startswith("."))
    if len(names) > _MOST_ENTRIES or len(found) > MOST_KEYS:
        limit = f"at most {MOST_KEYS} files *{SUFFIX} and {_MOST_ENTRIES:,} files in all"
        raise UsageError(f"{folder}: expected {limit}", hint="Give a folder with the keys that you trust, or one key.")
    if not found:
        raise UsageError(f"{folder}: holds no public key, a file *{SUFFIX}", hint="Put the sender's key there.")
    for path in found:
        with guarded(path, "read"):
            regular = stat.S_ISREG(path.stat().st_mode)
        if not regular:
            raise UsageError(f"{path}: is not a regular file", hint="Take it out of the folder of keys.")
    return found


def _read_key(path: Path) -> PublicKey:
    return public_key(read_bounded(path, pem.MAX_BYTES), path)


def public_key(data: bytes, path: Path) -> PublicKey:
    """The key in the PEM text ``data`` of the file ``path``. Raises: UsageError."""
    found = pem.blocks(data)
    if any(block.is_private for block in found):
        raise UsageError(
            f"{path}: expected a public key, found a private one",
            hint="The private key stays with whoever signs. Its public half:"
            " openssl pkey -in PRIVATE.key -pubout -out PUBLIC.pub",
        )
    if len(found) != 1 or found[0].label != pem.PUBLIC:
        seen = "nothing of the kind" if not found else found[0].words if len(found) == 1 else f"{len(found)} PEM blocks"
        hint = f"openssl x509 -in {path.name} -noout -pubkey > PUBLIC.pub" if seen == "a certificate" else _MAKE
        raise UsageError(f"{path}: expected one public key (PEM, BEGIN PUBLIC KEY), found {seen}", hint=hint)
    try:
        return checked(found[0].data(), path)
    except ValueError as error:
        raise UsageError(f"{path}: the public key {error}", hint="Ask for the key again; it is damaged.") from error


def checked(spki: bytes, path: Path) -> PublicKey:
    """The key with the DER form ``spki``. Raises: UsageError unless it is a point on P-256."""
    if spki.startswith(_P256_COMPRESSED):
        raise UsageError(
            f"{path}: holds its point in the compressed form, which is not read",
            hint=f"openssl pkey -pubin -in {path.name} -pubout -ec_conv_form uncompressed -out PUBLIC.pub",
        )
    if len(spki) != 91 or not spki.startswith(_P256):
        raise UsageError(f"{path}: expected an ECDSA key on the curve P-256, found {_kind(spki)}", hint=_MAKE)
    x, y = int.from_bytes(spki[27:59], "big"), int.from_bytes(spki[59:], "big")
    if max(x, y) >= _P or (y * y - (x * x * x - 3 * x + _B)) % _P:
        raise UsageError(f"{path}: is no point on the curve P-256", hint="Ask for the key again; it is damaged.")
    return PublicKey(path.name, spki)


def _kind(spki: bytes) -> str:
    start = spki[:40].hex()
    return next((words for oid, words in _OTHERS.items() if oid in start), "something else")
