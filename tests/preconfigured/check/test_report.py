"""Findings as JSON, as SARIF 2.1.0 and as lines."""

from __future__ import annotations

import json

import jsonschema
import pytest

from preconfigured import StackVersion
from preconfigured.check import RULES, check, findings_json, lines, sarif
from tests.preconfigured.check.samples import FOLDER, run

# The parts of the SARIF 2.1.0 schema that a log of ours uses, with its own required keys and closed word lists.
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
RULE = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "shortDescription": TEXT,
        "defaultConfiguration": {"type": "object", "properties": {"level": LEVEL}, "additionalProperties": False},
    },
    "additionalProperties": False,
}
REGION = {
    "type": "object",
    "properties": {"startLine": {"type": "integer", "minimum": 1}, "startColumn": {"type": "integer", "minimum": 1}},
    "additionalProperties": False,
}
PHYSICAL = {
    "type": "object",
    "required": ["artifactLocation", "region"],
    "properties": {
        "artifactLocation": {"type": "object", "properties": {"uri": {"type": "string", "pattern": "^[^ ]+$"}}},
        "region": REGION,
    },
    "additionalProperties": False,
}
RESULT = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": TEXT,
        "locations": {"type": "array", "items": {"type": "object", "properties": {"physicalLocation": PHYSICAL}}},
    },
    "additionalProperties": False,
}
DRIVER = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "rules": {"type": "array", "items": RULE, "uniqueItems": True}},
    "additionalProperties": False,
}
RUN = {
    "type": "object",
    "required": ["tool"],
    "properties": {
        "tool": {"type": "object", "required": ["driver"], "properties": {"driver": DRIVER}},
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "results": {"type": "array", "items": RESULT},
    },
    "additionalProperties": False,
}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": RUN},
    },
    "additionalProperties": False,
}


def test_the_keys_of_the_json_are_stable() -> None:
    document = findings_json(run(FOLDER / "fifteen-defects.yml"))
    json.dumps(document)
    assert list(document) == ["findings"]
    for row in document["findings"]:
        assert list(row) == ["rule", "level", "path", "line", "column", "found", "message", "fix"]


@pytest.mark.parametrize("name", ["fifteen-defects", "yaml-syntax-bad", "yaml-syntax-good"])
def test_the_sarif_has_its_shape(name: str) -> None:
    findings = run(FOLDER / f"{name}.yml")
    log = json.loads(json.dumps(sarif(findings)))
    jsonschema.validate(log, SARIF)
    (only,) = log["runs"]
    ids = [rule["id"] for rule in only["tool"]["driver"]["rules"]]
    assert ids == list(RULES)
    assert len(only["results"]) == len(findings)
    for result, finding in zip(only["results"], findings, strict=True):
        assert ids[result["ruleIndex"]] == result["ruleId"] == finding.rule
        assert result["level"] == finding.level
        assert finding.fix in result["message"]["text"]


def test_the_lines_name_place_meaning_and_fix() -> None:
    text = "xpack.actions.responseTimeout: soon\n"
    assert lines(check(text, stack=StackVersion(9, 2))) == [
        'kibana.yml:1:1: error: xpack.actions.responseTimeout: "soon" [bad-format]',
        "    Expected a duration such as 600s or 10m. Kibana does not start.",
        "    fix: Write a duration such as 600s or 10m, without spaces.",
        "kibana.yml: 1 error",
    ]
    assert lines(check("", stack=StackVersion(9, 2))) == ["kibana.yml: nothing found"]
