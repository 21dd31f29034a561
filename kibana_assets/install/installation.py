"""An installation as a whole: from a cluster (and a Kibana) to a plan, and from a plan to what is installed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.install.apply import Note, Say, apply
from kibana_assets.install.asset import ILM_POLICY, Asset
from kibana_assets.install.backup import backup
from kibana_assets.install.chain import calls
from kibana_assets.install.objects import KibanaPart
from kibana_assets.install.panels import PanelProof, boards, prove_panels
from kibana_assets.install.plan import SHARED, Change, Found, Key, State, changes_something, plan
from kibana_assets.install.prove import Proof, prove
from kibana_assets.install.rights import fleet_lacking, refuse, unreadable
from kibana_assets.install.role import require, role
from kibana_assets.install.state import read_state
from kibana_assets.install.uninstall import Left, plan_removal, uninstall
from kibana_assets.kibana.rights import Lack
from kibana_assets.package.streams import streams
from kibana_assets.package.tree import Tree

if TYPE_CHECKING:
    from kibana_assets.fleet.part import FleetPart

Standing = Literal["same", "edited", "missing"]


@dataclass(frozen=True, slots=True)
class Installed:
    """One asset that is wanted or ours: ``version`` is what we put, empty where it is not ours or not there."""

    kind: str
    id: str
    space: str
    version: str
    state: Standing


@dataclass(frozen=True, slots=True)
class Installation:
    """What is wanted, of which version, and where it goes; with ``fleet`` most of it comes from there."""

    cluster: Cluster
    tree: Tree
    desired: tuple[Asset, ...]
    version: str
    kibana: KibanaPart | None = None
    fleet: FleetPart | None = None

    def require(self) -> None:
        """See that the login may do all of it. Raises: RefusedError that names what is missing; as ``state``."""
        self.cluster.version()
        require(self.cluster, role("install", ilm=any(asset.kind == ILM_POLICY for asset in self.desired)))
        if self.fleet:
            self.fleet.require()

    def _allowed(self, changes: tuple[Change, ...]) -> tuple[Change, ...]:
        """The changes, if the login may make them in Kibana."""
        if self.kibana:
            self.kibana.require(changes)
        if self.fleet and any(change.space and change.action != "keep" for change in changes):
            refuse(self.fleet.kibana, _fleet_lacking(self.fleet))
        return changes

    def prove(self) -> tuple[Proof, ...]:
        """Send a sample of every data stream through its pipeline. Raises: as Cluster.call."""
        return tuple(prove(self.cluster, streams(self.tree)))

    def prove_panels(self) -> tuple[PanelProof, ...]:
        """Ask once for what each panel of each dashboard shows. Raises: PackageError."""
        return tuple(prove_panels(self.cluster, boards(self.tree)))

    def state(self) -> State:
        """What is there. Raises: RefusedError for a cluster that is too old; as Cluster.call."""
        self.cluster.version()
        state = read_state(self.cluster, self.desired)
        if self.kibana is None:
            return state
        return replace(state, assets={**state.assets, **self.kibana.found(self.desired)})

    def plan(self, *, force: bool = False) -> tuple[Change, ...]:
        """What would be done. Raises: RefusedError that names what the login lacks for it; as ``state``."""
        self.require()
        if self.fleet:
            refuse(self.fleet.kibana, unreadable(_fleet_lacking(self.fleet)))
        changes = plan(self.desired, self.state(), self.version, force=force)
        return self._allowed((*changes, *self.fleet.plan(force=force)) if self.fleet else changes)

    def install(
        self,
        changes: tuple[Change, ...],
        *,
        copies: Path,
        say: Say = lambda change: None,
        note: Note = lambda text: None,
    ) -> tuple[Path, ...]:
        """Make the changes; the files in ``copies`` with what was replaced. Raises: KibanaAssetsError."""
        files = backup(changes, copies) if changes_something(changes) else ()
        apply(changes, self.cluster, self.version, kibana=self.fleet or self.kibana, say=say, note=note)
        return files

    def plan_removal(self, *, data: bool = False, force: bool = False) -> tuple[Change, ...]:
        """What uninstalling would do. Raises: as ``plan``."""
        self.require()
        changes = plan_removal(self.state(), data=data, force=force)
        return self._allowed((*self.fleet.plan_removal(data=data, force=force), *changes) if self.fleet else changes)

    def uninstall(
        self, changes: tuple[Change, ...], *, copies: Path, say: Say = lambda change: None
    ) -> tuple[tuple[Path, ...], tuple[Left, ...]]:
        """Make the changes of ``plan_removal``; the backups, and what had to stay. Raises: KibanaAssetsError."""
        files = backup(changes, copies)
        left = uninstall(changes, self.cluster, self.version, kibana=self.fleet or self.kibana, say=say)
        return files, (*(self.fleet.left if self.fleet else ()), *left)

    def status(self) -> tuple[Installed, ...]:
        """What is installed, and what is missing of it. Raises: as ``state``."""
        state = self.state()
        wanted = {(asset.kind, asset.space, asset.id): asset for asset in self.desired}
        keys = [*wanted, *(key for key, found in state.assets.items() if found.ours and key not in wanted)]
        listed = [_installed(key, wanted.get(key), state.assets.get(key)) for key in keys]
        there = self.fleet.status() if self.fleet else {}
        return (*listed, *(_installed(key, None, found) for key, found in there.items()))


def _fleet_lacking(part: FleetPart) -> tuple[Lack, ...]:
    spaces = tuple(dict.fromkeys((part.wish.home, *part.wish.spaces)))
    return fleet_lacking(part.cluster, part.kibana, spaces)


def _installed(key: Key, asset: Asset | None, found: Found | None) -> Installed:
    kind, space, name = key
    standing: Standing = "missing" if found is None else "edited" if found.edited or not found.ours else "same"
    if found is not None and kind == SHARED:
        standing = "same"
    if found is not None and asset is not None and asset.calls and calls(found.body, asset.calls):
        standing = "same"
    return Installed(kind, name, space, found.version if found else "", standing)
