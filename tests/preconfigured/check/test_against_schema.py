"""The check's own reading of the schemas agrees with jsonschema's, where Kibana takes values as JSON schema does."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preconfigured import schema
from preconfigured.check.against import problems
from preconfigured.check.tree import read_tree
from preconfigured.check.view import Setting, view_of
from tests.preconfigured.wishes import stack

VERSIONS = ("8.16.0", "8.18.0", "9.1.0", "9.2.0", "9.3.0")
# Texts of digits are left out: Kibana takes them for numbers, JSON schema does not.
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "x", "full", "Other", "openai"]), st.just({}),
    st.just([]), st.dictionaries(st.sampled_from(["A", "b-c"]), st.sampled_from(["x", 1, None]), max_size=2),
)  # fmt: skip


def setting(value: Any) -> Setting:
    found = view_of(read_tree(json.dumps({"part": value})).root).root.get("part")
    assert found is not None
    return found


@pytest.mark.parametrize("name", schema.NAMES)
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_both_agree_on_config(name: str, data: st.DataObject) -> None:
    rules = schema.raw(name)["properties"]["config"]
    config = data.draw(st.dictionaries(st.sampled_from([*rules["properties"], "nosuch"]), VALUES, max_size=6))
    version = stack(data.draw(st.sampled_from(VERSIONS)))
    ours = {problem.name for problem in problems(setting(config), rules, version, lenient=False)}
    theirs = schema.json_schema(name, version)["properties"]["config"]
    assert (ours == set()) == jsonschema.Draft202012Validator(theirs).is_valid(config), (ours, config)


@settings(max_examples=120, deadline=None)
@given(config=st.dictionaries(st.sampled_from(["name", "actionTypeId", "exposeConfig", "config", "x"]), VALUES))
def test_both_agree_on_the_keys_beside_config(config: dict[str, Any]) -> None:
    rules = schema.raw(schema.ENVELOPE)
    ours = list(problems(setting(config), rules, stack("9.2.0"), lenient=True))
    theirs = schema.json_schema(schema.ENVELOPE, stack("9.2.0"))
    assert (ours == []) == jsonschema.Draft202012Validator(theirs).is_valid(config), (ours, config)


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("131072", True),
        ('"131072"', True),
        ("1.5", True),
        ("abc", False),
        ("true", False),
        ("${TOKENS}", True),
        ("0x10", True),
        (".inf", False),
        ("", False),
    ],
)
def test_numbers_may_stand_in_quotes(value: str, fits: bool) -> None:
    found = view_of(read_tree(f"part:\n  contextWindowLength: {value}\n").root).root.get("part")
    assert found is not None
    rules = {"type": "object", "properties": {"contextWindowLength": {"type": "number", "exclusiveMinimum": 0}}}
    assert (list(problems(found, rules, stack(), lenient=False)) == []) is fits


@pytest.mark.parametrize("lenient", [True, False])
def test_true_in_quotes_is_true_only_for_kibanas_own_settings(lenient: bool) -> None:
    found = list(problems(setting({"a": "true"}), {"type": "object", "properties": {"a": {"type": "boolean"}}}, stack(),
                          lenient=lenient))  # fmt: skip
    assert [problem.kind for problem in found] == ([] if lenient else ["type"])


def test_the_schema_of_the_settings_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.raw(schema.ACTIONS))
