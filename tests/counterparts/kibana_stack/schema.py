"""Bodies of requests, checked as Kibana's config-schema does it: unknown keys and wrong types are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.counterparts.kibana_stack.route import Refusal

NAMES = {str: "string", bool: "boolean", list: "array", dict: "Object", int: "number"}


def check(body: Any, keys: Mapping[str, type], needed: tuple[str, ...] = (), place: str = "request body") -> None:
    """Raises: Refusal for the first thing that is wrong with ``body``; None counts as left out."""
    if not isinstance(body, dict):
        raise Refusal(400, f"[{place}]: expected a plain object value, but found [{kind(body)}] instead.")
    for name in needed:
        if name not in body:
            raise Refusal(400, f"[{place}.{name}]: expected value of type [{NAMES[keys[name]]}] but got [undefined]")
    for name, value in body.items():
        if name not in keys:
            raise Refusal(400, f"[{place}.{name}]: definition for this key is missing")
        wanted = keys[name]
        if value is not None and (not isinstance(value, wanted) or (wanted is int and isinstance(value, bool))):
            raise Refusal(400, f"[{place}.{name}]: expected value of type [{NAMES[wanted]}] but got [{kind(value)}]")


def kind(value: Any) -> str:
    """JavaScript's word for the type of a value."""
    if value is None:
        return "null"
    return "boolean" if isinstance(value, bool) else NAMES.get(type(value), "number")
