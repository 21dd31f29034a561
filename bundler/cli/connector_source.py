"""Where the connectors of a command come from: a bundle.yml with its lock, or a connectors.yml."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bundler.content.kibana import wanted
from bundler.disk import read_bounded
from bundler.errors import MachineError, SpecError, UsageError
from bundler.lock.check import require_match
from bundler.lock.file import read_lock
from bundler.pack.locking import lock_path
from bundler.spec.parse import read_spec
from preconfigured import Connector, Settings, StackVersion
from preconfigured.errors import ConnectorError
from preconfigured.request import LARGEST, read_request

DEFAULTS = ("connectors.yml", "bundle.yml")
_BUNDLE = re.compile(rb"^\xef?\xbb?\xbf?apiVersion:[ \t]*[\"']?llm-bundle/", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written, and for which stack version."""

    connectors: tuple[Connector, ...]
    settings: Settings
    stack: StackVersion


def wanted_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The file as ``source`` and ``--stack`` as ``stack``."""
    option = click.option("--stack", metavar="VERSION", help="The version of Kibana; else the one in the file.")
    return click.argument("source", metavar="[FILE]", required=False, type=click.Path(path_type=Path))(option(function))


def stack_of(text: str) -> StackVersion:
    """The value of ``--stack``. Raises: UsageError."""
    try:
        return StackVersion.parse(text)
    except ConnectorError as error:
        raise UsageError(f"--{error.message}", hint=error.hint) from error


def load(source: Path | None, stack: str | None) -> Wanted:
    """Read the connectors; without ``source`` from connectors.yml or bundle.yml of this folder.

    Raises: SpecError, LockError, MachineError, KibanaYmlError when the file or its lock is not what it must be.
    """
    path = source or next((Path(name) for name in DEFAULTS if Path(name).exists()), None)
    if path is None:
        raise UsageError(
            f"no {' and no '.join(DEFAULTS)} in this folder", hint="Name the file: llm-bundle connectors render FILE"
        )
    if not path.is_file():
        raise MachineError(f"{path}: is no file", hint="Give the path of a connectors.yml or a bundle.yml.")
    version = stack_of(stack) if stack is not None else None
    found = _bundle(path, version) if _BUNDLE.search(read_bounded(path, LARGEST)) else _request(path, version)
    if not found.connectors:
        raise SpecError(f"{path}: asks for no connector", hint="Add one below connectors: with id, name and provider.")
    return found


def _request(path: Path, version: StackVersion | None) -> Wanted:
    request = read_request(path)
    stack = version or request.stack
    if stack is None:
        raise UsageError(
            f"{path}: the stack version is not known", hint="Add stack: 9.2.0 to it, or give --stack 9.2.0"
        )
    return Wanted(request.connectors, request.settings, stack)


def _bundle(path: Path, version: StackVersion | None) -> Wanted:
    spec = read_spec(path)
    lock = require_match(read_lock(lock_path(path)), spec, where=str(lock_path(path)))
    connectors, settings = wanted(lock)
    stack = version or (StackVersion.parse(spec.stack) if spec.stack else None)
    if stack is None:
        raise UsageError(
            f"{path}: the stack version is not known", hint="Add stack: 9.2.0 to it, or give --stack 9.2.0"
        )
    return Wanted(tuple(connectors), settings, stack)
