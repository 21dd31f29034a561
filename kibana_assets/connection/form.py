"""The form that a server's answer must have where something of ours reads it: said once, beside the request.

Rules: a form names what is read and nothing more, for servers add keys in each version. It is a type; an object as
``{"key": form}``, where ``"key?"`` may be missing or null; a list as ``[form]``; or one of the classes below. Keys that
a server chose (Each) are names, as are all texts that go into a path or onto a screen: short and printable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from kibana_assets.errors import UnreachableError

Form = Any
_WORDS: Final = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    type(None): "null",
}
_HINT: Final = "Is it Elasticsearch and Kibana that answer there, 8.19 or newer, without a proxy that changes answers?"


@dataclass(frozen=True, slots=True)
class Text:
    """A text that may be printed, on one line, of so many characters; with ``pattern`` one that fits it."""

    most: int = 255
    least: int = 1
    pattern: re.Pattern[str] | None = None
    words: str = "a short text"


@dataclass(frozen=True, slots=True)
class Each:
    """An object whose keys are names, and whose values are all of one form."""

    form: Form


@dataclass(frozen=True, slots=True)
class Some:
    """A list with ``least`` parts or more, all of one form."""

    form: Form
    least: int = 1


@dataclass(frozen=True, slots=True)
class Maybe:
    """Of this form, or null."""

    form: Form


NAME: Final = Text()
"""Of an asset, an index, a version."""


def check(value: Any, form: Form, place: str) -> None:
    """See that ``value`` is of ``form``; ``place`` is safe to print. Raises: UnreachableError."""
    fault = _fault(value, form, "")
    if fault:
        raise UnreachableError(f"{place}: an answer of another form: {fault}", hint=_HINT)


def fits(value: Any, form: Form) -> bool:
    """Whether ``value`` is of ``form``."""
    return not _fault(value, form, "")


def _fault(value: Any, form: Form, where: str) -> str:
    """What is wrong, and where; nothing if all is well."""
    if isinstance(form, Maybe):
        return "" if value is None else _fault(value, form.form, where)
    if isinstance(form, Text):
        return "" if _is_text(value, form) else _said(where, form.words, value)
    if isinstance(form, (dict, Each)):
        if not isinstance(value, dict):
            return _said(where, _WORDS[dict], value)
        return _in_keys(value, form, where) if isinstance(form, dict) else _in_each(value, form, where)
    if isinstance(form, (list, Some)):
        return _in_list(value, form if isinstance(form, Some) else Some(form[0], 0), where)
    right = isinstance(value, form) and not (form is int and isinstance(value, bool))
    return "" if right else _said(where, _WORDS[form], value)


def _is_text(value: Any, form: Text) -> bool:
    if not isinstance(value, str) or not form.least <= len(value) <= form.most or not value.isprintable():
        return False
    return form.pattern is None or form.pattern.fullmatch(value) is not None


def _in_keys(value: dict[str, Any], form: dict[str, Form], where: str) -> str:
    for key, inner in form.items():
        name = key.removesuffix("?")
        if name != key and value.get(name) is None:
            continue
        if name not in value:
            return f"{f'{where}.{name}'.lstrip('.')}: is missing"
        if fault := _fault(value[name], inner, f"{where}.{name}"):
            return fault
    return ""


def _in_each(value: dict[str, Any], form: Each, where: str) -> str:
    for name, inner in value.items():
        if not _is_text(name, NAME):
            return f"{where.lstrip('.') or 'the answer'}: a key that is no name"
        if fault := _fault(inner, form.form, f"{where}.{name}"):
            return fault
    return ""


def _in_list(value: Any, form: Some, where: str) -> str:
    if not isinstance(value, list):
        return _said(where, _WORDS[list], value)
    if len(value) < form.least:
        return f"{where.lstrip('.') or 'the answer'}: expected {form.least} or more, found {len(value)}"
    faults = (_fault(one, form.form, f"{where}[{place}]") for place, one in enumerate(value))
    return next((fault for fault in faults if fault), "")


def _said(where: str, expected: str, value: Any) -> str:
    found = _WORDS.get(type(value), "something else")
    found = "another one" if found == expected or (isinstance(value, str) and "text" in expected) else found
    return f"{where.lstrip('.') or 'the answer'}: expected {expected}, found {found}"
