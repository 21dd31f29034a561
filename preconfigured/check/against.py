"""Settings held against a JSON schema of ``preconfigured/schema``: what is unknown, too new, missing or misshapen.

Rules: only the words of JSON schema that those files use are known here. Kibana's own settings take "true" for true
(``lenient``), a connector's config does not; both take numbers in quotes. A text with ``${NAME}`` is known only to
Kibana, so it passes for every text, but never for true or false.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from preconfigured import address
from preconfigured.check.tree import Mapping, Scalar, Sequence
from preconfigured.check.view import Setting, below
from preconfigured.version import Since, StackVersion

ProblemKind = Literal["unknown", "newer", "missing", "type", "value", "format"]
VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}", re.ASCII)
_DURATION = re.compile(r"(?:(?:0|[1-9][0-9]{0,15})(?:ms|[smhdwMyY]))*(?:[0-9]{1,16})?", re.ASCII)
_SIZE = re.compile(r"[1-9][0-9]{0,15}(?:b|kb|mb|gb)?|0", re.ASCII | re.IGNORECASE)
_MOST_ITEMS = 1_000


@dataclass(frozen=True, slots=True)
class Problem:
    """A setting that does not fit; ``schema`` is that of the setting, or for unknown and missing keys of its parent.

    ``name`` is the key in question, ``expected`` completes "expected …".
    """

    kind: ProblemKind
    setting: Setting
    name: str
    schema: dict[str, Any]
    expected: str = ""


def problems(setting: Setting, schema: dict[str, Any], stack: StackVersion, *, lenient: bool) -> Iterator[Problem]:
    """Everything below ``setting`` that does not fit ``schema``."""
    if "object" in _types(schema) and setting.is_section:
        yield from _section(setting, schema, stack, lenient=lenient)
    elif "array" in _types(schema) and isinstance(setting.value, Sequence):
        yield from _items(setting, setting.value, schema, stack, lenient=lenient)
    elif isinstance(setting.value, Scalar):
        yield from _scalar(setting, setting.value, schema, lenient=lenient)
    else:
        yield Problem("type", setting, setting.name, schema, _named(schema))


def number(value: Scalar) -> float | None:
    """The number that a scalar stands for, also in quotes; None where it is none, or too long to be meant."""
    text = value.text.strip()
    if value.kind not in {"integer", "number", "text"} or not re.fullmatch(r"[-+.0-9eExoa-fA-F]{1,40}", text):
        return None
    try:
        return float(int(text, 0)) if text[:2] in {"0x", "0o"} else float(text)
    except ValueError:
        return None


def _section(setting: Setting, schema: dict[str, Any], stack: StackVersion, *, lenient: bool) -> Iterator[Problem]:
    known = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    for name, child in setting.children.items():
        rules = known.get(name, others)
        if rules is False:
            yield Problem("unknown", child, name, schema)
        elif isinstance(rules, dict):
            if not Since.parse(rules.get("x-since", ())).has(stack):
                yield Problem("newer", child, name, rules)
            yield from problems(child, rules, stack, lenient=lenient)
    for name in schema.get("required", ()):
        if name not in setting.children:
            yield Problem("missing", setting, name, schema)


def _items(
    setting: Setting, value: Sequence, schema: dict[str, Any], stack: StackVersion, *, lenient: bool
) -> Iterator[Problem]:
    for index, item in enumerate(value.items[:_MOST_ITEMS]):
        path = (*setting.path[:-1], f"{setting.name}[{index}]")
        if isinstance(item, Mapping) and item.entries:
            at = below(setting, item, index)
        else:
            at = Setting(path, item.line, item.column, value=None if isinstance(item, Mapping) else item)
        yield from problems(at, schema.get("items", {}), stack, lenient=lenient)


def _scalar(setting: Setting, value: Scalar, schema: dict[str, Any], *, lenient: bool) -> Iterator[Problem]:
    if not any(_fits(value, name, schema, lenient=lenient) for name in _types(schema)):
        yield Problem("type", setting, setting.name, schema, _named(schema))
    elif value.kind == "text" and VARIABLE.search(value.text):
        return
    elif "enum" in schema and value.text not in schema["enum"]:
        yield Problem("value", setting, setting.name, schema, f"one of {', '.join(schema['enum'])}")
    elif schema.get("minLength") and not value.text:
        yield Problem("value", setting, setting.name, schema, "a text that is not empty")
    elif "format" in schema and not FORMATS[schema["format"]][0](value.text):
        yield Problem("format", setting, setting.name, schema, FORMATS[schema["format"]][1])
    elif (bounds := _bounds(value, schema)) is not None:
        yield Problem("value", setting, setting.name, schema, bounds)


def _fits(value: Scalar, name: str, schema: dict[str, Any], *, lenient: bool) -> bool:
    if name == "string":
        # A duration or a size may also be a bare number of milliseconds or bytes.
        return value.kind == "text" or (value.kind == "integer" and schema.get("format") in {"duration", "byte-size"})
    if name == "boolean":
        return value.kind == "boolean" or (lenient and value.text.lower() in {"true", "false"})
    if name in {"number", "integer"}:
        return number(value) is not None or (value.kind == "text" and VARIABLE.search(value.text) is not None)
    # Kibana reads a list or a mapping also from a text of JSON.
    start = {"array": "[", "object": "{"}.get(name)
    return lenient and start is not None and value.kind == "text" and value.text.lstrip().startswith((start, "${"))


def _bounds(value: Scalar, schema: dict[str, Any]) -> str | None:
    found = number(value)
    if found is None or _types(schema)[0] not in {"number", "integer"}:
        return None
    least, most = schema.get("minimum"), schema.get("maximum")
    above = schema.get("exclusiveMinimum")
    if least is not None and most is not None and not least <= found <= most:
        return f"a number from {least} to {most}"
    if least is not None and not found >= least:
        return f"a number of at least {least}"
    if above is not None and not found > above:
        return f"a number above {above}"
    return None


def _types(schema: dict[str, Any]) -> list[str]:
    kind = schema.get("type", "string")
    return list(kind) if isinstance(kind, list) else [kind]


def _named(schema: dict[str, Any]) -> str:
    return " or ".join(_NAMES[name] for name in _types(schema))


def _is_host(text: str) -> bool:
    return text == "*" or (address.is_host(text) and "_" not in text)


FORMATS: dict[str, tuple[Callable[[str], bool], str]] = {
    "duration": (lambda text: bool(text) and _DURATION.fullmatch(text) is not None, "a duration such as 600s or 10m"),
    "byte-size": (lambda text: _SIZE.fullmatch(text) is not None, "a size such as 10mb"),
    "hostname": (_is_host, "a host name without scheme, port and path, or *"),
}
_NAMES = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false, without quotes",
    "array": "a list",
    "object": "a mapping",
}
