"""How certificates are verified, and with which certificate we answer when asked for one.

Rules: verification is never off. A fingerprint is that of the server's own certificate or of the authority that the
server sends along (what Elasticsearch prints when it starts for the first time); the certificate that has it is fetched
once, before anything else is sent, and is then the only one that is trusted. With an authority the host name counts.
"""

from __future__ import annotations

import hashlib
import http.client
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from kibana_assets.connection.address import Address
from kibana_assets.connection.reasons import unreachable
from kibana_assets.connection.timed import TimedResponse
from kibana_assets.errors import UnreachableError, UsageError

_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Trust:
    """``ca`` is a PEM file, ``fingerprint`` 64 lower hexadecimal digits; ``certificate`` and ``key`` are our own."""

    ca: Path | None = None
    fingerprint: str = ""
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        """Raises: UsageError for what does not go together."""
        if self.ca and self.fingerprint:
            raise UsageError("--ca and --fingerprint exclude each other", hint="Give one of them.")
        if self.key and not self.certificate:
            raise UsageError("--client-key: expected --client-cert beside it", hint="Name the certificate's file.")


def fingerprint(text: str) -> str:
    """A SHA-256 fingerprint in the form that is compared: colons and capitals are taken. Raises: UsageError."""
    found = text.replace(":", "").strip().lower()
    if not _FINGERPRINT.fullmatch(found):
        hint = "As openssl x509 -fingerprint -sha256 prints it."
        raise UsageError("--fingerprint: expected the 64 hexadecimal digits of a SHA-256", hint=hint)
    return found


def context(trust: Trust, address: Address, *, proxy: str = "", timeout: float = 10.0) -> ssl.SSLContext:
    """How connections to ``address`` are verified. Raises: UsageError; UnreachableError."""
    made = _pinned(trust, address, proxy, timeout) if trust.fingerprint else _authority(trust.ca)
    _own_certificate(made, trust)
    return made


def _authority(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca) if ca else None)
    except (OSError, ValueError) as error:
        why = "holds no certificate in PEM form" if isinstance(error, ssl.SSLError) else "cannot be read"
        raise UsageError(f"--ca {ca}: {why}", hint="Name the PEM file of the authority that signed.") from error


def _own_certificate(made: ssl.SSLContext, trust: Trust) -> None:
    if trust.certificate is None:
        return
    files = f"--client-cert {trust.certificate}" + (f", --client-key {trust.key}" if trust.key else "")
    try:
        # Without a password openssl would ask on the terminal.
        made.load_cert_chain(trust.certificate, trust.key, password=_no_password)
    except (OSError, ValueError) as error:
        why = (
            "no PEM, not of one pair, or encrypted" if isinstance(error, (ssl.SSLError, ValueError)) else "not readable"
        )
        hint = "Both as PEM, the key without a password, readable for you alone."
        raise UsageError(f"{files}: cannot be used: {why}", hint=hint) from error


def _no_password() -> str:
    raise ValueError("encrypted")


def _pinned(trust: Trust, address: Address, proxy: str, timeout: float) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    chain = _chain(address, trust, proxy, timeout)
    for place, der in enumerate(chain):
        if hashlib.sha256(der).hexdigest() == trust.fingerprint:
            made.load_verify_locations(cadata=der)
            made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            made.check_hostname = place > 0
            return made
    shown = ", ".join(hashlib.sha256(der).hexdigest() for der in chain[:4]) or "none"
    raise UnreachableError(
        f"{address.url}: no certificate of the server has that fingerprint; found: {shown}",
        hint="Compare with openssl x509 -fingerprint -sha256 -in http_ca.crt; else somebody stands between.",
    )


def _chain(address: Address, trust: Trust, proxy: str, timeout: float) -> list[bytes]:
    """The certificates that the server sends, its own first; nothing is sent to it."""
    open_ = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    open_.check_hostname, open_.verify_mode = False, ssl.CERT_NONE
    _own_certificate(open_, trust)
    connection = _connection(address, proxy, open_, timeout)
    try:
        connection.connect()
        found = connection.sock
        public = getattr(found, "get_unverified_chain", None)  # from Python 3.13
        if public is not None:
            return list(public())
        sent = getattr(found, "_sslobj").get_unverified_chain()  # noqa: B009 (private before Python 3.13)
        return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in sent or ()]
    except (OSError, http.client.HTTPException) as error:
        raise unreachable(address.url, address.host, error) from error
    finally:
        connection.close()


def _connection(address: Address, proxy: str, made: ssl.SSLContext, timeout: float) -> http.client.HTTPSConnection:
    if not proxy:
        return http.client.HTTPSConnection(address.host, address.port, timeout=timeout, context=made)
    parts = urlsplit(proxy)
    connection = http.client.HTTPSConnection(parts.hostname or "", parts.port or 80, timeout=timeout, context=made)
    connection.set_tunnel(address.host, address.port)
    connection.response_class = TimedResponse
    return connection
