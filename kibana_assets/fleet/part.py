"""Fleet as a part of an installation: reading what is there, making the changes, remembering them.

Rules: each step is remembered before it is done (pending) and after it, so that a run that was cut goes on at the same
place. After a package policy was brought to a new version its values are put only where they are ours to say. Removing
goes the other way round; what Fleet does not give away stays, with Fleet's reason, and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kibana_assets.connection.address import segment
from kibana_assets.elasticsearch import stored
from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.errors import RefusedError
from kibana_assets.fleet.client import Fleet
from kibana_assets.fleet.enrol import revoke
from kibana_assets.fleet.plan import FleetState, plan_fleet, plan_fleet_removal
from kibana_assets.fleet.wish import (
    AGENT_POLICY,
    DASHBOARDS,
    PACKAGE,
    PACKAGE_POLICY,
    Json,
    Wish,
    digest_of,
    package_version,
    seen,
)
from kibana_assets.install import record as records
from kibana_assets.install.apply import Say
from kibana_assets.install.asset import DATA_STREAM, Asset
from kibana_assets.install.objects import check_spaces
from kibana_assets.install.plan import Change, Found, Key
from kibana_assets.install.record import FLEET, PENDING, Entry
from kibana_assets.install.role import PATTERNS
from kibana_assets.install.uninstall import Left
from kibana_assets.kibana.interface import SavedObjects


@dataclass(slots=True)
class FleetPart:
    """Fleet of a Kibana, and the cluster that remembers. Every method raises KibanaAssetsError."""

    fleet: Fleet
    kibana: SavedObjects
    cluster: Cluster
    wish: Wish
    left: list[Left] = field(default_factory=list)
    """What could not be removed, and Fleet's reason."""

    def require(self) -> None:
        """See that there is Fleet, and that this login may use it. Raises: RefusedError that says what is missing."""
        standing = self.fleet.standing()
        if standing.state == "absent":
            raise RefusedError(f"{self.fleet.api.place}: {standing.reason}", hint="Install with --no-fleet.")
        if standing.state == "forbidden":
            hint = "llm-bundle assets role --fleet prints the role that is needed. Nothing was changed."
            raise RefusedError(f"{self.fleet.api.place}: {standing.reason}", hint=hint, status=403)

    def state(self) -> FleetState:
        """What is there of what is wanted or remembered."""
        check_spaces(self.kibana, self.wish.spaces)
        record = records.read(self.cluster, FLEET)
        keys = {(one.kind, one.space, one.id) for one in self.wish.assets()} | set(record.entries)
        policies = {key: found for key in keys if (found := self._policy(key)) is not None}
        package = self.fleet.package(self.wish.name)
        spaces = dict.fromkeys((self.wish.home, *package.spaces)) if package else ()
        everybody = dict.fromkeys(one for space in spaces for one in self.fleet.package_policies(self.wish.name, space))
        ours = {key[2] for key in record.entries if key[0] == PACKAGE_POLICY}
        data = [name for pattern in PATTERNS for name in stored.streams(self.cluster, pattern)]
        return FleetState(package, policies, tuple(data), tuple(one for one in everybody if one not in ours), record)

    def plan(self, *, force: bool = False) -> tuple[Change, ...]:
        """What would be done."""
        return plan_fleet(self.wish, self.state(), force=force)

    def plan_removal(self, *, data: bool = False, force: bool = False) -> tuple[Change, ...]:
        """What uninstalling would do."""
        return plan_fleet_removal(self.state(), data=data, force=force)

    def status(self) -> dict[Key, Found | None]:
        """What is there of what is wanted or remembered, by name."""
        state = self.state()
        keys = dict.fromkeys((*((one.kind, one.space, one.id) for one in self.wish.assets()), *state.record.entries))
        return {key: state.found(key) for key in keys}

    def apply(self, changes: Iterable[Change], version: str, say: Say) -> None:
        """Make the changes of either plan."""
        for change in changes:
            if change.action == "remove":
                self._remove(change, say)
            elif change.asset is not None and change.action != "keep":
                self._put(change, change.asset, version)
                say(change)

    def forget(self) -> None:
        """Take entries away of what is gone: dashboards with their package, other things by other hands."""
        state = self.state()
        gone: dict[Key, Entry | None] = {key: None for key in state.record.entries if state.found(key) is None}
        if gone:
            records.write(self.cluster, state.record.with_entries(gone), FLEET)

    def _policy(self, key: Key) -> Json | None:
        if key[0] == AGENT_POLICY:
            return self.fleet.agent_policy(key[2], key[1])
        return self.fleet.package_policy(key[2], key[1]) if key[0] == PACKAGE_POLICY else None

    def _put(self, change: Change, asset: Asset, version: str) -> None:
        if change.body is not None:
            # Its values are a person's: the record stays, so that it still counts as edited.
            self._upgrade(asset, version)
            return
        self._remember(change.key, Entry(change.id, version, "", PENDING))
        if asset.kind == PACKAGE:
            package = self.fleet.package(self.wish.name)
            self.fleet.upload(self.wish.data, package.spaces[0] if package else self.wish.spaces[0])
        elif asset.kind == DASHBOARDS:
            self._into_space(asset.space, version)
        elif asset.kind == AGENT_POLICY:
            self.fleet.put_agent_policy(asset.id, asset.body["attributes"], asset.space, new=change.found is None)
        else:
            self._put_package_policy(change, asset, version)
        self._remember(change.key, Entry(change.id, version, asset.digest, self._digest(asset)))

    def _into_space(self, space: str, version: str) -> None:
        """The upload has put them into its own space already, and a new version into all that had the old one."""
        package = self.fleet.package(self.wish.name)
        if package is None or space not in package.spaces:
            self.fleet.into_space(self.wish.name, version, space)

    def _put_package_policy(self, change: Change, asset: Asset, version: str) -> None:
        if change.found is not None:
            self._upgrade(asset, version)
        body = {**asset.body["attributes"], "package": {"name": self.wish.name, "version": version}}
        self.fleet.put_package_policy(asset.id, body, asset.space, new=change.found is None)

    def _upgrade(self, asset: Asset, version: str) -> None:
        """To the version that was put a moment ago, unless Fleet was told to do that by itself."""
        found = self.fleet.package_policy(asset.id, asset.space)
        if found is not None and package_version(found) not in ("", version):
            self.fleet.upgrade_package_policy(asset.id, asset.space)

    def _digest(self, asset: Asset) -> str:
        """Of what Fleet made of it, by which an edit is seen later."""
        found = self._policy((asset.kind, asset.space, asset.id))
        return digest_of(asset.kind, seen(asset.kind, found)) if found is not None else asset.digest

    def _remove(self, change: Change, say: Say) -> None:
        try:
            if change.kind == PACKAGE_POLICY:
                self.fleet.delete_package_policy(change.id, change.space)
                revoke(self.fleet, self.wish.policy, change.space)
            elif change.kind == AGENT_POLICY:
                self.fleet.delete_agent_policy(change.id, change.space)
            elif change.kind == DATA_STREAM:
                self.cluster.delete(f"/_data_stream/{segment(change.id)}")
            elif change.kind == PACKAGE and change.found is not None:
                self.fleet.remove_package(change.id, str(change.found.body["version"]))
        except RefusedError as error:
            if error.status != 400:
                raise
            self.left.append(Left(change, error.message))
            return
        self._remember(change.key, None)
        say(change)

    def _remember(self, key: Key, entry: Entry | None) -> None:
        record = records.read(self.cluster, FLEET)
        records.write(self.cluster, record.with_entries({key: entry}), FLEET)
