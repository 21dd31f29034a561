"""The options of every command that talks to a Kibana; secrets come from the environment, a file, or a prompt."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from preconfigured.errors import UsageError
from preconfigured.live.login import PASSWORD_VARIABLE, Login, basic, from_environment, from_file

if TYPE_CHECKING:
    from preconfigured.live.kibana import Kibana


def kibana_options(required: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--kibana``, ``--api-key-file``, ``--user``, ``--ca`` and ``--timeout``."""
    options = (
        click.option("--kibana", "url", metavar="URL", required=required, help="Kibana's address, with its base path."),
        click.option(
            "--api-key-file",
            type=click.Path(path_type=Path),
            help="File with an API key; without it KIBANA_API_KEY is used.",
        ),
        click.option("--user", metavar="NAME", help="Log in by name; the password is KIBANA_PASSWORD or asked for."),
        click.option("--ca", type=click.Path(path_type=Path), help="PEM file of the authority to trust."),
        click.option(
            "--timeout", type=click.FloatRange(1, 3600), default=60.0, show_default=True, help="Seconds, per answer."
        ),
    )

    def apply(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return apply


def open_kibana(url: str, api_key_file: Path | None, user: str | None, ca: Path | None, timeout: float) -> Kibana:
    """A client for these options."""
    from preconfigured.live.kibana import Kibana

    return Kibana(url, _login(api_key_file, user), ca=ca, timeout=timeout)


def ask_secret(what: str, otherwise: str) -> str:
    """Ask for a secret on a terminal, without showing it.

    Raises:
        UsageError: there is no terminal; ``otherwise`` says how else to give it.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{what}: expected a value, found none", hint=otherwise)
    return str(click.prompt(what, hide_input=True, err=True))


def _login(api_key_file: Path | None, user: str | None) -> Login:
    if api_key_file and user:
        raise UsageError("--api-key-file and --user exclude each other", hint="Log in one way or the other.")
    if api_key_file:
        return from_file(api_key_file)
    if user:
        otherwise = f"Set {PASSWORD_VARIABLE}, or run the command on a terminal."
        return basic(user, os.environ.get(PASSWORD_VARIABLE) or ask_secret(f"Password of {user}", otherwise))
    return from_environment(os.environ)
