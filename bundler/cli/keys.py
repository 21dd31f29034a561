"""The private key that a command signs with, and the public keys that it trusts."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from bundler.disk import guarded, is_there, read_bounded
from bundler.errors import SpecError, UsageError
from bundler.progress import Progress
from bundler.spec.model import Spec
from bundler.trust import pem
from bundler.trust.keys import KeyName, PublicKey, read_keys
from bundler.trust.private_key import AskFor, PrivateKey, load_key

_VARIABLE: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")


def _read(context: click.Context, option: click.Parameter, given: str | None) -> tuple[PublicKey, ...] | None:
    """Raises: UsageError for an empty name, which an unset variable leaves: it would mean the current folder."""
    if given == "":
        raise UsageError("--key: expected a file or a folder, found nothing", hint="Is a variable of a script not set?")
    return None if given is None else read_keys(Path(given))


def trusted_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--key`` as ``keys``: the public keys that are trusted, or None."""
    return click.option(
        "--key",
        "keys",
        metavar="FILE|FOLDER",
        callback=_read,
        help="Refuse what this public key, or one of a folder's *.pub, did not sign.",
    )(function)


def key_of_file(path: Path, ask: AskFor, progress: Progress) -> PrivateKey:
    """The private key in ``path``. Raises: UsageError; MachineError."""
    data = read_bounded(path, pem.MAX_BYTES)
    with guarded(path, "look at"):
        found = path.stat()
    if stat.S_ISREG(found.st_mode) and found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        progress.say(f"warning: {path}: others than its owner may use this private key (mode {mode:04o}): chmod 600")
    return load_key(data, path, ask)


def key_of_spec(spec: Spec, ask: AskFor, progress: Progress) -> PrivateKey | None:
    """The private key that ``signing.key`` names: a variable that is set, else a file beside bundle.yml.

    Raises: SpecError when it is neither; UsageError; MachineError.
    """
    name = spec.signing_key
    if name is None:
        return None
    if name in os.environ:
        return load_key(os.environ[name].encode("utf-8", "surrogateescape"), Path(name), ask)
    path = spec.base / name
    if not is_there(path):
        also = ", and no environment variable of that name is set" if _VARIABLE.fullmatch(name) else ""
        raise SpecError(
            f"signing.key: {path}: there is no such file{also}",
            hint="`llm-bundle keygen` makes a key; --key FILE names another one.",
        )
    return key_of_file(path, ask, progress)


def name_json(name: KeyName | None) -> dict[str, str] | None:
    """The stable keys of ``signed_by``."""
    return None if name is None else {"key": name.key, "id": name.id}
