"""What stands in a certificate, read without any library: the site's Python may have none, and openssl may be missing.

Read is what the proxy's certificate is judged by: names of both sides, validity, alternative names. No signature is
checked here. DER (X.690), X.509 (RFC 5280, 4.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from ipaddress import ip_address
from typing import Final

from bundler.trust import pem

_SEQUENCE, _OID, _OCTETS, _UTC_TIME, _LONG_TIME = 0x30, 0x06, 0x04, 0x17, 0x18
_VERSION, _EXTENSIONS, _DNS_NAME, _ADDRESS = 0xA0, 0xA3, 0x82, 0x87
_ALTERNATIVE_NAMES: Final = bytes.fromhex("551d11")
_TIME: Final = re.compile(r"(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z")
# UTF8String, PrintableString, TeletexString, IA5String; the others are rare enough to be left out of a message.
_TEXTS: Final = (0x0C, 0x13, 0x14, 0x16)
_NAMELESS: Final = "a nameless one"


@dataclass(frozen=True, slots=True)
class Certificate:
    """``subject`` and ``issuer`` are DER; times in seconds since 1970; ``names`` None: no alternative names at all."""

    der: bytes
    subject: bytes
    issuer: bytes
    not_before: float
    not_after: float
    names: tuple[str, ...] | None

    @property
    def is_own_issuer(self) -> bool:
        """Whether it names itself as its issuer, as a root does."""
        return self.subject == self.issuer


def read_certificates(data: bytes) -> tuple[Certificate, ...]:
    """All certificates of a PEM file in their order. Raises: ValueError for one that cannot be read, or none."""
    found = tuple(read(block.data()) for block in pem.blocks(data) if block.label == "CERTIFICATE")
    if not found:
        raise ValueError("holds no certificate in PEM")
    return found


def read(der: bytes) -> Certificate:
    """Raises: ValueError for anything that is not one certificate."""
    try:
        return _read(der)
    except (IndexError, OverflowError) as error:
        raise ValueError("is not a certificate") from error


def shown(name: bytes) -> str:
    """The texts of a name, as in ``Example Corp, Example CA``, for a message; it may be no name at all."""
    try:
        return ", ".join(_texts(name))[:80] or _NAMELESS
    except (ValueError, IndexError):
        return _NAMELESS


def _texts(name: bytes) -> Iterator[str]:
    for _, one in _parts(_whole(name, _SEQUENCE)):
        for _, attribute in _parts(one):
            tag, text = list(_parts(attribute))[-1]
            if tag in _TEXTS:
                yield text.decode("utf-8", "replace")


def _read(der: bytes) -> Certificate:
    signed = list(_parts(_whole(der, _SEQUENCE)))
    fields = list(_parts(_of(signed[0], _SEQUENCE)))
    if fields[0][0] == _VERSION:
        del fields[0]
    first, last = (_time(*one) for one in _parts(_of(fields[3], _SEQUENCE)))
    return Certificate(der, _again(fields[4]), _again(fields[2]), first, last, _names(fields[6:]))


def _names(optional: list[tuple[int, bytes]]) -> tuple[str, ...] | None:
    for extensions in (body for tag, body in optional if tag == _EXTENSIONS):
        for one in _parts(_whole(extensions, _SEQUENCE)):
            parts = list(_parts(_of(one, _SEQUENCE)))
            if parts[0] == (_OID, _ALTERNATIVE_NAMES):
                return tuple(_general(_whole(_of(parts[-1], _OCTETS), _SEQUENCE)))
    return None


def _general(names: bytes) -> Iterator[str]:
    for tag, name in _parts(names):
        if tag == _DNS_NAME:
            yield name.decode("ascii", "replace")
        elif tag == _ADDRESS and len(name) in (4, 16):
            yield str(ip_address(name))


def _time(tag: int, text: bytes) -> float:
    found = _TIME.fullmatch(text.decode("ascii", "replace"))
    if tag not in (_UTC_TIME, _LONG_TIME) or not found:
        raise ValueError("has a validity that is no time")
    year, month, day, hour, minute, second = map(int, found.groups())
    if tag == _UTC_TIME:
        year += 1900 if year >= 50 else 2000
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc).timestamp()


def _of(part: tuple[int, bytes], tag: int) -> bytes:
    if part[0] != tag:
        raise ValueError("is not a certificate")
    return part[1]


def _whole(data: bytes, tag: int) -> bytes:
    """The content of the one value that ``data`` is."""
    parts = list(_parts(data))
    if len(parts) != 1:
        raise ValueError("is not a certificate")
    return _of(parts[0], tag)


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each value in ``data``."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length >= 0x80:
            more = length - 0x80 or len(data)
            length, at = int.from_bytes(data[at : at + more], "big"), at + more
        if at + length > len(data):
            raise ValueError("is not a certificate")
        yield tag, data[at : at + length]
        at += length


def _again(part: tuple[int, bytes]) -> bytes:
    """A value as it stood, for ``shown`` and for comparing: lengths in DER have one form."""
    tag, content = part
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 + len(length)]) + length + content
