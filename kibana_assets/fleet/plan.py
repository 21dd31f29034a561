"""The plan for Fleet: from what is wanted and what is there to changes. No I/O.

Rules: as for everything else, what is as we left it is brought up to date, what somebody edited or made is kept, with
the reason, unless forced. A package that rose takes its package policy along, with whatever values that has: then what
was edited stays edited, in the new version. A package is never taken back to an older version, and one that did not
come by upload is not ours to replace: both are refused before anything is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kibana_assets.errors import RefusedError
from kibana_assets.fleet.client import PackageFound
from kibana_assets.fleet.wish import (
    AGENT_POLICY,
    DASHBOARDS,
    EVERYWHERE,
    PACKAGE,
    PACKAGE_POLICY,
    Wish,
    digest_of,
    package_version,
    seen,
)
from kibana_assets.install.asset import DATA_STREAM, Asset
from kibana_assets.install.plan import EDITED, FOREIGN, UP_TO_DATE, Action, Change, Found, Key
from kibana_assets.install.record import PENDING, Entry, Record

Json = dict[str, Any]
_NUMBER: Final = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class FleetState:
    """What Fleet has of what concerns us, and our record of it. ``data`` are data streams."""

    package: PackageFound | None = None
    policies: Mapping[Key, Json] = field(default_factory=dict)
    data: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """Package policies of other people."""
    record: Record = field(default_factory=Record)

    def entry(self, key: Key) -> Entry | None:
        """What we remember of having put there."""
        return self.record.entries.get(key)

    def found(self, key: Key) -> Found | None:
        """What is there."""
        entry = self.entry(key)
        if key[0] in (PACKAGE, DASHBOARDS):
            there = self.package is not None and (key[0] == PACKAGE or key[1] in self.package.spaces)
            if not there or self.package is None:
                return None
            mark = entry.stored if entry else ""
            return Found({"version": self.package.version}, mark, self.package.version if entry else "", mark)
        body = self.policies.get(key)
        if body is None:
            return None
        now = digest_of(key[0], seen(key[0], body))
        if entry is None:
            return Found(body, now)
        # A run that was cut between putting it and the record: it is ours, and put once more.
        return Found(body, now, entry.version, now if entry.stored == PENDING else entry.stored, entry.sent)


def plan_fleet(wish: Wish, state: FleetState, *, force: bool = False) -> tuple[Change, ...]:
    """The changes in their order; those that change nothing too. Raises: RefusedError."""
    _check_package(wish, state)
    return tuple(_change(asset, wish, state, force) for asset in wish.assets())


def plan_fleet_removal(state: FleetState, *, data: bool = False, force: bool = False) -> tuple[Change, ...]:
    """The changes that take away what we put: policies first, the package last, behind its data."""
    order = (PACKAGE_POLICY, AGENT_POLICY, PACKAGE)
    keys = sorted((key for key in state.record.entries if key[0] in order), key=lambda key: order.index(key[0]))
    made: list[Change] = []
    for key in keys:
        found = state.found(key)
        if found is None:
            continue
        action, reason = _removal(key, found, state, force)
        if key[0] == PACKAGE and action == "remove":
            made += [_data(name, data) for name in state.data]
        made.append(Change(key[0], key[2], key[1], action, reason, None, found))
    return tuple(made)


def _data(name: str, goes: bool) -> Change:
    reason = "its data goes" if goes else "its data stays, and what Elasticsearch needs for it"
    return Change(DATA_STREAM, name, EVERYWHERE, "remove" if goes else "keep", reason)


def _removal(key: Key, found: Found, state: FleetState, force: bool) -> tuple[Action, str]:
    if key[0] == PACKAGE and state.others and not force:
        named = ", ".join(state.others[:3])
        return "keep", f"package policies of others need it: {named}"
    if found.edited and not force:
        return "keep", EDITED
    return "remove", "as installed"


def _check_package(wish: Wish, state: FleetState) -> None:
    found = state.package
    if found is None:
        return
    if found.source not in ("upload", ""):
        raise RefusedError(
            f"Fleet has a package {wish.name} {found.version} that came from elsewhere ({found.source})",
            hint="Remove it in Kibana (Integrations, Installed), or install with --no-fleet.",
        )
    if _numbers(found.version) > _numbers(wish.version):
        raise RefusedError(
            f"Fleet has {wish.name} {found.version}, which is newer than ours, {wish.version}. Nothing was changed",
            hint="Use the llm-bundle that it came with. Fleet cannot take package policies back to an older version.",
        )


def _change(asset: Asset, wish: Wish, state: FleetState, force: bool) -> Change:
    key = (asset.kind, asset.space, asset.id)
    found = state.found(key)
    if asset.kind == PACKAGE:
        action, reason = _package(asset, wish, state, force)
    elif found is None:
        action, reason = "create", "missing"
    elif asset.kind == DASHBOARDS:
        action, reason = "keep", UP_TO_DATE
    else:
        action, reason = _policy(asset, found, wish, force)
    # With a body of its own, a policy is brought to the new version and otherwise left as it is.
    body = found.body if found and found.edited and action == "update" and not force else None
    shown = None if asset.kind == PACKAGE and found and not found.ours else found
    return Change(asset.kind, asset.id, asset.space, action, reason, asset, shown, body=body)


def _package(asset: Asset, wish: Wish, state: FleetState, force: bool) -> tuple[Action, str]:
    entry = state.entry((asset.kind, asset.space, asset.id))
    if state.package is None:
        return "create", "missing"
    if state.package.status not in ("installed", ""):
        return "update", "an installation of it was not finished"
    if state.package.version != wish.version:
        return "update", f"from {state.package.version}"
    if entry is None:
        return ("update", f"{FOREIGN}: replaced") if force else ("keep", f"{FOREIGN}, in the same version")
    return ("keep", UP_TO_DATE) if entry.sent == asset.digest else ("update", "other content")


def _policy(asset: Asset, found: Found, wish: Wish, force: bool) -> tuple[Action, str]:
    was = package_version(found.body) if asset.kind == PACKAGE_POLICY else ""
    older = bool(was) and was != wish.version
    if not found.ours:
        return ("update", f"{FOREIGN}: replaced") if force else ("keep", FOREIGN)
    if found.edited and force:
        return "update", f"{EDITED}: replaced"
    if found.edited:
        return ("update", f"from {was}, its values stay ({EDITED})") if older else ("keep", EDITED)
    if older:
        return "update", f"from {was}"
    return ("keep", UP_TO_DATE) if found.sent == asset.digest else ("update", "other content")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(one) for one in _NUMBER.findall(version.partition("-")[0])[:3])
