"""NaCl's secretbox, opened: XSalsa20 and Poly1305. For cosign's private keys alone, some 200 bytes each.

Source: D. J. Bernstein, "Cryptography in NaCl" and "Extending the Salsa20 nonce" (https://cr.yp.to/snuffle.html).
"""

from __future__ import annotations

import hmac
import struct
from typing import Final

NONCE_BYTES: Final = 24
_TAG: Final = 16
_MASK: Final = 0xFFFFFFFF
_SIGMA: Final = struct.unpack("<4I", b"expand 32-byte k")
# Salsa20's quarter rounds as indices: the columns, then the rows.
_QUARTERS: Final = (
    (0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11),
    (0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14),
)  # fmt: skip
_P1305: Final = (1 << 130) - 5
_CLAMP: Final = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF


def unseal(key: bytes, nonce: bytes, box: bytes) -> bytes | None:
    """What ``box`` holds, or None when it was not made with this key of 32 bytes and nonce of 24."""
    start = _state(key, nonce[:16])
    mixed = _rounds(start)
    inner = struct.pack("<8I", *(mixed[i] for i in (0, 5, 10, 15, 6, 7, 8, 9)))
    length = len(box) - _TAG
    stream = b"".join(_block(inner, nonce[16:], count) for count in range((32 + max(0, length)) // 64 + 1))
    if length < 0 or not hmac.compare_digest(_poly1305(stream[:32], box[_TAG:]), box[:_TAG]):
        return None
    return bytes(a ^ b for a, b in zip(box[_TAG:], stream[32:], strict=False))


def _block(key: bytes, nonce: bytes, count: int) -> bytes:
    """64 bytes of Salsa20's stream."""
    start = _state(key, nonce + struct.pack("<Q", count))
    return struct.pack("<16I", *((a + b) & _MASK for a, b in zip(start, _rounds(start), strict=True)))


def _state(key: bytes, middle: bytes) -> list[int]:
    k, m = struct.unpack("<8I", key), struct.unpack("<4I", middle)
    return [_SIGMA[0], *k[:4], _SIGMA[1], *m, _SIGMA[2], *k[4:], _SIGMA[3]]


def _rounds(start: list[int]) -> list[int]:
    x = list(start)
    for _ in range(10):
        for a, b, c, d in _QUARTERS:
            x[b] ^= _turned(x[a] + x[d], 7)
            x[c] ^= _turned(x[b] + x[a], 9)
            x[d] ^= _turned(x[c] + x[b], 13)
            x[a] ^= _turned(x[d] + x[c], 18)
    return x


def _turned(value: int, by: int) -> int:
    value &= _MASK
    return (value << by | value >> (32 - by)) & _MASK


def _poly1305(key: bytes, message: bytes) -> bytes:
    r, s = int.from_bytes(key[:16], "little") & _CLAMP, int.from_bytes(key[16:], "little")
    total = 0
    for at in range(0, len(message), 16):
        total = (total + int.from_bytes(message[at : at + 16] + b"\1", "little")) * r % _P1305
    return ((total + s) % (1 << 128)).to_bytes(16, "little")
