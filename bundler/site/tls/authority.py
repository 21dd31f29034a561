"""A private authority and the server's certificate of it, made with openssl: ECDSA on P-256 and SHA-256.

Rules: keys come into being in a folder that is the caller's own (0700), never in /tmp, and are read there; nothing is
named in a place where others read before it is whole. A certificate begins a day back, for clocks that are behind; from
its first day to its last there are 825 at most, the CA/Browser Forum's old limit, which some clients still insist on.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bundler.disk import guarded, read_bounded
from bundler.errors import MachineError, UsageError
from bundler.site.tls.names import Names, configuration
from bundler.site.tls.openssl import openssl
from bundler.site.tls.x509 import Certificate, read_certificates
from bundler.trust import pem

LONGEST: Final = 825
"""Days that a server's certificate may last."""

AUTHORITY_DAYS: Final = 3650
_DAY: Final = 86_400
_MOST: Final = 1 << 20
_ROUNDS: Final = "600000"


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA: its certificate and its key in PEM; the key may be encrypted."""

    certificate: bytes
    key: bytes = field(repr=False)

    @property
    def read(self) -> Certificate:
        """What its certificate says. Raises: ValueError."""
        return read_certificates(self.certificate)[0]

    @property
    def is_encrypted(self) -> bool:
        """Whether its key needs a passphrase."""
        return any(block.is_private and block.is_encrypted for block in pem.blocks(self.key))


@dataclass(frozen=True, slots=True)
class Pair:
    """The server's certificate with that of its issuer behind it, and its key without a passphrase, in PEM."""

    chain: bytes
    key: bytes = field(repr=False)


def make_authority(names: Names, beside: Path, *, passphrase: bytes | None = None) -> Authority:
    """A new one for ``names`` alone, for ten years. ``beside``: the folder to work in. Raises: MachineError."""
    with _workplace(beside, names) as folder:
        _key(folder, "ca.key")
        _request(folder, "ca.key")
        _sign(folder, "ca.key", "authority", AUTHORITY_DAYS, "-selfsign")
        if passphrase is not None:
            _encrypt(folder, passphrase)
        return Authority(read_bounded(folder / "signed.crt", _MOST), read_bounded(folder / "ca.key", _MOST))


def issue(authority: Authority, names: Names, beside: Path, *, days: int, passphrase: bytes | None = None) -> Pair:
    """A new certificate and key for ``names``, not longer than the authority itself lasts.

    Raises: UsageError for ``days`` out of 1 to 825 and for a wrong passphrase; MachineError, also when the authority
    is about to end.
    """
    if not 1 <= days <= LONGEST:
        raise UsageError(f"expected 1 to {LONGEST} days, found {days}", hint="Clients refuse what lasts longer.")
    left = int((authority.read.not_after - time.time()) / _DAY)
    if left < 1:
        raise MachineError("the authority itself has ended", hint="Make a new one: llm-bundle tls make-ca")
    with _workplace(beside, names) as folder:
        for name, data in (("ca.crt", authority.certificate), ("ca.key", authority.key)):
            (folder / name).write_bytes(data)
        _key(folder, "server.key")
        _request(folder, "server.key", "-subj", f"/O={names.all[0][:64]}/CN=llm-bundle proxy")
        unlock = ("-passin", "{passphrase}") if passphrase is not None else ("-passin", "pass:")
        _sign(folder, "ca.key", "server", min(days, left), "-cert", "ca.crt", *unlock, passphrase=passphrase)
        chain = read_bounded(folder / "signed.crt", _MOST) + authority.certificate
        return Pair(chain, read_bounded(folder / "server.key", _MOST))


def _workplace(beside: Path, names: Names) -> _Workplace:
    return _Workplace(beside, configuration(names, f"llm-bundle CA {secrets.token_hex(4)}"))


class _Workplace:
    """A folder for openssl, 0700, which is gone afterwards."""

    def __init__(self, beside: Path, text: str) -> None:
        with guarded(beside, "write"):
            self._folder = TemporaryDirectory(prefix=".tls-", dir=beside)
        self._text = text

    def __enter__(self) -> Path:
        folder = Path(self._folder.name)
        with guarded(folder, "write"):
            (folder / "openssl.cnf").write_text(self._text, encoding="ascii")
            (folder / "index").write_bytes(b"")
        return folder

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


def _key(folder: Path, name: str) -> None:
    options = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:named_curve"]
    openssl(["genpkey", *options, "-out", name], "making a key", folder=folder)


def _request(folder: Path, key: str, *more: str) -> None:
    line = ["req", "-new", "-config", "openssl.cnf", "-key", key, "-out", "request", *more]
    openssl(line, "asking for a certificate", folder=folder)


def _sign(folder: Path, key: str, kind: str, days: int, *more: str, passphrase: bytes | None = None) -> None:
    now = int(time.time())
    last = now + days * _DAY if days < LONGEST else now + (days - 1) * _DAY
    times = ["-startdate", _utc(now - _DAY), "-enddate", _utc(last)]
    line = ["ca", "-batch", "-notext", "-config", "openssl.cnf", "-keyfile", key, "-in", "request"]
    doing = "signing the certificate with the CA's key"
    openssl(
        [*line, "-out", "signed.crt", "-extensions", kind, *times, *more], doing, folder=folder, passphrase=passphrase
    )


def _encrypt(folder: Path, passphrase: bytes) -> None:
    cipher = ["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA256", "-iter", _ROUNDS, "-passout", "{passphrase}"]
    line = ["pkcs8", "-topk8", "-in", "ca.key", "-out", "locked.key", *cipher]
    openssl(line, "encrypting the CA's key", folder=folder, passphrase=passphrase)
    with guarded(folder, "write"):
        (folder / "locked.key").replace(folder / "ca.key")


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y%m%d%H%M%SZ")
