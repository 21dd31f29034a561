"""The options of every command that talks to Elasticsearch.

Rules: secrets come from the environment, a file, the keyring, or a prompt; what an option names comes first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bundler.cli.kibana_options import ask_secret
from kibana_assets.connection.login import (
    KEY_VARIABLE,
    PASSWORD_VARIABLE,
    TOKEN_VARIABLE,
    Login,
    api_key,
    basic,
    bearer,
    from_environment,
    password_of,
    secret_of,
)
from kibana_assets.errors import UsageError

if TYPE_CHECKING:
    from kibana_assets.connection.target import Target

_PATH: Final = click.Path(path_type=Path)
OPTIONS: Final = (
    click.option("--elasticsearch", "urls", metavar="URL", multiple=True, help="A node's address. May be given again."),
    click.option("--cloud-id", metavar="ID", help="The deployment's cloud id, instead of addresses."),
    click.option("--api-key-file", type=_PATH, help=f"File with an API key; without it {KEY_VARIABLE} is used."),
    click.option("--user", metavar="NAME", help=f"Log in by name; the password is {PASSWORD_VARIABLE} or asked for."),
    click.option("--password-file", type=_PATH, help="File with the password of --user."),
    click.option(
        "--keyring",
        metavar="SERVICE",
        help="Ask the system's keyring for the password of --user; without --user, for the API key named api-key.",
    ),
    click.option("--token-file", type=_PATH, help=f"File with a bearer token; without it {TOKEN_VARIABLE} is used."),
    click.option("--ca", type=_PATH, help="PEM file of the authority to trust."),
    click.option(
        "--fingerprint", metavar="SHA256", default="", help="Of the certificate to trust, or its authority's."
    ),
    click.option("--client-cert", type=_PATH, help="PEM file of our certificate, where the server asks for one."),
    click.option("--client-key", type=_PATH, help="PEM file of its key."),
    click.option("--proxy", metavar="URL", default="", help="A proxy on the way; else that of the environment."),
    click.option(
        "--timeout", type=click.FloatRange(1, 3600), default=60.0, show_default=True, help="Seconds, per answer."
    ),
)
NAMES: Final = (
    *("urls", "cloud_id", "api_key_file", "user", "password_file", "keyring", "token_file"),
    *("ca", "fingerprint", "client_cert", "client_key", "proxy", "timeout"),
)


def elastic_options(*, required: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--elasticsearch`` and how it is reached, as ``target``; None if none is named and none ``required``."""

    def apply(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def called(*args: Any, **options: Any) -> Any:
            given = {name: options.pop(name) for name in NAMES}
            named = required or given["urls"] or given["cloud_id"]
            return function(*args, target=_target(**given) if named else None, **options)

        wrapped: Callable[..., Any] = called
        for option in reversed(OPTIONS):
            wrapped = option(wrapped)
        return wrapped

    return apply


def _target(
    *,
    urls: tuple[str, ...],
    cloud_id: str | None,
    api_key_file: Path | None,
    user: str | None,
    password_file: Path | None,
    keyring: str | None,
    token_file: Path | None,
    ca: Path | None,
    fingerprint: str,
    client_cert: Path | None,
    client_key: Path | None,
    proxy: str,
    timeout: float,
) -> Target:
    from kibana_assets.connection.target import target_of
    from kibana_assets.connection.trust import Trust
    from kibana_assets.connection.trust import fingerprint as checked

    trust = Trust(ca, checked(fingerprint) if fingerprint else "", client_cert, client_key)
    login = _login(api_key_file, token_file, user, password_file, keyring)
    return target_of(urls, cloud_id, login=login, trust=trust, proxy=proxy, timeout=timeout)


def _login(
    api_key_file: Path | None,
    token_file: Path | None,
    user: str | None,
    password_file: Path | None,
    keyring: str | None,
) -> Login:
    _check(api_key_file, token_file, user, password_file, keyring)
    if api_key_file:
        return api_key(secret_of(api_key_file, "--api-key-file"), str(api_key_file))
    if token_file:
        return bearer(secret_of(token_file, "--token-file"), str(token_file))
    if user is not None:
        return basic(user, _password(user, password_file, keyring))
    if keyring is not None:
        from kibana_assets.connection.keyring import API_KEY, ask

        return api_key(ask(keyring, API_KEY), f"--keyring {keyring}: the entry {API_KEY}")
    return from_environment(os.environ)


def _check(
    api_key_file: Path | None,
    token_file: Path | None,
    user: str | None,
    password_file: Path | None,
    keyring: str | None,
) -> None:
    """Raises: UsageError for more than one login, or a password without its user."""
    by_name = user if user is not None else keyring
    if sum(one is not None for one in (api_key_file, token_file, by_name)) > 1:
        hint = "Log in one way or the other; --keyring goes with --user, or alone."
        raise UsageError("--api-key-file, --token-file, --user and --keyring exclude each other", hint=hint)
    if password_file and keyring is not None:
        raise UsageError("--password-file and --keyring exclude each other", hint="The password is in one of them.")
    if password_file and user is None:
        raise UsageError("--password-file: expected --user beside it", hint="Whose password is it?")


def _password(user: str, password_file: Path | None, keyring: str | None) -> str:
    if password_file:
        return password_of(password_file, "--password-file")
    if keyring is not None:
        from kibana_assets.connection.keyring import ask

        return ask(keyring, user)
    otherwise = f"Set {PASSWORD_VARIABLE}, give --password-file or --keyring, or run the command on a terminal."
    return os.environ.get(PASSWORD_VARIABLE) or ask_secret(f"Password of {user}", otherwise)
