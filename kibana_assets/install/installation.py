"""An installation as a whole: from a cluster (and a Kibana) to a plan, and from a plan to what is installed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.install.apply import Say, apply
from kibana_assets.install.asset import Asset
from kibana_assets.install.backup import backup
from kibana_assets.install.plan import Change, State, changes_something, plan
from kibana_assets.install.state import read_state
from kibana_assets.install.uninstall import Left, plan_removal, uninstall

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
    """What is wanted, of which version, and where it goes."""

    cluster: Cluster
    desired: tuple[Asset, ...]
    version: str

    def state(self) -> State:
        """What is there. Raises: RefusedError for a cluster that is too old; as Cluster.call."""
        self.cluster.version()
        return read_state(self.cluster, self.desired)

    def plan(self, *, force: bool = False) -> tuple[Change, ...]:
        """What would be done. Raises: as ``state``."""
        return plan(self.desired, self.state(), self.version, force=force)

    def install(self, changes: tuple[Change, ...], *, copies: Path, say: Say = lambda change: None) -> tuple[Path, ...]:
        """Make the changes; the files in ``copies`` with what was replaced. Raises: KibanaAssetsError."""
        files = backup(changes, copies) if changes_something(changes) else ()
        apply(changes, self.cluster, self.version, say=say)
        return files

    def plan_removal(self, *, data: bool = False, force: bool = False) -> tuple[Change, ...]:
        """What uninstalling would do. Raises: as ``state``."""
        return plan_removal(self.state(), data=data, force=force)

    def uninstall(
        self, changes: tuple[Change, ...], *, copies: Path, say: Say = lambda change: None
    ) -> tuple[tuple[Path, ...], tuple[Left, ...]]:
        """Make the changes of ``plan_removal``; the backups, and what had to stay. Raises: KibanaAssetsError."""
        files = backup(changes, copies)
        return files, uninstall(changes, self.cluster, self.version, say=say)

    def status(self) -> tuple[Installed, ...]:
        """What is installed, and what is missing of it. Raises: as ``state``."""
        state = self.state()
        wanted = [(asset.kind, asset.space, asset.id) for asset in self.desired]
        keys = [*wanted, *(key for key, found in state.assets.items() if found.ours and key not in wanted)]
        return tuple(_installed(key, state) for key in keys)


def _installed(key: tuple[str, str, str], state: State) -> Installed:
    kind, space, name = key
    found = state.assets.get(key)
    standing: Standing = "missing" if found is None else "edited" if found.edited or not found.ours else "same"
    return Installed(kind, name, space, found.version if found else "", standing)
