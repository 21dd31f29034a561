"""How plans and installations read: a table on stdout, progress on stderr, and the stable keys of ``--json``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from bundler.cli.output import clean, table

if TYPE_CHECKING:
    from kibana_assets.install.installation import Installed
    from kibana_assets.install.panels import PanelProof
    from kibana_assets.install.plan import Change
    from kibana_assets.install.prove import Proof
    from kibana_assets.install.uninstall import Left

_STATES: Final = {"data": "data", "empty": "no data", "unknown": "unknown"}


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


def panel_lines(shown: Sequence[PanelProof], *, each: bool = False) -> list[str]:
    """A line for each dashboard, or for each panel; what cannot be asked always, each reason once."""
    made: list[str] = []
    for title in dict.fromkeys(one.dashboard for one in shown):
        here = [one for one in shown if one.dashboard == title]
        made.append(f"{title}: {sum(one.state == 'data' for one in here)} of {len(here)} panels have data")
        made += table([(_STATES[one.state], one.title, one.found) for one in here if each])
    if shown and not each and all(one.state != "data" for one in shown):
        made = [f"none of {len(shown)} panels has data yet; assets status --panels tells of each"]
    unknown = [one for one in shown if one.state == "unknown" and not each]
    for reason in dict.fromkeys(one.found for one in unknown):
        titles = [one.title for one in unknown if one.found == reason]
        made.append(f"cannot say of {len(titles)}: {', '.join(titles[:3])}{', …' if len(titles) > 3 else ''}: {reason}")
    return made


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
