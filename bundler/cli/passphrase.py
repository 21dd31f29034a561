"""Where a passphrase comes from: a file, the environment, or a person at a terminal; never a command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from bundler.disk import read_bounded
from bundler.errors import UsageError

VARIABLE: Final = "LLM_BUNDLE_KEY_PASSWORD"
_MOST_BYTES: Final = 4096


def passphrase_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--password-file`` as ``password_file``."""
    return click.option(
        "--password-file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help=f"The private key's passphrase is this file's first line. Else: {VARIABLE}, or a question.",
    )(function)


def asker(file: Path | None, *, new: bool = False, without: str = "") -> Callable[[str], bytes]:
    """What answers for the passphrase of the key of a name; a person is asked twice for a ``new`` one.

    ``without`` says how to do without any.
    """

    def ask(name: str) -> bytes:
        if file is not None:
            return _first_line(file)
        if VARIABLE in os.environ:
            return os.environ[VARIABLE].encode("utf-8", "surrogateescape")
        if not sys.stdin or not sys.stdin.isatty():
            raise UsageError(
                f"{name}: its passphrase is needed, and there is no terminal to ask at",
                hint=f"Set {VARIABLE}, or give --password-file FILE. {without}".rstrip(),
            )
        text: str = click.prompt(f"Passphrase of {name}", hide_input=True, confirmation_prompt=new, err=True)
        return text.encode("utf-8", "surrogateescape")

    return ask


def _first_line(file: Path) -> bytes:
    line = read_bounded(file, _MOST_BYTES).partition(b"\n")[0].removesuffix(b"\r")
    if not line:
        raise UsageError(f"{file}: its first line is empty", hint="Write the passphrase there, and nothing else.")
    return line
