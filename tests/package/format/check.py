"""All rules over a package."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kibana_assets.errors import PackageError
from kibana_assets.package.tree import Tree
from tests.package.format import field_rules, kibana_rules, manifest_rules, pipeline_rules, schema_rules, stream_rules
from tests.package.format.finding import Finding

Rule = Callable[[Tree], Iterator[Finding]]
RULES: tuple[Rule, ...] = (
    *schema_rules.RULES,
    *manifest_rules.RULES,
    *stream_rules.RULES,
    *field_rules.RULES,
    *pipeline_rules.RULES,
    *kibana_rules.RULES,
)


def check(tree: Tree) -> list[Finding]:
    """What is wrong; what cannot be read at all is found by the rule that reads it."""
    return [finding for rule in RULES for finding in _followed(rule, tree)]


def _followed(rule: Rule, tree: Tree) -> Iterator[Finding]:
    try:
        yield from rule(tree)
    except PackageError as error:
        yield Finding(rule.__name__, error.message, error.hint or "what can be read")
