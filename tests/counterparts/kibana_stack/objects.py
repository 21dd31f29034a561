"""Importing saved objects: conflicts, references, versions, and new ids in a second space.

As Kibana does: what lies inside a ``…JSON`` text is not looked at. With an error that is no conflict nothing is stored,
though the answer counts the others as successes. An id is unique over all spaces: imported into a second one, an object
gets a new id (``destinationId``) and remembers the old as ``originId``; references in the same import follow. Read in
elastic/kibana, saved-objects import-export (check_conflicts.ts, check_origin_conflicts.ts, create_saved_objects.ts).
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.counterparts.kibana_stack.route import Json, Refusal
from tests.counterparts.kibana_stack.state import Stack

TYPES = frozenset({"dashboard", "index-pattern", "tag", "search", "lens", "visualization", "map", "links", "query"})
MOST_OBJECTS = 10_000
CORE = "8.8.0"
_CHECKED_REFERENCES = ("index-pattern", "search")
_TEXTS = ("panelsJSON", "optionsJSON", "ignoreParentSettingsJSON", "searchSourceJSON")
Key = tuple[str, str]


def read(data: bytes) -> list[Json]:
    """The objects of an NDJSON file, without the details that an export ends with. Raises: Refusal."""
    rows: list[Json] = []
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise Refusal(400, f"Unexpected token in JSON: {error}") from error
        if not isinstance(row, dict):
            raise Refusal(400, "Unexpected token in JSON")
        if "exportedCount" not in row:
            rows.append(row)
        if len(rows) > MOST_OBJECTS:
            raise Refusal(400, f"Can't import more than {MOST_OBJECTS} objects")
    keys = [f"{row.get('type')}:{row.get('id')}" for row in rows]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise Refusal(400, f"Non-unique import objects detected: [{', '.join(twice)}]")
    return rows


def references(rows: list[Json]) -> set[str]:
    """The types of what is referred to and checked, but not in the file."""
    present = {(row.get("type"), row.get("id")) for row in rows}
    named = [(one["type"], one["id"]) for row in rows for one in row.get("references", [])]
    return {one[0] for one in named if one[0] in _CHECKED_REFERENCES and one not in present}


@dataclass(slots=True)
class Import:
    """One import into ``space``; ``renamed`` is where an object goes that cannot keep its id."""

    stack: Stack
    space: str
    overwrite: bool = False
    copies: bool = False
    managed: bool = False
    renamed: dict[Key, str] = field(default_factory=dict)
    errors: list[Json] = field(default_factory=list)
    replaced: set[Key] = field(default_factory=set)

    def run(self, rows: list[Json]) -> Json:
        """The answer. Raises: Refusal for versions that this Kibana does not know."""
        known = [row for row in rows if self._is_known(row)]
        for row in known:
            check_versions(self.stack, row)
        present = {(row["type"], row["id"]) for row in known}
        good = [row for row in known if self._has_references(row, present) and self._may_stay(row)]
        # With an error that is no conflict nothing at all is stored, yet the others are counted as successes.
        if all(one["error"]["type"] == "conflict" for one in self.errors):
            for row in good:
                self._store(row)
        answer: Json = {"successCount": len(good), "success": not self.errors, "warnings": []}
        if good:
            answer["successResults"] = [self._result(row) for row in good]
        return {**answer, "errors": self.errors} if self.errors else answer

    def _is_known(self, row: Json) -> bool:
        if row.get("type") in TYPES:
            return True
        self._error(row, {"type": "unsupported_type"})
        return False

    def _has_references(self, row: Json, present: set[Key]) -> bool:
        missing = [
            {"type": one["type"], "id": one["id"]}
            for one in row.get("references", [])
            if one["type"] in _CHECKED_REFERENCES and not self._is_there((one["type"], one["id"]), present)
        ]
        if missing:
            self._error(row, {"type": "missing_references", "references": missing})
        return not missing

    def _is_there(self, key: Key, present: set[Key]) -> bool:
        return key in present or key in self.stack.inside(self.space)

    def _may_stay(self, row: Json) -> bool:
        key: Key = (str(row["type"]), str(row["id"]))
        here = self.stack.inside(self.space)
        if self.copies:
            self.renamed[key] = str(uuid.uuid4())
            return True
        if key in here:
            self.replaced.add(key)
            return self._conflict(row, {})
        same = [name for (kind, name), found in here.items() if kind == key[0] and found.get("originId") == key[1]]
        if same:
            self.renamed[key] = same[0]
            self.replaced.add(key)
            return self._conflict(row, {"destinationId": same[0]})
        elsewhere = (objects for space, objects in self.stack.objects.items() if space != self.space)
        if any(key in objects for objects in elsewhere):
            self.renamed[key] = str(uuid.uuid4())
        return True

    def _conflict(self, row: Json, more: Json) -> bool:
        if not self.overwrite:
            self._error(row, {"type": "conflict", **more})
        return self.overwrite

    def _store(self, row: Json) -> None:
        key: Key = (str(row["type"]), str(row["id"]))
        name = self.renamed.get(key, key[1])
        references = [
            {**one, "id": self.renamed.get((one["type"], one["id"]), one["id"])} for one in row.get("references", [])
        ]
        made = {**row, "id": name, "references": references, "managed": self.managed, "namespaces": [self.space]}
        self.stack.inside(self.space)[(key[0], name)] = made | ({"originId": row["id"]} if name != row["id"] else {})

    def _error(self, row: Json, error: Json) -> None:
        title = row.get("attributes", {}).get("title", "")
        self.errors.append(
            {"id": row.get("id"), "type": row.get("type"), "title": title, "meta": {"title": title}, "error": error}
        )

    def _result(self, row: Json) -> Json:
        key = (row["type"], row["id"])
        made: Json = {
            "type": row["type"],
            "id": row["id"],
            "meta": {"title": row["attributes"].get("title")},
            "managed": False,
        }
        made |= {"destinationId": self.renamed[key]} if key in self.renamed else {}
        return made | ({"overwrite": True} if key in self.replaced else {})


def check_versions(stack: Stack, row: Json) -> None:
    """Raises: Refusal for an object of a newer Kibana, or one whose texts are none."""
    core, own = row.get("coreMigrationVersion"), row.get("typeMigrationVersion")
    if stack.needs_versions and row["type"] == "dashboard" and not (core and own):
        raise Refusal(500, "An internal server error occurred. Check Kibana server logs for details.")
    for found, known in ((core, CORE), (own, stack.known_versions.get(row["type"], CORE))):
        if found and numbers(found) > numbers(known):
            text = f'Document "{row["id"]}" belongs to a more recent version of Kibana [{found}]'
            raise Refusal(422, f"{text} when the last known version is [{known}].")
    check_texts(row.get("attributes", {}), "attributes")


def check_texts(attributes: Any, place: str) -> None:
    """Raises: Refusal where a ``…JSON`` attribute is an object."""
    for name, value in attributes.items() if isinstance(attributes, dict) else ():
        if name in _TEXTS and not isinstance(value, str):
            raise Refusal(500, f"[{place}.{name}]: expected value of type [string] but got [Object]")
        check_texts(value, f"{place}.{name}")


def numbers(version: str) -> tuple[int, ...]:
    """A version to compare."""
    return tuple(int(part) for part in version.split("-")[0].split("."))
