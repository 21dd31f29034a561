"""Checking a kibana.yml before Kibana ever sees it.

>>> from preconfigured import StackVersion
>>> from preconfigured.check import check
>>> found = check("xpack.actions.preconfigured:\\n  a.b: {name: x, actionTypeId: .index}", stack=StackVersion(9, 2))
>>> [finding.rule for finding in found.errors]
['dotted-id']
"""

from preconfigured.check.finding import Finding, Findings, Level
from preconfigured.check.report import findings_json, lines, sarif
from preconfigured.check.rules import RULES, Rule
from preconfigured.check.run import check

__all__ = ["RULES", "Finding", "Findings", "Level", "Rule", "check", "findings_json", "lines", "sarif"]
