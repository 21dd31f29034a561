"""Which connectors every space sees, and which of them are missing, shadowed or not preconfigured.

Rules: one request for the spaces and one for each space, nothing is changed. Kibana puts the preconfigured connectors
into every space by itself; a space that lacks one, or the same question answered differently, means several Kibanas
with different files. Only connectors to language models count, and those that are expected.
Source of the forms: elastic/kibana, x-pack/platform/plugins/shared/actions, routes/connector/get_all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from preconfigured.errors import RefusedError, UnreachableError, UsageError
from preconfigured.live.finding import said
from preconfigured.live.kibana import DEFAULT_SPACE, Kibana, check_space

MODEL_TYPES = frozenset({".gen-ai", ".bedrock", ".gemini", ".inference"})
MAX_SPACES = 2000

Rule = Literal["missing", "shadowed", "not-preconfigured", "missing-secrets", "deprecated", "unreadable"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A connector as one space shows it. ``type_deprecated`` speaks of its type, ``deprecated`` of itself."""

    id: str
    name: str
    type: str
    preconfigured: bool
    missing_secrets: bool = False
    deprecated: bool = False
    type_deprecated: bool = False


@dataclass(frozen=True, slots=True)
class Space:
    """A space with its connectors; None where this login may not read them."""

    id: str
    name: str
    connectors: tuple[Listed, ...] | None

    def named(self, connector: str) -> tuple[Listed, ...]:
        """The connectors with that id: two where a saved one hides behind a preconfigured one."""
        return tuple(one for one in self.connectors or () if one.id == connector)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to mend in one space, and how."""

    rule: Rule
    space: str
    connector: str
    found: str
    fix: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Spaces by connectors: ``ids`` are the columns. ``version`` is the stack's, None where Kibana does not tell."""

    version: str | None
    ids: tuple[str, ...]
    spaces: tuple[Space, ...]
    remarks: tuple[Remark, ...]


def overview(kibana: Kibana, expected: Sequence[str] = ()) -> Overview:
    """Ask for the connectors of every space and say what is wrong with them.

    Raises:
        PreconfiguredError: Kibana cannot be reached or refuses to name its spaces.
    """
    spaces = tuple(_space(kibana, one) for one in spaces_of(kibana))
    ids = _columns(spaces, expected)
    ours = {one.id for space in spaces for one in space.connectors or () if one.preconfigured}
    must = ours.intersection(ids).union(expected)
    remarks = tuple(remark for space in spaces for remark in _remarks(space, ids, must))
    return Overview(_version(kibana), ids, spaces, remarks)


def spaces_of(kibana: Kibana) -> tuple[tuple[str, str], ...]:
    """Id and name of every space that this login sees.

    Raises:
        PreconfiguredError: Kibana cannot be reached, refuses, or answers something else.
    """
    found = kibana.get("/api/spaces/space")
    rows = _rows(found, "spaces")
    if len(rows) > MAX_SPACES:
        raise UnreachableError(f"{kibana.url}: expected at most {MAX_SPACES} spaces, found {len(rows)}")
    return tuple(_named(row) for row in rows)


def connectors_of(kibana: Kibana, space: str = DEFAULT_SPACE) -> tuple[Listed, ...]:
    """The connectors to language models and all preconfigured ones of a space.

    Raises:
        PreconfiguredError: Kibana cannot be reached, refuses, or answers something else.
    """
    rows = _rows(kibana.get("/api/actions/connectors", space=space), f"connectors of space {space}")
    return tuple(_listed(row) for row in rows)


def _version(kibana: Kibana) -> str | None:
    try:
        return kibana.version()
    except (RefusedError, UnreachableError):
        # Some sites close the status page, and it answers 503 while anything is amiss; it is only a line of the report.
        return None


def _space(kibana: Kibana, found: tuple[str, str]) -> Space:
    try:
        return Space(*found, connectors_of(kibana, found[0]))
    except RefusedError:
        return Space(*found, None)


def _columns(spaces: Sequence[Space], expected: Sequence[str]) -> tuple[str, ...]:
    seen = [
        one.id
        for space in spaces
        for one in space.connectors or ()
        if one.type in MODEL_TYPES and (one.preconfigured or not expected)
    ]
    return tuple(dict.fromkeys((*expected, *sorted(set(seen)))))


def _remarks(space: Space, ids: Sequence[str], must: Collection[str]) -> Iterator[Remark]:
    if space.connectors is None:
        fix = "Give the login the privilege Actions and Connectors (read) in that space."
        yield Remark("unreadable", space.id, "", "Kibana does not show its connectors to this login", fix)
        return
    for connector in ids:
        found = space.named(connector)
        ours = [one for one in found if one.preconfigured]
        if ours:
            yield from _of_preconfigured(space, ours[0])
        elif found:
            yield _own(space, found[0], connector in must)
        elif connector in must:
            yield _missing(space, connector)
        for one in found:
            yield from _of_any(space, one)


def _of_preconfigured(space: Space, ours: Listed) -> Iterator[Remark]:
    for other in space.connectors or ():
        if other.preconfigured or (other.id != ours.id and other.name.casefold() != ours.name.casefold()):
            continue
        same = "id" if other.id == ours.id else f"name ({said(ours.name)})"
        yield Remark(
            "shadowed",
            space.id,
            ours.id,
            f"a connector that somebody saved in this space has the same {same}",
            "Delete or rename the saved one (Stack Management > Connectors, there): nobody can tell them apart.",
        )


def _own(space: Space, found: Listed, wanted: bool) -> Remark:
    return Remark(
        "not-preconfigured",
        space.id,
        found.id,
        "it is a connector that somebody saved in this space, not one of kibana.yml",
        "Delete it here, add it to kibana.yml of every Kibana, and restart them."
        if wanted
        else "Write it into kibana.yml if every space shall have it (llm-bundle connectors render).",
    )


def _missing(space: Space, connector: str) -> Remark:
    return Remark(
        "missing",
        space.id,
        connector,
        "this space does not have it",
        "Add it to kibana.yml of EVERY Kibana behind this address and restart each; one with an old file is enough.",
    )


def _of_any(space: Space, one: Listed) -> Iterator[Remark]:
    if one.missing_secrets:
        fix = "Edit the saved connector and give its secrets again (they are lost by an import)."
        yield Remark("missing-secrets", space.id, one.id, "its secrets are missing", fix)
    if one.deprecated:
        fix = "Write it anew in the current form: llm-bundle connectors render."
        yield Remark("deprecated", space.id, one.id, "Kibana calls it deprecated", fix)


def _listed(row: dict[str, Any]) -> Listed:
    return Listed(
        id=_text(row, "id"),
        name=_text(row, "name"),
        type=_text(row, "connector_type_id"),
        preconfigured=row.get("is_preconfigured") is True,
        missing_secrets=row.get("is_missing_secrets") is True,
        deprecated=row.get("is_deprecated") is True,
        type_deprecated=row.get("is_connector_type_deprecated") is True,
    )


def _named(row: dict[str, Any]) -> tuple[str, str]:
    space = _text(row, "id")
    try:
        return check_space(space), said(_text(row, "name") or space)
    except UsageError as error:
        text = f"expected the ids of spaces, found {said(space)[:80]!r}"
        raise UnreachableError(text, hint="Is this really a Kibana?") from error


def _rows(found: Any, what: str) -> list[dict[str, Any]]:
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise UnreachableError(f"expected a list of {what}, found something else", hint="Is this really a Kibana?")
    return found


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""
