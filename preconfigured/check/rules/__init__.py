"""The rules of the check, by id. Adding a rule is adding a function to one of the files here, and to its RULES."""

from __future__ import annotations

from preconfigured.check.rules import consistency, hosts, ids, keys, secrets, types, urls, yaml_shape
from preconfigured.check.rules.rule import Rule

_FILES = (yaml_shape, keys, types, ids, urls, secrets, hosts, consistency)
RULES: dict[str, Rule] = {one.id: one for file in _FILES for one in file.RULES}

__all__ = ["RULES", "Rule"]
