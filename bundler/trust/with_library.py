"""Checking a signature with the ``cryptography`` library."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from bundler.trust.keys import PublicKey


class WithLibrary:
    """See ``signature.Verifier``."""

    def fits(self, key: PublicKey, signature: bytes, message: bytes) -> bool:
        """See ``signature.Verifier``."""
        point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), key.spki[26:])
        try:
            point.verify(signature, message, ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True
