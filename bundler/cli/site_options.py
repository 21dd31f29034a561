"""What the commands of the site share: where the installation is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bundler.site.place import DEFAULT, Place


def root_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--root`` as ``place``; made absolute, for engines and units take no other paths."""
    return click.option(
        "--root",
        "place",
        default=str(DEFAULT),
        show_default=True,
        metavar="DIR",
        callback=lambda _context, _option, value: Place(Path(value).absolute()),
        help="The folder of the installation.",
    )(function)
