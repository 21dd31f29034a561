"""A new pair of keys on disk: the private one for its owner alone, and nothing ever replaced."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bundler.disk import guarded, is_there, sync_folder
from bundler.errors import MachineError, UsageError
from bundler.trust.keys import SUFFIX
from bundler.trust.private_key import PrivateKey


@dataclass(frozen=True, slots=True)
class Pair:
    """Where the two halves lie, and their id."""

    private: Path
    public: Path
    id: str


def public_path(path: Path) -> Path:
    """Where the public half of the key ``path`` goes. Raises: UsageError; MachineError when a name is taken."""
    if not path.name or path.suffix == SUFFIX:
        found = "the name of a public key" if path.name else "a folder"
        raise UsageError(f"{path}: expected the private key's name, found {found}", hint="As in team/signing.key.")
    public = path.with_suffix(SUFFIX)
    for one in (path, public):
        if is_there(one):
            raise MachineError(f"{one}: is there already", hint="A key is never replaced: choose another name.")
    return public


def write_pair(key: PrivateKey, path: Path, passphrase: bytes | None) -> Pair:
    """Write the private half to ``path`` (0600) and the public one beside it. Raises: MachineError; UsageError."""
    public = public_path(path)
    if passphrase == b"":
        raise UsageError("the passphrase is empty", hint="Choose one, or say --no-password.")
    _create(path, key.pem(passphrase), 0o600)
    try:
        _create(public, key.public.pem(), 0o644)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return Pair(path, public, key.public.name.id)


def _create(path: Path, data: bytes, mode: int) -> None:
    with guarded(path, "write"):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
