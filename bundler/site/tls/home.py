"""Where a private authority and the server's certificate lie: in an installation, or in a folder to be carried away.

Rules: the authority's key never lies in a folder that is mounted into a container. ``make`` replaces nothing. ``renew``
replaces the server's pair alone, and only one that this authority issued.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bundler.disk import guarded, is_there, read_bounded, sync_folder, write_whole
from bundler.errors import MachineError
from bundler.site.place import Place
from bundler.site.tls.authority import Authority, Pair, issue, make_authority
from bundler.site.tls.names import Names
from bundler.site.tls.pair import CERTIFICATE, KEY, finish_pair, replace_pair
from bundler.site.tls.x509 import Certificate, read_certificates

CA, CA_KEY = "ca.crt", "ca.key"
_MOST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Home:
    """``authority`` holds ca.crt and ca.key, ``server`` server.crt and server.key; ``within`` are folders above them
    that are for the owner alone, too."""

    authority: Path
    server: Path
    within: tuple[Path, ...] = ()

    @classmethod
    def of(cls, place: Place) -> Home:
        """In the installation at ``place``."""
        return cls(place.secrets / "ca", place.tls, (place.secrets,))

    @classmethod
    def out(cls, folder: Path) -> Home:
        """In a folder of its own."""
        return cls(folder, folder)

    @property
    def ca(self) -> Path:
        """What clients trust."""
        return self.authority / CA

    @property
    def files(self) -> tuple[Path, ...]:
        """ca.crt, ca.key, server.crt, server.key."""
        return self.ca, self.authority / CA_KEY, self.server / CERTIFICATE, self.server / KEY


@dataclass(frozen=True, slots=True)
class Made:
    """What lies in ``home`` now. ``names`` are those of the certificate."""

    home: Home
    names: tuple[str, ...]
    certificate: Certificate
    authority: Certificate

    @property
    def fingerprint(self) -> str:
        """The CA's, as ``openssl x509 -fingerprint -sha256`` computes it, without colons, in lower case."""
        return hashlib.sha256(self.authority.der).hexdigest()


def make(home: Home, names: Names, *, days: int, passphrase: bytes | None = None) -> Made:
    """A new authority and a certificate for ``names`` that lasts ``days``. ``passphrase`` encrypts the CA's key.

    Raises: MachineError when one of the files is there already; UsageError.
    """
    taken = next((path for path in home.files if is_there(path)), None)
    if taken:
        hint = "It is not replaced. A new certificate of the same authority: llm-bundle tls renew. Else move it away."
        raise MachineError(f"{taken}: is there already", hint=hint)
    for folder in (*home.within, home.authority, home.server):
        _private(folder)
    authority = make_authority(names, home.authority, passphrase=passphrase)
    pair = issue(authority, names, home.authority, days=days, passphrase=passphrase)
    write_whole(home.authority / CA_KEY, authority.key, 0o600)
    write_whole(home.ca, authority.certificate, 0o644)
    sync_folder(home.authority)
    replace_pair(home.server, pair.chain, pair.key)
    return _made(home, pair, authority)


def renew(home: Home, *, days: int, ask: Callable[[str], bytes]) -> Made:
    """A new certificate and key for the names of the old one; ``ask`` is called for the passphrase of an encrypted CA.

    Raises: MachineError when there is no such authority, or the certificate is of another one; UsageError.
    """
    finish_pair(home.server)
    authority = Authority(*(read_bounded(path, _MOST) for path in home.files[:2]))
    old = _read(home.files[2])
    if old.issuer != _read(home.ca).subject or not old.names:
        hint = "Ask whoever issued it for a new one; then: llm-bundle install --tls-cert … --tls-key …"
        raise MachineError(f"{home.files[2]}: was not issued by the authority in {home.ca}", hint=hint)
    passphrase = ask(CA_KEY) if authority.is_encrypted else None
    pair = issue(authority, Names.of(*old.names), home.authority, days=days, passphrase=passphrase)
    replace_pair(home.server, pair.chain, pair.key)
    return _made(home, pair, authority)


def _made(home: Home, pair: Pair, authority: Authority) -> Made:
    leaf, issuer = read_certificates(pair.chain)
    return Made(home, leaf.names or (), leaf, issuer)


def _read(path: Path) -> Certificate:
    try:
        return read_certificates(read_bounded(path, _MOST))[0]
    except ValueError as error:
        raise MachineError(f"{path}: {error}", hint="Bring it back from a backup, or make a new authority.") from error


def _private(folder: Path) -> None:
    """A new folder is for its owner alone; one that is there stays as it is, so that a medium will do."""
    with guarded(folder, "make"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
