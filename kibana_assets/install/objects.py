"""The saved objects of Kibana as assets: what is wanted in each space, what is there, and making the changes.

Rules: all objects of a space that change go in one import, for they refer to each other. Data views belong to
everybody: one that is there is left as it is, and ours are never taken away. Kibana brings what it stores into its own
newest form; so an object counts as edited when it is another than what Kibana had made of ours right after the import.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.errors import UsageError
from kibana_assets.install import record as records
from kibana_assets.install.apply import Say
from kibana_assets.install.asset import Asset, Json, digest
from kibana_assets.install.plan import SHARED, Change, Found, Key
from kibana_assets.install.record import PENDING, Entry, Record
from kibana_assets.kibana.interface import Name, SavedObjects


def wanted_objects(objects: Iterable[Json], spaces: Iterable[str]) -> tuple[Asset, ...]:
    """Each object in each space."""
    listed = tuple(objects)
    return tuple(Asset(one["type"], one["id"], one, space=space) for space in spaces for one in listed)


@dataclass(frozen=True, slots=True)
class KibanaPart:
    """Where the objects go, and where the record of them is."""

    kibana: SavedObjects
    cluster: Cluster
    spaces: tuple[str, ...]

    def found(self, desired: Iterable[Asset]) -> dict[Key, Found]:
        """What is there of what is wanted or recorded, in these spaces. Raises: KibanaAssetsError."""
        self.kibana.version()
        check_spaces(self.kibana, self.spaces)
        record = records.read(self.cluster)
        made: dict[Key, Found] = {}
        for space in self.spaces:
            keys = {(one.kind, space, one.id) for one in desired if one.space == space}
            keys |= {key for key in record.entries if key[1] == space}
            real = {key: (key[0], record.entries[key].id if key in record.entries else key[2]) for key in keys}
            there = self.kibana.find(space, sorted(set(real.values())))
            made |= {key: _found(there[name], record.entries.get(key)) for key, name in real.items() if name in there}
        return made

    def apply(self, changes: Iterable[Change], version: str, say: Say) -> None:
        """Make the changes, space by space. Raises: KibanaAssetsError."""
        todo = tuple(changes)
        for space in self.spaces:
            here = [change for change in todo if change.space == space]
            self._remove(space, [change for change in here if change.action == "remove"], say)
            self._put(space, [change for change in here if change.action != "remove"], version, say)

    def forget(self) -> None:
        """After everything was removed: take out of the record what is no longer there. Raises: KibanaAssetsError."""
        for space in self.spaces:
            self._forget(space)

    def _put(self, space: str, changes: Sequence[Change], version: str, say: Say) -> None:
        assets = [change.asset for change in changes if change.asset is not None]
        if not assets:
            return
        record = self._begun(_entries(assets, {}, version, {}))
        ids = self.kibana.put(space, [asset.body for asset in assets])
        there = self.kibana.find(space, sorted({(asset.kind, ids[(asset.kind, asset.id)]) for asset in assets}))
        stored = {name: digest(name[0], body) for name, body in there.items()}
        records.write(self.cluster, record.with_entries(_entries(assets, ids, version, stored)))
        for change in changes:
            say(change)

    def _remove(self, space: str, changes: Sequence[Change], say: Say) -> None:
        record = records.read(self.cluster)
        for change in changes:
            entry = record.entries.get(change.key)
            self.kibana.delete(space, (change.kind, entry.id if entry else change.id))
            record = record.with_entries({change.key: None})
            records.write(self.cluster, record)
            say(change)

    def _begun(self, entries: Mapping[Key, Entry]) -> Record:
        """The record with what is about to be imported, under the ids that it has there already."""
        known = records.read(self.cluster)
        kept = {key: known.entries[key].id for key in entries if key in known.entries}
        record = known.with_entries({key: replace(one, id=kept.get(key, one.id)) for key, one in entries.items()})
        records.write(self.cluster, record)
        return record

    def _forget(self, space: str) -> None:
        """Take entries away whose objects somebody else has removed, and those of data views, which stay."""
        record = records.read(self.cluster)
        mine = {key: (key[0], entry.id) for key, entry in record.entries.items() if key[1] == space}
        there = self.kibana.find(space, sorted(set(mine.values())))
        gone: dict[Key, Entry | None] = {
            key: None for key, name in mine.items() if name not in there or key[0] == SHARED
        }
        if gone:
            records.write(self.cluster, record.with_entries(gone))


def check_spaces(kibana: SavedObjects, spaces: Sequence[str]) -> None:
    """Raises: UsageError, for Kibana itself would import into a space that nobody can ever open."""
    if set(spaces) <= {"default"}:
        return
    known = kibana.spaces()
    strange = [space for space in spaces if space not in known]
    if strange:
        hint = f"There are: {', '.join(known)}. A login sees those alone that it has rights in."
        raise UsageError(f"--space: there is no space {', '.join(strange)}", hint=hint)


def recorded_spaces(cluster: Cluster) -> tuple[str, ...]:
    """The spaces that objects of ours are in. Raises: as Cluster.call."""
    return tuple(sorted({space for _, space, _ in records.read(cluster).entries}))


def _entries(
    assets: Iterable[Asset], ids: Mapping[Name, str], version: str, stored: Mapping[Name, str]
) -> dict[Key, Entry]:
    made = {}
    for asset in assets:
        real = ids.get((asset.kind, asset.id), asset.id)
        now = stored.get((asset.kind, real), PENDING)
        made[(asset.kind, asset.space, asset.id)] = Entry(real, version, asset.digest if now != PENDING else "", now)
    return made


def _found(body: Json, entry: Entry | None) -> Found:
    now = digest(body["type"], body)
    if entry is None:
        return Found(body, now)
    # A run that was cut between import and record: it is ours, and put once more.
    return Found(body, now, entry.version, now if entry.stored == PENDING else entry.stored, entry.sent)
