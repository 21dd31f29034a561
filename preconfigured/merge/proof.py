"""The proof that a change of a kibana.yml changes nothing else, done on the changed text before it is used.

Rules: the text is read anew; every other setting must have the same value, in the same order; ours must hold, as
Kibana reads the file; and without our blocks the text must be the one before, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from preconfigured.errors import KibanaYmlError
from preconfigured.merge import tree
from preconfigured.merge.blocks import Block, cut, find
from preconfigured.merge.compare import holds, holds_all
from preconfigured.merge.containers import Text
from preconfigured.merge.index import effective, leaves, lookup, places
from preconfigured.merge.plan import Plan
from preconfigured.merge.tree import Node
from preconfigured.yaml_text import Items


def parse(text: str, where: str) -> Text:
    """Read a text. Raises: KibanaYmlError, with the line."""
    document = tree.read(text, where)
    return Text(where, text, document, places(document))


def parse_changed(text: str, where: str) -> Text:
    """Read a text that was made here.

    Raises:
        KibanaYmlError: it is no kibana.yml any more.
    """
    try:
        return parse(text, where)
    except KibanaYmlError as error:
        raise _refused(where, f"it would not be YAML any more ({error.message})") from error


def inside(blocks: Iterable[Block]) -> Callable[[int], bool]:
    """Whether an offset lies in one of the blocks."""
    spans = [(block.start, block.end) for block in blocks]
    return lambda offset: any(start <= offset < end for start, end in spans)


def prove_put(base: Text, text: str, plans: Sequence[Plan]) -> None:
    """Prove that ``text`` is ``base`` with the plans carried out, and nothing else.

    Raises:
        KibanaYmlError: it is not; nothing may be written then.
    """
    changed = parse_changed(text, base.where)
    names = {plan.wish.name for plan in plans if plan.into}
    ours = [block for block in find(text, changed.document, base.where) if block.name in names]
    if cut(text, ours)[0] != base.text:
        raise _refused(base.where, "it could not be taken out again without a trace")
    prove_same(base, changed, inside(()), inside(ours))
    found = effective(changed.document)
    for path, wanted in (pair for plan in plans for pair in plan.proof):
        there = lookup(found, path)
        partly = isinstance(wanted, Items) and isinstance(there, Node) and holds_all(there, wanted)
        if not partly and not holds(there, wanted):
            raise _refused(base.where, f"{'.'.join(path)} would not have the value wanted, because of another setting")


def prove_same(
    before: Text, changed: Text, skip_before: Callable[[int], bool], skip_after: Callable[[int], bool]
) -> None:
    """Prove that all settings but the skipped ones are the same in both texts.

    Raises:
        KibanaYmlError: one is not.
    """
    old, new = leaves(before.document, skip_before), leaves(changed.document, skip_after)
    if old != new:
        path = next((one[0] for one, other in zip(old, new, strict=False) if one != other), ())
        raise _refused(before.where, f"another setting would change{f' ({chr(46).join(path)})' if path else ''}")


def _refused(where: str, why: str) -> KibanaYmlError:
    return KibanaYmlError(
        f"{where}: not changed: {why}",
        hint="End the file with a line break and write the settings near ours as plain blocks; or add ours by hand.",
    )
