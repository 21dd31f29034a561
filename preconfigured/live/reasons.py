"""Why a connection failed, in words: for Kibana and for a model alike.

Rules: texts of foreign exceptions never go into a sentence, since they may hold addresses with credentials; only
OpenSSL's own name of a fault does. Certificate codes are those of OpenSSL's x509_vfy.h.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass

from preconfigured.live.finding import Place, said

_EXPIRED, _NOT_YET, _HOST, _IP = 10, 9, 62, 64
_UNTRUSTED = frozenset({2, 18, 19, 20, 21})
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no connection: the place to mend, what was found, and the fix."""

    place: Place
    found: str
    fix: str


def reason(error: BaseException, host: str, ca_option: str) -> Reason:
    """The reason behind an exception of a connection, also of one that wraps others."""
    cause = innermost(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _certificate(cause, host, ca_option)
    if isinstance(cause, ssl.SSLError):
        return _tls(cause)
    if isinstance(cause, (socket.gaierror, UnicodeError)):
        return Reason(
            "dns",
            f"the name {host} is not known",
            "Mend the name, or add it to the DNS of the site (or to /etc/hosts of this machine and of Kibana's).",
        )
    return _network(cause)


def innermost(error: BaseException) -> BaseException:
    """The first cause: urllib3 and requests keep it in ``reason`` or ``args``, Python in ``__cause__``."""
    for _ in range(12):
        inner = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
        deeper = next((one for one in inner if isinstance(one, BaseException) and one is not error), None)
        if deeper is None:
            return error
        error = deeper
    return error


def _network(cause: BaseException) -> Reason:
    if isinstance(cause, ConnectionRefusedError):
        return Reason("network", "nothing listens there", "Start the server, or mend the port.")
    if isinstance(cause, TimeoutError) or "timed out" in str(cause):
        return Reason(
            "network",
            "nothing came within the time allowed",
            "A firewall that drops packets, a wrong address, or a server that hangs: look there, or allow more time.",
        )
    if isinstance(cause, (ConnectionError, http.client.HTTPException)):
        return Reason(
            "network",
            "the connection was cut in the middle",
            "Look into the server's log of this moment; a proxy of the network between may be the one that cuts.",
        )
    why = cause.strerror if isinstance(cause, OSError) and cause.strerror else f"it failed ({type(cause).__name__})"
    return Reason("network", said(why), "Check the route to that address from this machine.")


def _tls(cause: ssl.SSLError) -> Reason:
    if cause.reason in _NOT_TLS:
        return Reason("tls", "the server does not speak TLS on this port", "Write http://, or name the TLS port.")
    name = said(cause.reason or "the connection was cut")
    return Reason(
        "tls",
        f"the TLS handshake failed ({name})",
        "Check the server's protocols and ciphers, and whether it wants a client certificate.",
    )


def _certificate(cause: ssl.SSLCertVerificationError, host: str, ca_option: str) -> Reason:
    if cause.verify_code == _EXPIRED:
        return Reason("tls", "the server's certificate has expired", "Install a new certificate on the server.")
    if cause.verify_code == _NOT_YET:
        return Reason("tls", "the server's certificate is not valid yet", "Check the clocks of both machines.")
    if cause.verify_code in (_HOST, _IP):
        return Reason(
            "tls",
            f"the server's certificate is not for the name {host}",
            "Use a name that stands in the certificate, or issue one with this name (subjectAltName).",
        )
    if cause.verify_code in _UNTRUSTED:
        return Reason(
            "tls",
            "the server's certificate is signed by an authority that is not trusted here (private CA or self-signed)",
            f"Name the authority's PEM file with {ca_option}. Kibana itself is told by "
            "xpack.actions.customHostSettings.",
        )
    return Reason("tls", f"the server's certificate is refused: {said(cause.verify_message)}", "Renew it.")
