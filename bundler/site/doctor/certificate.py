"""The certificate of the proxy: readable, valid now, with its key, for the server's name, with its chain."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path
from typing import Final

from bundler.disk import read_bounded
from bundler.errors import MachineError
from bundler.site.doctor.interface import Finding, Wish
from bundler.site.tls.x509 import Certificate, read_certificates, shown

_MOST: Final = 1 << 20
_SOON: Final = 30 * 86_400


def check_certificate(wish: Wish) -> Iterator[Finding]:
    """All that would make a client refuse the proxy."""
    if wish.certificate is None or wish.key is None:
        return
    chain = _read(wish.certificate)
    if isinstance(chain, Finding):
        yield chain
        return
    yield _validity(chain[0])
    yield _key(wish.certificate, wish.key)
    if wish.server_name:
        yield _name(chain[0], wish.server_name)
    yield _chain(chain)


def _read(path: Path) -> tuple[Certificate, ...] | Finding:
    expected = "certificates in PEM, the server's own first"
    try:
        return read_certificates(read_bounded(path, _MOST))
    except MachineError as error:
        return Finding("certificate", "block", error.message, expected, error.hint or "Check --tls-cert.")
    except ValueError:
        fix = f"Convert it: openssl x509 -inform DER -in {path} -out server.pem"
        return Finding("certificate", "block", f"{path} holds no certificate in PEM", expected, fix)


def _validity(certificate: Certificate) -> Finding:
    first, last = certificate.not_before, certificate.not_after
    now = time.time()
    found = f"valid from {_day(first)} to {_day(last)}"
    if now < first:
        return Finding("certificate", "block", found, "valid now", "Wait, or check the clock: date -u")
    if now > last:
        return Finding("certificate", "block", f"{found}: expired", "valid now", "Get a new one from your CA.")
    if last - now < _SOON:
        return Finding("certificate", "warn", found, "valid for 30 days or more", "Renew it soon.")
    return Finding("certificate", "ok", found)


def _key(certificate: Path, key: Path) -> Finding:
    """Loading both the way a server does shows whether they belong together."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as error:
        found = "is the key of another certificate"
        fix = f"Compare: openssl x509 -noout -pubkey -in {certificate}; openssl pkey -pubout -in {key}"
        if "MISMATCH" not in str(error).upper():
            found = f"is no key that can be read without a passphrase ({error.reason or 'no reason is given'})"
            fix = f"Nginx needs a key in PEM without a passphrase: openssl pkey -in {key} -out plain.key"
        return Finding("key", "block", f"{key}: {found}", "the certificate's own key", fix)
    except OSError as error:
        return Finding("key", "block", f"{key}: {error.strerror}", "readable", "Check --tls-key and its permissions.")
    if key.stat().st_mode & 0o077:
        return Finding("key", "warn", f"{key} is open to other users", "mode 0600", f"chmod 600 {key}")
    return Finding("key", "ok", "belongs to the certificate")


def _name(certificate: Certificate, server_name: str) -> Finding:
    found = certificate.names
    if found is None:
        fix = "Get a certificate with a subject alternative name; the common name alone is not looked at any more."
        return Finding("certificate's names", "block", "none", server_name, fix)
    if any(_fits(name.lower(), server_name.lower()) for name in found):
        return Finding("certificate's names", "ok", ", ".join(found)[:200])
    fix = f"Get a certificate for {server_name}, or set proxy.server_name to a name that it has."
    return Finding("certificate's names", "block", ", ".join(found)[:200] or "none", server_name, fix)


def _fits(pattern: str, name: str) -> bool:
    """RFC 6125: a wildcard stands for one whole label at the left."""
    return pattern == name or (pattern.startswith("*.") and pattern[2:] == name.partition(".")[2])


def _chain(chain: tuple[Certificate, ...]) -> Finding:
    """Every certificate is signed by the next; the last may lead to a root that clients have."""
    for lower, upper in pairwise(chain):
        if lower.issuer != upper.subject:
            found = f"{shown(upper.subject)} did not issue {shown(lower.subject)}"
            fix = "Put the server's certificate first, then the CA's between, in order; the root may be left out."
            return Finding("certificate chain", "block", found, "in order", fix)
    if len(chain) == 1 and not chain[0].is_own_issuer:
        fix = "If your CA has certificates between, append them; if it signs directly, all is well."
        return Finding("certificate chain", "warn", "the server's certificate alone", "with those between", fix)
    return Finding("certificate chain", "ok", f"{len(chain)} certificate{'s' if chain[1:] else ''}, in order")


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d")
