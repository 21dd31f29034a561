"""Rules about the text itself: what YAML refuses, and what Kibana's readers take otherwise than people do."""

from __future__ import annotations

from collections.abc import Iterator

from preconfigured.check.case import Case
from preconfigured.check.finding import Level
from preconfigured.check.rules.rule import Hit, Rule, rule
from preconfigured.check.shown import key_text, path_text
from preconfigured.check.tree import Mapping, Node, Sequence
from preconfigured.check.view import MOST_SETTINGS, split
from preconfigured.foreign import foreign

_NO_START = "Kibana cannot read the file and does not start"
_MOST_DUPLICATES = 200


def _of_faults(id_: str, level: Level, about: str, message: str, fix: str) -> Rule:
    """A rule that passes on the faults of that name which reading the text has found."""

    def run(case: Case) -> Iterator[Hit]:
        for fault in case.document.faults:
            if fault.rule == id_:
                yield Hit(fault.line, fault.column, "", fault.detail, message, fix)

    return Rule(id_, level, about, run)


_FAULTS = (
    _of_faults(
        "yaml-syntax",
        "error",
        "The file is not YAML.",
        f"{_NO_START}. Nothing else in the file could be checked.",
        "Check indentation, quotes and brackets in this line and the one before, then check the file again.",
    ),
    _of_faults(
        "yaml-tab",
        "error",
        "A line is indented with a tab.",
        f"YAML allows only spaces there. {_NO_START}.",
        "Replace the tab by spaces, as many as in the lines of the same level.",
    ),
    _of_faults(
        "yaml-character",
        "error",
        "A character that may not stand in YAML.",
        f"{_NO_START}. Nothing else in the file could be checked.",
        "Remove it; an editor that shows invisible characters helps. The file must be UTF-8.",
    ),
    _of_faults(
        "yaml-documents",
        "error",
        "More than one YAML document in the file.",
        f"{_NO_START}. What follows was not checked.",
        "Remove the line with --- and keep one document.",
    ),
    _of_faults(
        "yaml-too-large",
        "error",
        "More than this check reads.",
        "A kibana.yml is never that large; nothing of it was checked.",
        "Check whether this is the right file; aliases (*) that name each other may be the reason.",
    ),
    _of_faults(
        "yaml-alias",
        "error",
        "An alias that names nothing, or itself.",
        f"{_NO_START}.",
        "Set the anchor (&) before the alias, or write the value where it is used.",
    ),
    _of_faults(
        "yaml-tag",
        "warning",
        "A YAML tag that Kibana does not know.",
        "Some versions of Kibana refuse the file for it, the others take the value for text.",
        "Remove the tag, or put the whole value in quotes if the ! belongs to it.",
    ),
    _of_faults(
        "yaml-merge",
        "warning",
        "A merge key (<<).",
        "Only some versions of Kibana carry out merges; the others take << for a setting that does not exist.",
        "Write the settings where they are used.",
    ),
    _of_faults(
        "yaml-key",
        "error",
        "A key that is a list or a mapping.",
        "No setting has such a name; Kibana does not start, or does not see what stands here.",
        "Write a name; put curly brackets in quotes if they belong to it.",
    ),
)


@rule("not-a-mapping", "error", "The file holds no settings but a list or a text.")
def not_a_mapping(case: Case) -> Iterator[Hit]:
    """kibana.yml is a mapping, or empty."""
    root = case.document.root
    if root is None or isinstance(root, Mapping) or getattr(root, "kind", "") == "null":
        return
    found = "a list" if isinstance(root, Sequence) else "a text"
    fix = "Write settings as NAME: VALUE; look for a line without its colon."
    yield Hit(root.line, root.column, "", found, "Kibana finds no settings in the file and does not start.", fix)


@rule("too-many-settings", "error", "Aliases multiply into more settings than this check follows.")
def too_many_settings(case: Case) -> Iterator[Hit]:
    """What was not looked at is said."""
    if not case.view.whole:
        found = f"more than {MOST_SETTINGS:,} settings, or one that lies too deep"
        message = "The rest was not checked, and Kibana may need all its memory for it."
        yield Hit(1, 1, "", found, message, "Write out the aliases (*) that contain other aliases.")


@rule("duplicate-key", "error", "A key stands twice in one mapping.")
def duplicate_key(case: Case) -> Iterator[Hit]:
    """Of two equal keys, YAML readers silently take the last."""
    hits = _duplicates(case.document.root, (), set())
    yield from (found for found, _ in zip(hits, range(_MOST_DUPLICATES), strict=False))


def _duplicates(node: Node | None, path: tuple[str, ...], seen: set[int]) -> Iterator[Hit]:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from _duplicates(item, (*path[:-1], f"{path[-1] if path else ''}[{index}]"), seen)
    elif isinstance(node, Mapping):
        first: dict[str, int] = {}
        for entry in node.entries:
            at = path + split(entry.key)
            if entry.key in first:
                yield _duplicate(entry.key, at, entry.line, entry.column, first[entry.key])
            first.setdefault(entry.key, entry.line)
            yield from _duplicates(entry.value, at, seen)


def _duplicate(key: str, path: tuple[str, ...], line: int, column: int, first: int) -> Hit:
    shown = path_text(path)
    name = shown.rsplit(".", 1)[-1] if "secrets" in path else key_text(key)
    message = f"It stands in line {first} already. Kibana refuses the file, or silently takes the last of the two."
    return Hit(line, column, shown, f"{name} for the second time", message, "Keep one of the two.")


@rule("not-a-kibana-yml", "error", "Another file that holds one, or settings for one.")
def not_a_kibana_yml(case: Case) -> Iterator[Hit]:
    """A Compose file, a Kubernetes resource, values of a Helm chart."""
    root = case.document.root
    entries = root.entries if isinstance(root, Mapping) else ()
    found = foreign([entry.key for entry in entries])
    if found is not None:
        at = next(entry for entry in entries if entry.key == found.key)
        message = f"This is {found.what}, no kibana.yml: what stands inside of it was not checked."
        yield Hit(at.line, at.column, found.key, found.what, message, found.fix)


RULES = (*_FAULTS, not_a_mapping, not_a_kibana_yml, too_many_settings, duplicate_key)
