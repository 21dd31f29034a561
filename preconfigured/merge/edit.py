"""Text of a kibana.yml → text with connectors in it, or without them. No I/O.

Rules: what is not ours stays the same byte for byte, which is proved on each result. Applied twice, the second time
changes nothing. What was changed by hand between our markers is not overwritten unless asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from preconfigured.connectors import Connector, Note
from preconfigured.errors import KibanaYmlError
from preconfigured.foreign import foreign
from preconfigured.merge.blocks import Block, cut, find
from preconfigured.merge.compare import node_value
from preconfigured.merge.containers import Text
from preconfigured.merge.index import Place
from preconfigured.merge.insert import delete, insert
from preconfigured.merge.plan import Plan, conflicts, plan
from preconfigured.merge.proof import inside, parse, parse_changed, prove_put, prove_same
from preconfigured.merge.source import check_characters
from preconfigured.merge.tree import line_of
from preconfigured.merge.wishes import CONNECTORS, OVERRIDES, Wish, wishes
from preconfigured.secret_sources import SecretsMode
from preconfigured.settings import DEFAULT_KEY, Settings
from preconfigured.version import StackVersion
from preconfigured.yaml_text import Items


@dataclass(frozen=True, slots=True)
class Edited:
    """A kibana.yml after a change, and what the user should know about it."""

    text: str = field(repr=False)
    notes: tuple[Note, ...]
    changed: bool


def apply(
    text: str,
    connectors: Sequence[Connector],
    settings: Settings,
    stack: StackVersion,
    *,
    secrets: SecretsMode = "keystore",
    replace: bool = False,
    force: bool = False,
    where: str = "kibana.yml",
) -> Edited:
    """Put connectors and the settings around them into the text of a kibana.yml, or bring them up to date in it.

    ``replace`` lets them take the place of connectors and values that somebody else wrote; ``force`` overwrites what
    was changed by hand between our markers. ``where`` is the file's name in messages.

    Raises:
        KibanaYmlError: the text cannot be read, or changed without risk; with the line.
        ConnectorError: a connector or a setting that cannot be written.
    """
    wished = wishes(connectors, settings, stack, secrets)
    before = read(text, where)
    _refuse_foreign(before)
    names = {wish.name for wish in wished.wishes}
    ours = [block for block in find(text, before.document, where) if block.name in names]
    _refuse_edited(before, ours, force=force)
    base_text, stood = cut(text, ours)
    base = parse_changed(base_text, where) if ours else before
    if replace:
        base, stood = _cleared(base, wished.wishes, stood)
    plans = [plan(base, wish, _earlier(before, wish, ours)) for wish in wished.wishes]
    result = _proved(base, plans, (insert(base, plans, where_they_stood, ours) for where_they_stood in (stood, {})))
    notes = (*wished.notes, *(note for one in plans for note in one.notes))
    return Edited(result, notes, changed=result != text)


def remove(text: str, connector_id: str, *, force: bool = False, where: str = "kibana.yml") -> Edited:
    """Take one of our connectors out of the text of a kibana.yml; with the last one, the settings around them too.

    Raises:
        KibanaYmlError: there is no such connector of ours, or it was changed by hand; with the line.
    """
    before = read(text, where)
    blocks = find(text, before.document, where)
    if connector_id not in {block.name for block in blocks if block.is_connector}:
        raise _not_ours(before, connector_id, [block.name for block in blocks if block.is_connector])
    last = not any(block.is_connector and block.name != connector_id for block in blocks)
    gone = [
        block
        for block in blocks
        if block.name == connector_id or (last and not block.is_connector) or _default(before, block, connector_id)
    ]
    _refuse_edited(before, gone, force=force)
    result, _ = cut(text, gone)
    prove_same(before, parse_changed(result, where), inside(gone), inside(()))
    place = ".".join((*CONNECTORS, connector_id))
    note = f"take its secrets out of every keystore too ({place}.secrets.…), or Kibana does not start"
    return Edited(result, (Note(place, note),), changed=True)


def read(text: str, where: str) -> Text:
    """Read the text of a kibana.yml. Raises: KibanaYmlError, with the line."""
    check_characters(text, where)
    return parse(text, where)


def connectors_of_ours(text: str, where: str = "kibana.yml") -> tuple[str, ...]:
    """The ids of the connectors that llm-bundle wrote into a text. Raises: KibanaYmlError."""
    return tuple(block.name for block in find(text, read(text, where).document, where) if block.is_connector)


def _proved(base: Text, plans: Sequence[Plan], results: Iterator[str]) -> str:
    """The first result that stands the proof: blocks where they stood, or else where new ones would be put."""
    result = next(results)
    try:
        prove_put(base, result, plans)
    except KibanaYmlError:
        other = next(results)
        if other == result:
            raise
        prove_put(base, other, plans)
        return other
    return result


def _refuse_foreign(before: Text) -> None:
    entries = before.document.top.entries if before.document.top else ()
    found = foreign([entry.key.text for entry in entries])
    if found is not None:
        at = next(entry.key.start for entry in entries if entry.key.text == found.key)
        raise before.refuse(at, f"expected a kibana.yml, found {found.what}", found.fix)


def _refuse_edited(before: Text, blocks: Iterable[Block], *, force: bool) -> None:
    edited = next((block for block in blocks if block.edited), None)
    if edited and not force:
        message = f"what llm-bundle wrote here for {edited.name} was changed by hand"
        hint = "Take the change over into connectors.yml or bundle.yml; then --force overwrites what stands here."
        raise before.refuse(edited.start, message, hint)


def _cleared(base: Text, wished: Iterable[Wish], stood: dict[str, int]) -> tuple[Text, dict[str, int]]:
    found = [place for wish in wished for place in conflicts(base, wish)]
    if not found:
        return base, stood
    text, moved = delete(base, found, stood)
    result = parse_changed(text, base.where)
    spans = [(place.entry.key.start, place.entry.value.end) for place in found]
    prove_same(base, result, lambda offset: any(start <= offset <= end for start, end in spans), inside(()))
    return result, moved


def _earlier(before: Text, wish: Wish, ours: Iterable[Block]) -> Items:
    """The items of a list that our block of a wish has in the text as it is."""
    own = inside(block for block in ours if block.name == wish.name)
    found = [p for p in before.places if p.path == wish.path and p.entry.value.kind == "sequence"]
    values = [node_value(item) for place in found for item in place.entry.value.items if own(item.start)]
    return Items(tuple(value for value in values if isinstance(value, (str, tuple))))


def _default(before: Text, block: Block, connector_id: str) -> bool:
    """Whether a block is the one that makes this connector the default one."""
    path = (*OVERRIDES.split("."), DEFAULT_KEY)
    own = inside([block])

    def names_it(place: Place) -> bool:
        return place.path == path and own(place.entry.key.start) and place.entry.value.text == connector_id

    return block.name == OVERRIDES and any(map(names_it, before.places))


def _not_ours(before: Text, connector_id: str, ours: list[str]) -> KibanaYmlError:
    path = (*CONNECTORS, connector_id)
    there = next((place for place in before.places if place.path[: len(path)] == path), None)
    if there is not None:
        line = line_of(before.text, there.entry.key.start)
        message = f"{before.where}:{line}: the connector {connector_id!r} was not written by llm-bundle"
        return KibanaYmlError(message, hint="Remove it by hand.")
    known = f"Those of llm-bundle in it: {', '.join(ours)}." if ours else "There are none of llm-bundle in it."
    return KibanaYmlError(f"{before.where}: no connector {connector_id[:80]!r}", hint=known)
