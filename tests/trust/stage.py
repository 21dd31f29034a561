"""Keys for tests: made once each, and what openssl makes of them."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from bundler.trust.private_key import PrivateKey, make_key
from tests.counterparts.need import need

SECRET = b"a passphrase that must turn up nowhere"


@cache
def key_called(name: str) -> PrivateKey:
    """The key of that name, the same one throughout a run."""
    return make_key(Path(name))


def never(name: str) -> bytes:
    """Who may not be asked for a passphrase."""
    raise AssertionError(f"asked for the passphrase of {name}")


def secret(name: str) -> bytes:
    """Who knows the passphrase."""
    return SECRET


def openssl(*arguments: str, data: bytes = b"") -> bytes:
    """Run openssl; what it prints."""
    line = [need("openssl", "openssl"), *arguments]
    return subprocess.run(line, input=data, capture_output=True, check=True, timeout=30).stdout


def write_public(folder: Path, name: str) -> Path:
    """The public half of ``key_called(name)`` as ``name.pub``."""
    path = folder / f"{name}.pub"
    path.write_bytes(key_called(name).public.pem())
    return path


def write_private(folder: Path, name: str, passphrase: bytes | None = None) -> Path:
    """The private half as ``name.key``, for its owner alone."""
    path = folder / f"{name}.key"
    path.touch(0o600)
    path.write_bytes(key_called(name).pem(passphrase))
    return path
