"""What Kibana makes of a kibana.yml, told without the code under test: ruamel's values, flattened as Kibana does it."""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML


def view(text: str) -> dict[str, Any]:
    """Dotted name → value, of a text that has no name twice; lists and empty mappings are values."""
    loaded = YAML(typ="safe", pure=True).load(io.StringIO(text.removeprefix("\ufeff")))
    found: dict[str, Any] = {}
    _flatten(loaded or {}, "", found)
    return found


def _flatten(node: dict[Any, Any], above: str, found: dict[str, Any]) -> None:
    for key, value in node.items():
        name = f"{above}.{key}" if above else str(key)
        if isinstance(value, dict) and value:
            _flatten(value, name, found)
        else:
            assert name not in found, f"{name} stands twice"
            found[name] = value
