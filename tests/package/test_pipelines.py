"""Every pipeline test of the package, on real nodes of both versions."""

from __future__ import annotations

import difflib

import pytest

from kibana_assets.package.streams import streams
from kibana_assets.package.tree import load
from tests.counterparts.elasticsearch import Node
from tests.package.case import Case, cases
from tests.package.simulate import results, text, without_dynamic

CASES = [case for stream in streams(load()) for case in cases(stream)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.stream.name}-{case.path.name}")
def test_what_a_pipeline_makes(case: Case, node: Node) -> None:
    found = text(without_dynamic(case, results(node, case)))
    expected = text(without_dynamic(case, case.expected()))
    different = difflib.unified_diff(expected.splitlines(), found.splitlines(), "expected", "found", lineterm="", n=4)
    assert found == expected, "\n".join(list(different)[:200]) + "\nif this is right: make pipeline-tests UPDATE=1"
