"""Private keys: made, read from PEM, and used to sign. Neither a key nor a passphrase ever stands in a message.

Read are PKCS#8 (``PRIVATE KEY``, ``ENCRYPTED PRIVATE KEY``), what openssl writes for EC keys (``EC PRIVATE KEY``), and
cosign's own form. Written is PKCS#8. This module needs the cryptography library; the site never signs.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from bundler.errors import MachineError, UsageError
from bundler.trust import pbes2, pem
from bundler.trust.cosign_key import decrypt
from bundler.trust.keys import PublicKey, checked

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

AskFor: TypeAlias = "Callable[[str], bytes]"
"""Asked for the passphrase of the key with this name, when there is need of one."""


@dataclass(frozen=True, slots=True, repr=False)
class PrivateKey:
    """A key that signs; ``public`` is its other half."""

    public: PublicKey
    _secret: EllipticCurvePrivateKey

    def sign(self, message: bytes) -> bytes:
        """A signature over ``message``, another one each time: ECDSA with SHA-256, in DER."""
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.hashes import SHA256

        return self._secret.sign(message, ECDSA(SHA256()))

    def pem(self, passphrase: bytes | None) -> bytes:
        """The PEM form: PKCS#8, encrypted unless ``passphrase`` is None."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        data = self._secret.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        label = "PRIVATE KEY"
        if passphrase is not None:
            data, label = pbes2.encrypt(data, passphrase), f"ENCRYPTED {label}"
        body = "\n".join(textwrap.wrap(base64.b64encode(data).decode(), 64))
        return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()


def make_key(path: Path) -> PrivateKey:
    """A new key, whose public half is named after ``path``. Raises: MachineError without the library."""
    _require_library()
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    return _key(generate_private_key(SECP256R1()), path)


def load_key(data: bytes, path: Path, passphrase: AskFor) -> PrivateKey:
    """The private key in the PEM text ``data``, which came from ``path`` (or the variable of that name).

    Raises: UsageError for whatever is no private key on P-256, and for a wrong passphrase; MachineError.
    """
    found = pem.blocks(data)
    if len(found) != 1 or not found[0].is_private:
        seen = "nothing of the kind" if not found else found[0].words if len(found) == 1 else f"{len(found)} PEM blocks"
        hint = "`llm-bundle keygen` makes one; a public key cannot sign."
        raise UsageError(f"{path}: expected one private key (PEM), found {seen}", hint=hint)
    _require_library()
    block = found[0]
    secret = passphrase(path.name) if block.is_encrypted else None
    if block.label in pem.COSIGN:
        return _key(_from_der(decrypt(block, path, secret or b""), path), path)
    return _key(_from_pem(block, path, secret), path)


def _from_pem(block: pem.Block, path: Path, secret: bytes | None) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(block.encode(), secret)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's own words are left out: they may say something of what was decrypted.
        raise _unreadable(path, encrypted=block.is_encrypted) from None


def _from_der(data: bytes, path: Path) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        return load_der_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _unreadable(path, encrypted=False) from None


def _unreadable(path: Path, *, encrypted: bool) -> UsageError:
    if encrypted:
        return UsageError(f"{path}: the passphrase does not fit, or the key is damaged", hint="Try again.")
    return UsageError(f"{path}: the private key is damaged, or of a kind that is not known", hint=_CHECK)


_CHECK = "Does `openssl pkey -noout -check -in FILE` read it? `llm-bundle keygen` makes a new one."


def _key(secret: object, path: Path) -> PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = getattr(secret, "public_key", None)
    if public is None:
        raise UsageError(f"{path}: expected an ECDSA key on the curve P-256, found something else", hint=_CHECK)
    found = checked(public().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), path)
    assert isinstance(secret, EllipticCurvePrivateKey)
    return PrivateKey(found, secret)


def _require_library() -> None:
    try:
        import cryptography.hazmat.primitives.serialization  # noqa: F401
    except ImportError as error:
        raise MachineError(
            "signing needs Python's cryptography library, which cannot be loaded here",
            hint="pip install cryptography. Or sign SHA256SUMS by openssl, as README.md says.",
        ) from error
