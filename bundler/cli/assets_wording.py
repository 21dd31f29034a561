"""How plans and installations read: a table with its sum and the next step, and the stable keys of ``--json``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from bundler.cli.output import table

if TYPE_CHECKING:
    from kibana_assets.install.installation import Installation, Installed
    from kibana_assets.install.panels import PanelProof
    from kibana_assets.install.plan import Change
    from kibana_assets.install.prove import Proof
    from kibana_assets.install.uninstall import Left

_STATES: Final = {"data": "data", "empty": "no data", "unknown": "unknown"}
_DONE: Final = {"create": "created", "update": "updated", "remove": "removed"}


def change_rows(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """``changes[]``: kind, id, space, action and why."""
    return [
        {"kind": one.kind, "id": one.id, "space": one.space or None, "action": one.action, "reason": one.reason}
        for one in changes
    ]


def change_lines(changes: Sequence[Change]) -> list[str]:
    """What is done and what is kept against our wish, a line each."""
    told = [one for one in changes if not _same(one)]
    return table([(one.action, one.kind, f"{one.space}/{one.id}" if one.space else one.id, one.reason) for one in told])


def sum_line(changes: Sequence[Change], *, done: bool, left: Sequence[Left] = ()) -> str:
    """The table in numbers; ``left`` is what could not be removed."""
    stayed = {one.change.key for one in left}
    counts = {action: sum(one.action == action and one.key not in stayed for one in changes) for action in _DONE}
    said = [f"{count} {_DONE[action] if done else f'to {action}'}" for action, count in counts.items() if count]
    same = sum(map(_same, changes))
    kept = sum(one.action == "keep" for one in changes) - same
    rest = ((len(stayed), "had to stay"), (kept, "kept"), (same, "up to date"))
    said += [f"{number} {word}" for number, word in rest if number]
    line = ", ".join(said) or "nothing of ours is there"
    return line if done else f"{line}; nothing was written"


def kept_lines(changes: Iterable[Change]) -> list[str]:
    """What to do about what is kept against our wish, where that can be forced."""
    from kibana_assets.install.plan import EDITED, FOREIGN

    if any(one.action == "keep" and one.reason in (EDITED, FOREIGN) for one in changes):
        return ["what is kept is as somebody left it: --force takes it away, after a copy of it was written to a file"]
    return []


def next_lines(
    opened: Installation,
    changes: Iterable[Change],
    proofs: Sequence[Proof],
    shown: Sequence[PanelProof],
    *,
    dry: bool,
) -> list[str]:
    """What to do after an installation, where something is to be done."""
    if dry:
        return ["next: the same without --dry-run"]
    if not all(proof.ok for proof in proofs):
        return ["next: mend what the lines with FAILS say, then run the same command again"]
    if any(one.state == "data" for one in shown) or not (proofs or any(one.action == "create" for one in changes)):
        return []
    if opened.fleet:
        return ["next: for data to come, let the GPU host's agent enrol: llm-bundle assets enrol"]
    return ["next: for data to come, write what the GPU host's agent reads: llm-bundle assets host-config"]


def _same(change: Change) -> bool:
    from kibana_assets.install.plan import UP_TO_DATE

    return change.action == "keep" and change.reason == UP_TO_DATE


def left_lines(left: Sequence[Left], *, data: bool) -> list[str]:
    """What stays and why, and what would take it away."""
    lines = [f"  stays  {one.change.kind} {one.change.id}: {one.reason}" for one in left]
    return lines + (["what stays serves data that is there: --data deletes both"] if left and not data else [])


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
    if not any(one.version for one in installed):
        return ["nothing is installed", "next: llm-bundle assets plan, with the same options"]
    told = [one for one in installed if one.state != "same"]
    rows = [(one.state, one.kind, f"{one.space}/{one.id}" if one.space else one.id, one.version) for one in told]
    same = len(installed) - len(told)
    versions = ", ".join(sorted({one.version for one in installed if one.version}))
    return [f"version {versions}: {same} of {len(installed)} as installed", *table(rows)]
