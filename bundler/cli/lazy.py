"""A group of commands that imports a command's module only when that command is called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import click


class Lazy(click.Group):
    """A group from a table: the name of each command, and its line of help.

    ``module`` is the name of a command's module with ``{}`` for the command, its dashes as underscores; the module
    calls it ``command``.
    """

    def __init__(self, *args: Any, table: Mapping[str, str], module: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table
        self.module = module

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.table:
            return None
        command: click.Command = importlib.import_module(self.module.format(cmd_name.replace("-", "_"))).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self.table.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.table and not args[0].startswith("-"):
            near = get_close_matches(args[0], self.table, 1)
            meant = f" Did you mean {near[0]!r}?" if near else f" Commands: {', '.join(self.table)}."
            raise click.UsageError(f"No such command {args[0]!r}.{meant}", ctx)
        return super().resolve_command(ctx, args)
