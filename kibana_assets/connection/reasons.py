"""Why a connection failed, in words, for Elasticsearch and Kibana alike.

Rules: texts of foreign exceptions never go into a sentence, since they may hold addresses with credentials; only
OpenSSL's own name of a fault does. Certificate codes are those of OpenSSL's x509_vfy.h. What a server says is quoted
shortened, on one line, without control characters.
"""

from __future__ import annotations

import socket
import ssl
from typing import Final

from kibana_assets.errors import UnreachableError

_EXPIRED, _NOT_YET, _HOST, _IP = 10, 9, 62, 64
_UNTRUSTED: Final = frozenset({2, 18, 19, 20, 21})
_NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})
_MOST: Final = 400


def said(text: str, most: int = _MOST) -> str:
    """What a server said, fit to print."""
    # Not printable are also the characters that turn the direction of what follows.
    plain = " ".join("".join(one if one.isprintable() else " " for one in text[: 4 * most]).split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def unreachable(place: str, host: str, error: BaseException) -> UnreachableError:
    """The error for a connection to ``host`` that failed; ``place`` is safe to print."""
    found, fix = reason(error, host)
    cause = innermost(error)
    cut = isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
    lasting = isinstance(cause, (ssl.SSLError, socket.gaierror, UnicodeError)) and not cut
    return UnreachableError(f"{place}: {found}", hint=fix, passing=not lasting)


def reason(error: BaseException, host: str) -> tuple[str, str]:
    """What happened, and what to do."""
    cause = innermost(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _certificate(cause, host)
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return _tls(cause)
    if isinstance(cause, (socket.gaierror, UnicodeError)):
        return f"the name {host} is not known", "Mend the name, or add it to the site's DNS or to /etc/hosts."
    if isinstance(cause, ConnectionRefusedError):
        return "nobody listens there", "Check the port, and that the server runs."
    if isinstance(cause, TimeoutError):
        return "no answer in time", "Look for a firewall between, and at the load of the server; --timeout allows more."
    if isinstance(cause, (ConnectionError, EOFError, ssl.SSLError)):
        return "the connection was cut", "Is it https:// that the server speaks? Else look at its log, and try again."
    if isinstance(cause, OSError) and cause.strerror:
        return f"cannot be reached: {cause.strerror}", "Check address and network."
    return "the connection broke before a whole answer was there", "Look at the server's log, and try again."


def innermost(error: BaseException) -> BaseException:
    """The first cause: urllib3 and requests keep it in ``reason`` or ``args``, Python in ``__cause__``."""
    for _ in range(12):
        inner = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
        deeper = next((one for one in inner if isinstance(one, BaseException) and one is not error), None)
        if deeper is None:
            return error
        error = deeper
    return error


def _certificate(error: ssl.SSLCertVerificationError, host: str) -> tuple[str, str]:
    code = error.verify_code
    if code == _EXPIRED:
        return "its certificate has expired", "Renew it there; also compare the clocks of both machines."
    if code == _NOT_YET:
        return "its certificate is not valid yet", "Compare the clocks of both machines."
    if code in (_HOST, _IP) or "mismatch" in error.verify_message.lower():
        return f"its certificate is not for the name {host}", "Use the name that the certificate has."
    if code in _UNTRUSTED:
        return "its certificate is of an authority that is not trusted here", "Name the authority's PEM file with --ca."
    return f"its certificate is not trusted ({said(error.verify_message, 80)})", "Name the authority's PEM file: --ca."


def _tls(error: ssl.SSLError) -> tuple[str, str]:
    name = error.reason or ""
    if name in _NOT_TLS:
        return "it does not speak TLS there", "Use http://, or the port that speaks https."
    if "ALERT" in name and "CERTIFICATE" in name:
        return f"it wants a certificate of ours ({name})", "Give --client-cert and --client-key."
    return f"no TLS connection came about ({name or 'no reason told'})", "Look at the server's log and TLS settings."
