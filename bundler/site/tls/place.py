"""The site's certificate and key, checked and copied to where the proxy reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bundler.disk import guarded, read_bounded
from bundler.errors import MachineError
from bundler.site.doctor.certificate import check_certificate
from bundler.site.doctor.interface import Wish
from bundler.site.place import Place
from bundler.site.tls.pair import CERTIFICATE, KEY, finish_pair, replace_pair
from bundler.site.tls.x509 import read_certificates
from bundler.trust import pem

_MOST: Final = 1 << 20


def place_certificate(place: Place, certificate: Path, key: Path, server_name: str) -> None:
    """Copy both to ``place.tls``, the two at once. ``certificate`` holds the chain, the server's own first.

    Raises: MachineError for a pair that clients would refuse, or that Nginx could not start with; nothing has changed
    then.
    """
    _require_open(key)
    wish = Wish(place.root, certificate=certificate, key=key, server_name=server_name)
    for finding in check_certificate(wish):
        if finding.state == "block":
            expected = f": expected {finding.expected}" if finding.expected else ""
            raise MachineError(f"{finding.check}{expected}, found {finding.found}", hint=finding.fix)
    pair = read_bounded(certificate, _MOST), read_bounded(key, _MOST)
    for folder in (place.secrets, place.tls):
        with guarded(folder, "make"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    finish_pair(place.tls)
    current = tuple(place.tls / name for name in (CERTIFICATE, KEY))
    if not all(path.is_file() for path in current) or pair != tuple(read_bounded(path, _MOST) for path in current):
        replace_pair(place.tls, *pair)


def certificate_end(path: Path) -> float:
    """When the first certificate in ``path`` ends, in seconds since 1970. Raises: MachineError."""
    try:
        return read_certificates(read_bounded(path, _MOST))[0].not_after
    except ValueError as error:
        raise MachineError(f"{path}: {error}", hint="Place it again: llm-bundle install --tls-cert") from error


def _require_open(key: Path) -> None:
    """Nginx would ask for the passphrase at every start, also at three in the morning, when nobody answers."""
    blocks = pem.blocks(read_bounded(key, _MOST))
    if any(block.is_private and block.is_encrypted for block in blocks):
        hint = f"Take it off, in a folder of root's: openssl pkey -in {key} -out open.key && chmod 600 open.key"
        raise MachineError(f"{key}: has a passphrase, and nobody can type it when Nginx starts", hint=hint)
