"""Findings for machines, for CI and for people.

Sources: SARIF 2.1.0, https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from preconfigured.check.finding import Finding, Findings
from preconfigured.check.rules import RULES

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_KEYS = ("rule", "level", "path", "line", "column", "found", "message", "fix")


def findings_json(findings: Findings) -> dict[str, Any]:
    """One object with the key ``findings``: a list of objects with the fields of a finding."""
    return {"findings": [{key: getattr(finding, key) for key in _KEYS} for finding in findings]}


def sarif(findings: Findings) -> dict[str, Any]:
    """A SARIF 2.1.0 log with one run and every rule that there is."""
    ids = list(RULES)
    rules = [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.about},
            "defaultConfiguration": {"level": rule.level},
        }
        for rule in RULES.values()
    ]
    results = [_result(finding, findings.where, ids.index(finding.rule)) for finding in findings]
    driver = {"name": "llm-bundle connectors check", "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def lines(findings: Findings) -> list[str]:
    """The findings for people: ``FILE:LINE:COLUMN: LEVEL: …`` with what it means and the fix below."""
    shown: list[str] = []
    for finding in findings:
        what = ": ".join(part for part in (finding.path, finding.found) if part)
        shown.append(f"{findings.where}:{finding.line}:{finding.column}: {finding.level}: {what} [{finding.rule}]")
        shown.extend((f"    {finding.message}", f"    fix: {finding.fix}"))
    return [*shown, summary(findings)]


def summary(findings: Findings) -> str:
    """One line with the counts."""
    counts = [(len(findings.of(level)), level) for level in ("error", "warning", "note")]
    found = ", ".join(f"{count} {level}{'' if count == 1 else 's'}" for count, level in counts if count)
    return f"{findings.where}: {found or 'nothing found'}"


def _result(finding: Finding, where: str, index: int) -> dict[str, Any]:
    what = ": ".join(part for part in (finding.path, finding.found) if part)
    region = {"startLine": finding.line, "startColumn": finding.column}
    place = {"artifactLocation": {"uri": quote(where)}, "region": region}
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": f"{what}. {finding.message} {finding.fix}"},
        "locations": [{"physicalLocation": place}],
    }
