"""Our reader of certificates against the cryptography library, and against anything."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.site.tls.x509 import read, read_certificates, shown

KEY = ec.generate_private_key(ec.SECP256R1())


def name(*texts: str) -> x509.Name:
    kinds = (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in zip(kinds, texts, strict=False)])


def made(names: list[x509.GeneralName] | None, first: datetime, last: datetime) -> x509.Certificate:
    builder = x509.CertificateBuilder(name("Ex", "CA"), name("Ämter", "srv"), KEY.public_key(), 77, first, last)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    if names is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(KEY, hashes.SHA256())


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.from_regex(r"\A[a-z]{1,40}\.example\Z"), max_size=30),
    st.lists(st.ip_addresses(), max_size=5),
    st.datetimes(datetime(1950, 1, 2), datetime(2199, 1, 1)),
    st.integers(1, 200_000),
)
def test_reads_what_the_library_writes(hosts: list[str], addresses: list[object], first: datetime, days: int) -> None:
    first = first.replace(microsecond=0, tzinfo=timezone.utc)
    last = first + timedelta(days=days)
    wanted = [x509.DNSName(host) for host in hosts] + [x509.IPAddress(ip_address(str(one))) for one in addresses]
    theirs = made(list(wanted), first, last)
    (ours,) = read_certificates(theirs.public_bytes(Encoding.PEM))
    assert ours.names == (*hosts, *map(str, addresses))
    assert (ours.not_before, ours.not_after) == (first.timestamp(), last.timestamp())
    assert (ours.subject, ours.issuer) == (theirs.subject.public_bytes(), theirs.issuer.public_bytes())
    assert shown(ours.subject) == "Ämter, srv"
    assert not ours.is_own_issuer


NOW = datetime(2026, 11, 21, tzinfo=timezone.utc)
GOOD = made([x509.DNSName("a.example")], NOW, NOW + timedelta(days=1)).public_bytes(Encoding.DER)


def test_no_names_and_other_kinds_of_names() -> None:
    assert read(made(None, NOW, NOW).public_bytes(Encoding.DER)).names is None
    mail = made([x509.RFC822Name("a@b.example")], NOW, NOW)
    assert read(mail.public_bytes(Encoding.DER)).names == ()


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255), st.integers(0, len(GOOD)))
def test_a_damaged_one_is_read_or_refused(place: int, change: int, length: int) -> None:
    damaged = bytearray(GOOD)
    damaged[place] ^= change
    for data in (bytes(damaged), GOOD[:length], bytes(damaged)[:length], bytes(damaged)[length:]):
        try:
            shown(read(data).subject)
        except ValueError as error:
            assert str(error)


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x30\x00", GOOD + b"\x00"])
def test_what_is_no_certificate(data: bytes) -> None:
    with pytest.raises(ValueError, match="certificate"):
        read(data)


def test_pem_of_something_else() -> None:
    with pytest.raises(ValueError, match="holds no certificate"):
        read_certificates(b"-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n")
    with pytest.raises(ValueError, match="base64"):
        read_certificates(b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n")


@pytest.mark.parametrize("text", ["", "30", "3100", "300431023000", "30023100", "3003310130", "30053003060100"])
def test_a_name_that_is_none(text: str) -> None:
    """Nothing has read it before: it stands in a certificate that somebody gives us."""
    assert shown(bytes.fromhex(text)) == "a nameless one"
