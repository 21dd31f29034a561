"""What the commands of the site share: where the installation is, also in the commands that hints name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from bundler.cli.output import clean
from bundler.errors import BundleError
from bundler.site.place import DEFAULT, Place

_OF_THE_SITE: Final = re.compile(
    r"llm-bundle (?:install|status|rollback|prune|uninstall|token (?:new|list|rotate|revoke)|tls (?:make-ca|renew))\b"
    r"(?! --root)"
)


def at_root(text: str, place: Place) -> str:
    """``text``, whose commands name the installation's folder where that is not the usual one."""
    if place.root == DEFAULT:
        return text
    named = f" --root {shlex.quote(clean(str(place.root)))}"
    return _OF_THE_SITE.sub(lambda match: f"{match[0]}{named}", text)


def root_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--root`` as ``place``; made absolute, for engines and units take no other paths. Hints name it, too."""

    @wraps(function)
    def called(*args: Any, place: Place, **options: Any) -> Any:
        try:
            return function(*args, place=place, **options)
        except BundleError as error:
            error.hint = at_root(error.hint, place)
            raise

    return click.option(
        "--root",
        "place",
        default=str(DEFAULT),
        show_default=True,
        metavar="DIR",
        callback=lambda _context, _option, value: Place(Path(value).absolute()),
        help="The folder of the installation.",
    )(called)
