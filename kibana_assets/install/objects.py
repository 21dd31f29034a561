"""What is wanted in each space of a Kibana as assets, what is there of it, and making the changes.

Rules: all objects of a space that change go in one import, for they refer to each other. Data views belong to
everybody: one that is there is left as it is, and ours are never taken away. Kibana brings what it stores into its own
newest form; so an object counts as edited when it is another than what Kibana had made of ours right after the import.
Alerting rules are no part of an import: each is put by itself, behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.errors import RefusedError, UsageError
from kibana_assets.install import record as records
from kibana_assets.install.apply import Say
from kibana_assets.install.asset import RULE, Asset, Json, digest
from kibana_assets.install.plan import SHARED, Change, Found, Key
from kibana_assets.install.record import PENDING, Entry, Record
from kibana_assets.install.rights import needed, objects_lacking, refuse, unreadable
from kibana_assets.install.rules import CONSUMER, as_changed, rule_id
from kibana_assets.kibana.interface import AlertingRules, Name, SavedObjects
from kibana_assets.kibana.rights import Lack


def wanted_objects(objects: Iterable[Json], spaces: Iterable[str]) -> tuple[Asset, ...]:
    """Each object in each space."""
    listed = tuple(objects)
    return tuple(Asset(one["type"], one["id"], one, space=space) for space in spaces for one in listed)


@dataclass(frozen=True, slots=True)
class KibanaPart:
    """Where the objects and the rules go, and where the record of them is."""

    kibana: SavedObjects
    rules: AlertingRules
    cluster: Cluster
    spaces: tuple[str, ...]

    def found(self, desired: Iterable[Asset]) -> dict[Key, Found]:
        """What is there of what is wanted or recorded, in these spaces. Raises: KibanaAssetsError."""
        self.kibana.version()
        record = records.read(self.cluster)
        rules = any(one.kind == RULE for one in desired)
        rules = rules or any(key[0] == RULE and key[1] in self.spaces for key in record.entries)
        unseen = unseen_spaces(self.kibana, self.spaces)
        refuse(self.kibana, unreadable(self._lacks(rules=rules)), unseen)
        check_spaces(self.kibana, self.spaces, unseen)
        made: dict[Key, Found] = {}
        for space in self.spaces:
            keys = {(one.kind, space, one.id) for one in desired if one.space == space}
            keys |= {key for key in record.entries if key[1] == space}
            real = {key: _real(key, record) for key in keys}
            there = self._find(space, set(real.values()))
            made |= {key: _found(key, there[name], record) for key, name in real.items() if name in there}
        return made

    def require(self, changes: Iterable[Change]) -> None:
        """See that the login may make these changes. Raises: RefusedError that names what is missing in all spaces."""
        todo = [change for change in changes if change.space and change.action != "keep"]
        if todo:
            refuse(self.kibana, needed(self._lacks(rules=any(one.kind == RULE for one in todo)), todo))

    def _lacks(self, *, rules: bool) -> tuple[Lack, ...]:
        lacks = objects_lacking(self.cluster, self.kibana, self.spaces)
        return (*lacks, *self.rules.lacking(self.spaces, CONSUMER)) if rules else lacks

    def spaces_with_rules(self) -> tuple[str, ...]:
        """Those of the spaces that rules of ours were put into. Raises: as Cluster.call."""
        there = {space for kind, space, _ in records.read(self.cluster).entries if kind == RULE}
        return tuple(space for space in self.spaces if space in there)

    def apply(self, changes: Iterable[Change], version: str, say: Say) -> None:
        """Make the changes, space by space. Raises: KibanaAssetsError."""
        todo = tuple(changes)
        for space in self.spaces:
            here = [change for change in todo if change.space == space]
            self._remove(space, [change for change in here if change.action == "remove"], say)
            self._put(space, [one for one in here if one.action != "remove" and one.kind != RULE], version, say)
            self._put_rules(space, [one for one in here if one.action != "remove" and one.kind == RULE], version, say)

    def forget(self) -> None:
        """After everything was removed: take out of the record what is no longer there. Raises: KibanaAssetsError."""
        for space in self.spaces:
            self._forget(space)

    def _put(self, space: str, changes: Sequence[Change], version: str, say: Say) -> None:
        assets = [change.asset for change in changes if change.asset is not None]
        if not assets:
            return
        record = self._begun(_entries(assets, {}, version, {}))
        ids = self.kibana.put(space, [_as_there(asset, assets, record) for asset in assets])
        there = self._find(space, {(asset.kind, ids[(asset.kind, asset.id)]) for asset in assets})
        stored = {name: digest(name[0], body) for name, body in there.items()}
        records.write(self.cluster, record.with_entries(_entries(assets, ids, version, stored)))
        for change in changes:
            say(change)

    def _put_rules(self, space: str, changes: Sequence[Change], version: str, say: Say) -> None:
        whole = [change for change in changes if change.asset is not None and change.body is None]
        ids = {(RULE, change.id): rule_id(space, change.id) for change in changes}
        begun = _entries([one.asset for one in whole if one.asset], ids, version, {})
        record = self._begun(begun) if whole else Record()
        for change in changes:
            name = ids[(RULE, change.id)]
            if change.asset is None or change.body is not None:
                self.rules.enable(space, name)
            else:
                stored = {(RULE, name): digest(RULE, self._put_rule(space, name, change.asset, change.found))}
                record = record.with_entries(_entries([change.asset], ids, version, stored))
                records.write(self.cluster, record)
            say(change)

    def _put_rule(self, space: str, name: str, asset: Asset, found: Found | None) -> Json:
        if found is None:
            return self.rules.create(space, name, asset.body)
        made = self.rules.update(space, name, as_changed(asset.body, found.body))
        if asset.body["enabled"] and not found.body.get("enabled"):
            self.rules.enable(space, name)
        return made

    def _find(self, space: str, names: Iterable[Name]) -> dict[Name, Json]:
        listed = sorted(names)
        made = self.kibana.find(space, [one for one in listed if one[0] != RULE])
        rules = self.rules.find(space, [name for kind, name in listed if kind == RULE])
        return {**made, **{(RULE, name): body for name, body in rules.items()}}

    def _delete(self, space: str, name: Name) -> None:
        if name[0] == RULE:
            self.rules.delete(space, name[1])
        else:
            self.kibana.delete(space, name)

    def _remove(self, space: str, changes: Sequence[Change], say: Say) -> None:
        record = records.read(self.cluster)
        for change in changes:
            self._delete(space, _real(change.key, record))
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
        there = self._find(space, set(mine.values()))
        gone: dict[Key, Entry | None] = {
            key: None for key, name in mine.items() if name not in there or key[0] == SHARED
        }
        if gone:
            records.write(self.cluster, record.with_entries(gone))


def unseen_spaces(kibana: SavedObjects, spaces: Sequence[str]) -> tuple[str, ...]:
    """Those of the spaces that are not there, or that the login has no rights in. Raises: KibanaAssetsError."""
    if set(spaces) <= {"default"}:
        return ()
    known = _known(kibana)
    return tuple(space for space in spaces if space not in known)


def check_spaces(kibana: SavedObjects, spaces: Sequence[str], unseen: Sequence[str] | None = None) -> None:
    """Raises: UsageError, for Kibana itself would import into a space that nobody can ever open; RefusedError."""
    strange = unseen_spaces(kibana, spaces) if unseen is None else unseen
    if strange:
        known = _known(kibana)
        if not known:
            hint = "llm-bundle assets role --space ID prints the role with Kibana's privileges for a space."
            raise RefusedError(f"Kibana shows this login no space: {', '.join(strange)}", hint=hint, status=403)
        hint = f"There are: {', '.join(known)}. A login sees those alone that it has rights in."
        raise UsageError(f"--space: there is no space {', '.join(strange)}", hint=hint)


def _known(kibana: SavedObjects) -> tuple[str, ...]:
    """The spaces that the login sees; Kibana refuses to list none."""
    try:
        return kibana.spaces()
    except RefusedError as error:
        if error.status != 403:
            raise
        return ()


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


def _as_there(asset: Asset, together: Sequence[Asset], record: Record) -> Json:
    """With references to the ids that objects have in this space, but for those that are imported together.

    In all spaces but the first an object has another id; Kibana follows that within an import alone.
    """
    new = {(one.kind, one.id) for one in together}
    made = []
    for one in asset.body.get("references") or ():
        entry = record.entries.get((one["type"], asset.space, one["id"]))
        made.append({**one, "id": entry.id} if entry and (one["type"], one["id"]) not in new else one)
    return {**asset.body, "references": made}


def _real(key: Key, record: Record) -> Name:
    """The type and id that Kibana has it under."""
    if key in record.entries:
        return key[0], record.entries[key].id
    return key[0], rule_id(key[1], key[2]) if key[0] == RULE else key[2]


def _found(key: Key, body: Json, record: Record) -> Found:
    now, entry = digest(key[0], body), record.entries.get(key)
    if entry is None:
        return Found(body, now)
    # A run that was cut between import and record: it is ours, and put once more.
    return Found(body, now, entry.version, now if entry.stored == PENDING else entry.stored, entry.sent)
