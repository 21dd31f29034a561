"""What commands print: results on stdout, one JSON object with ``--json``; nothing that could steer the terminal."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from bundler.errors import BundleError, MachineError, UsageError
from bundler.spec.reference import REGISTRY

_SPEC_COMMAND = re.compile(r"llm-bundle (lock --update|lock|build)(?= *($|[`.,;]))")
FOUND: Final = 8
"""The exit code of a command that looked at something, and found what is to be mended."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """``text`` with control characters made visible: names come from servers and media."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def emit(document: dict[str, Any], *, as_json: bool, text: Iterable[str]) -> None:
    """Print ``document`` as JSON, or else the lines of ``text``.

    Raises: MachineError when the output cannot be written, as on a full disk.
    """
    lines = [json.dumps(document, indent=2, default=str)] if as_json else map(clean, text)
    try:
        for line in lines:
            click.echo(line)
    except BrokenPipeError:
        raise
    except OSError as error:
        _forget_stdout()
        raise MachineError(
            f"the output cannot be written: {error.strerror}",
            hint="The command itself is done. Look at the disk that the output goes to, and call it again.",
        ) from error


def _forget_stdout() -> None:
    """Let what is still buffered go nowhere, or the interpreter would try once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def table(rows: Sequence[Sequence[str]], *, indent: str = "  ") -> list[str]:
    """Lines with columns as wide as their widest cell; the last column is left as it is."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)] if rows else []
    return [indent + "  ".join([*map(str.ljust, row, widths), row[-1]]).rstrip() for row in rows]


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--json`` as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(function)


def quiet_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``-q`` as ``quiet``."""
    return click.option("-q", "--quiet", is_flag=True, help="No progress, no talk.")(function)


def spec_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """The bundle.yml as ``spec_path``; where it has another name, the commands in hints name it."""

    @wraps(function)
    def called(*args: Any, spec_path: Path, **options: Any) -> Any:
        try:
            return function(*args, spec_path=spec_path, **options)
        except BundleError as error:
            if spec_path != Path("bundle.yml"):
                error.hint = _SPEC_COMMAND.sub(lambda match: f"{match[0]} {shlex.quote(str(spec_path))}", error.hint)
            raise

    return click.argument("spec_path", metavar="[BUNDLE.YML]", type=click.Path(path_type=Path), default="bundle.yml")(
        called
    )


def _hosts(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Raises: UsageError, since what is no host would never match one."""
    for value in values:
        if not REGISTRY.fullmatch(value):
            raise UsageError(
                f"--plain-http: expected a host, found {value[:80]!r}",
                hint="As in registry.example:5000, without http:// and without a path.",
            )
    return values


def plain_http_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--plain-http HOST`` as ``plain_http``."""
    return click.option(
        "--plain-http",
        metavar="HOST[:PORT]",
        multiple=True,
        callback=_hosts,
        help="Reach this registry by http:// (also: registries in bundle.yml). May be given again.",
    )(function)
