"""How plans and installations read: a table on stdout, progress on stderr, and the stable keys of ``--json``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from bundler.cli.output import clean, table

if TYPE_CHECKING:
    from kibana_assets.install.installation import Installed
    from kibana_assets.install.plan import Change
    from kibana_assets.install.prove import Proof
    from kibana_assets.install.uninstall import Left


def change_rows(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """``changes[]``: kind, id, space, action and why."""
    return [
        {"kind": one.kind, "id": one.id, "space": one.space or None, "action": one.action, "reason": one.reason}
        for one in changes
    ]


def change_lines(changes: Sequence[Change]) -> list[str]:
    """What is done and what is kept against our wish, a line each; what is up to date as a number."""
    from kibana_assets.install.plan import UP_TO_DATE

    told = [one for one in changes if one.action != "keep" or one.reason != UP_TO_DATE]
    rows = [(one.action, one.kind, f"{one.space}/{one.id}" if one.space else one.id, one.reason) for one in told]
    same = len(changes) - len(told)
    return [*table(rows), *([f"  {same} up to date"] if same else [])]


def left_rows(left: Iterable[Left]) -> list[dict[str, Any]]:
    """``left[]``: kind, id and why."""
    return [{"kind": one.change.kind, "id": one.change.id, "reason": one.reason} for one in left]


def proof_lines(proofs: Iterable[Proof]) -> list[str]:
    """A line for each data stream."""
    return table([("ok" if proof.ok else "FAILS", proof.stream, proof.found) for proof in proofs])


def installed_lines(installed: Sequence[Installed]) -> list[str]:
    """A line for each asset that is not as it was left, and what is, as a number."""
    told = [one for one in installed if one.state != "same"]
    rows = [(one.state, one.kind, f"{one.space}/{one.id}" if one.space else one.id, one.version) for one in told]
    same = len(installed) - len(told)
    versions = ", ".join(sorted({one.version for one in installed if one.version})) or "none"
    return [f"version {versions}: {same} of {len(installed)} as installed", *table(rows)]


def talk(change: Change) -> None:
    """A line while it is done, on a terminal."""
    if sys.stderr.isatty():
        print(f"{change.action} {change.kind} {clean(change.id)}", file=sys.stderr)
