"""Alerting rules without Fleet: whether there are to be any, and whether they are switched on."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from kibana_assets.errors import UsageError

if TYPE_CHECKING:
    from kibana_assets.install.asset import Asset
    from kibana_assets.install.objects import KibanaPart
    from kibana_assets.package.tree import Tree

OPTIONS: Final = (
    click.option("--enable-rules", is_flag=True, help="Switch the alerting rules on; they are made switched off."),
    click.option("--no-rules", is_flag=True, help="Make no alerting rules, and leave those alone that there are."),
)


@dataclass(frozen=True, slots=True)
class RulesWish:
    """What these options say; ``installed`` for a command that only looks at what is there, or removes it."""

    enable: bool
    none: bool
    installed: bool


def rules_of(tree: Tree, wish: RulesWish, part: KibanaPart | None) -> tuple[Asset, ...]:
    """The rules that are wanted in the part's spaces; None is for no Kibana, or one that has Fleet.

    Raises: UsageError; RefusedError; PackageError.
    """
    if wish.enable and wish.none:
        raise UsageError("--enable-rules and --no-rules exclude each other", hint="Give one of them.")
    if part is None:
        if wish.enable:
            hint = "Give --kibana and --no-fleet beside it. Of Fleet's templates a person makes rules, in Kibana."
            raise UsageError("--enable-rules: rules are made in a Kibana, without Fleet", hint=hint)
        return ()
    if wish.none:
        return ()
    return _wanted(tree, wish, part)


def _wanted(tree: Tree, wish: RulesWish, part: KibanaPart) -> tuple[Asset, ...]:
    from kibana_assets.install.rules import wanted_rules

    if wish.installed:
        return wanted_rules(tree, part.spaces_with_rules(), enabled=False)
    part.kibana.version()
    reason = part.rules.why_not(part.spaces[0])
    if reason:
        print(f"without alerting rules: {reason}", file=sys.stderr)
        return ()
    return wanted_rules(tree, part.spaces, enabled=wish.enable)
