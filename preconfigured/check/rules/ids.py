"""Rules about the ids of connectors, and other names that Kibana takes apart or refuses."""

from __future__ import annotations

from collections.abc import Iterator

from preconfigured.check.case import PRECONFIGURED, Case
from preconfigured.check.rules.rule import Hit, hit, rule
from preconfigured.check.shown import path_text

_REFUSED = frozenset({"", "__proto__", "constructor"})
_PLACE = ".".join(PRECONFIGURED)


@rule("dotted-id", "error", "An id with dots, which Kibana splits.")
def dotted_id(case: Case) -> Iterator[Hit]:
    """``a.b`` becomes ``b`` inside ``a``."""
    for one in case.connectors:
        if len(one.setting.path) > len(PRECONFIGURED) + 1:
            first = one.setting.path[len(PRECONFIGURED)]
            message = f"Kibana splits keys at dots: it sees a connector {first} without a name, and does not start."
            fix = f"Write {one.id.replace('.', '-')}, also in the keystore's keys."
            yield hit(one.setting, message, fix, found=one.id)


@rule("escaped-id", "warning", "An id with dots in [brackets].")
def escaped_id(case: Case) -> Iterator[Hit]:
    """Newer Kibanas keep its dots, but the keystore cannot name it."""
    for one in case.connectors:
        if one.setting.escaped and "." in one.setting.name:
            message = "No key of the keystore leads to such an id, and older versions of Kibana split it all the same."
            fix = f"Write {one.setting.name.replace('.', '-')}."
            yield hit(one.setting, message, fix, found=f"[{one.setting.name}]")


@rule("refused-id", "error", "An id that Kibana refuses.")
def refused_id(case: Case) -> Iterator[Hit]:
    """The empty one, ``__proto__`` and ``constructor``."""
    for one in case.connectors:
        if set(one.setting.path[len(PRECONFIGURED) :]) & _REFUSED:
            message = "Kibana refuses this id and does not start."
            yield hit(one.setting, message, "Write an id of a-z, 0-9 and '-'.", found=f'"{one.id}"')


@rule("digits-id", "error", "An id of digits alone.")
def digits_id(case: Case) -> Iterator[Hit]:
    """Setting by path makes a list of it."""
    for one in case.connectors:
        if one.id.isdecimal() and one.id.isascii():
            message = f"Kibana takes the number for a place in a list: {_PLACE} becomes a list, and it does not start."
            yield hit(one.setting, message, f"Write an id with a letter, such as llm-{one.id}.", found=f'"{one.id}"')


@rule("dotted-header", "error", "A header with dots in its name, which Kibana splits.")
def dotted_header(case: Case) -> Iterator[Hit]:
    """Inside ``config.headers`` keys are split as everywhere."""
    for one in case.connectors:
        headers = one.setting.get("config", "headers")
        for header in headers.children.values() if headers else ():
            if header.is_section and header.children:
                message = "Kibana splits keys at dots, also in headers: the header becomes a mapping, and is refused."
                fix = "Let the proxy set this header, or use a name without dots."
                yield hit(header, message, fix, found=f"{header.name[:80]}.…")


@rule("forbidden-path", "error", "A setting whose name Kibana forbids.")
def forbidden_path(case: Case) -> Iterator[Hit]:
    """``__proto__`` and ``constructor.prototype`` anywhere."""
    for setting in case.view.root.walk():
        tail = ".".join(setting.path[-2:])
        if setting.path[:3] != PRECONFIGURED and ("__proto__" in setting.name or tail == "constructor.prototype"):
            yield hit(setting, "Kibana refuses to start.", "Remove it.", found=path_text(setting.path))


RULES = (dotted_id, escaped_id, refused_id, digits_id, dotted_header, forbidden_path)
