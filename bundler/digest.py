"""A SHA-256 digest as a type of its own, so that it is never confused with another string.

The written form is the OCI one, ``sha256:<64 lower-case hexadecimal digits>``
(https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_WRITTEN = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256 digest; ``hex`` is its 64 lower-case hexadecimal digits."""

    hex: str

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9a-f]{64}", self.hex):
            raise ValueError(f"not a SHA-256 digest: {self.hex[:80]!r}")

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read ``sha256:<hex>``. Raises: ValueError for anything else, also for other algorithms."""
        match = _WRITTEN.fullmatch(text)
        if not match:
            raise ValueError(f"expected sha256: and 64 hexadecimal digits, found {text[:80]!r}")
        return cls(match[1])

    @classmethod
    def of(cls, data: bytes) -> Digest:
        """The digest of ``data``."""
        return cls(hashlib.sha256(data).hexdigest())

    def __str__(self) -> str:
        return f"sha256:{self.hex}"

    @property
    def short(self) -> str:
        """The first 12 digits, for people."""
        return self.hex[:12]
