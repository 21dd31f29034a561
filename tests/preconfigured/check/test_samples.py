"""Every rule finds its defect in the bad samples, at its line and its level, and nothing in the good ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from preconfigured.check import RULES
from tests.preconfigured.check.samples import FOLDER, expected, found, rule_of, run

SAMPLES = sorted(FOLDER.glob("*.yml"))
BAD = [path for path in SAMPLES if "-bad" in path.stem]
GOOD = [path for path in SAMPLES if "-good" in path.stem]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_exactly_what_the_sample_says_is_found(path: Path) -> None:
    assert found(run(path)) == expected(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_sample_shows_the_defect_of_its_name(path: Path) -> None:
    findings = [finding for finding in run(path) if finding.rule == rule_of(path)]
    assert findings
    for finding in findings:
        assert finding.message.endswith(".")
        assert finding.fix
        assert finding.column >= 1


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_sample_shows_nothing(path: Path) -> None:
    assert list(run(path)) == []


def test_every_rule_has_its_samples() -> None:
    assert {rule_of(path) for path in BAD} == set(RULES)
    assert {rule_of(path) for path in GOOD} == set(RULES)


def test_no_sample_shows_its_secret() -> None:
    for path in BAD:
        for finding in run(path):
            assert "sesame" not in repr(finding), path.name
