"""What the commands about tokens share: where the site is, how the proxy is reloaded, how a token is handed over."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from bundler.cli.output import emit
from bundler.cli.site_options import root_option
from bundler.errors import UsageError
from bundler.site.tokens.change import LONGEST, Change
from bundler.site.tokens.model import Token
from bundler.site.tokens.reload import CommandReload

_DURATION = re.compile("([0-9]{1,9})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """A callback: ``90s``, ``30m``, ``24h`` or ``7d`` as seconds. Raises: UsageError for anything else."""
    if value is None:
        return None
    found = _DURATION.fullmatch(value)
    count = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not found or count > LONGEST:
        raise UsageError(f"{option.opts[0]}: expected a time as in 90s, 30m, 24h or 7d, found {value[:40]!r}")
    return count


def lifetime(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """As ``seconds``, and not 0: a token that ends at once lets nobody in. Raises: UsageError."""
    count = seconds(context, option, value)
    if count == 0:
        raise UsageError(f"{option.opts[0]}: expected more than no time at all, found {value!r}")
    return count


def site_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--root`` as ``place``, ``--reload-command`` as ``reload``."""
    reload = click.option(
        "--reload-command",
        "reload",
        metavar="COMMAND",
        callback=lambda _context, _option, value: _reload(value),
        help="What makes another proxy than that of the installation read its tokens anew. Run without a shell.",
    )
    return root_option(reload(function))


def output_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--output`` as ``output``."""
    return click.option(
        "-o",
        "--output",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Write the token into this new file, mode 0600, instead of printing it.",
    )(function)


def _reload(text: str | None) -> CommandReload | None:
    if text is None:
        return None
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"--reload-command: {error}", hint="Close the quotes.") from error
    if not words:
        raise UsageError("--reload-command: expected a command, found nothing")
    return CommandReload(tuple(words))


def print_made(change: Change, output: Path | None, *, as_json: bool) -> None:
    """Print the new token, once, or where it lies."""
    assert change.made
    document: dict[str, Any] = row(change.made)
    document |= {"path": str(output)} if output else {"token": change.made.secret}
    document |= {"removed": [row(token) for token in change.removed], "reloaded": not change.stale}
    emit(document, as_json=as_json, text=[f"wrote {output}"] if output else [change.made.secret])
    until = f", until {when(change.made.expires)}" if change.made.expires else ""
    click.echo(f"made a token for {change.made.label} ({change.made.id}){until}; it is not shown again", err=True)
    say_stale(change)


def say_stale(change: Change) -> None:
    """Say what is still to be done."""
    if change.stale:
        click.echo("next: reload the proxy, as with nginx -s reload; until then it knows the old tokens", err=True)


def row(token: Token) -> dict[str, Any]:
    """The stable keys of a token; never the token itself. Times in seconds since 1970."""
    return {
        "id": token.id,
        "label": token.label,
        "created": token.created,
        "expires": token.expires,
        "replaced": token.replaced,
    }


def when(seconds: int) -> str:
    """A time for people."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
