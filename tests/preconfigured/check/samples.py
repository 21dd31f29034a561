"""The sample files: what each says of its site, and what it says is to be found in it.

A comment ``# <- rule, rule=level`` at the end of a line names what is to be found in that line; ``# stack:``,
``# keystore:``, ``# private:``, ``# tools:`` and ``# on-host`` at the top say what is known beside the file.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from preconfigured import StackVersion
from preconfigured.check import RULES, Findings, check

FOLDER = Path(__file__).parents[2] / "data" / "kibana-yml"
_MARK = re.compile(r"# <- ([a-z0-9-]+(?:=[a-z]+)?(?:, [a-z0-9-]+(?:=[a-z]+)?)*)$")
Expected = Counter[tuple[int, str, str]]


def rule_of(path: Path) -> str:
    """The rule that a sample is about: its name up to ``-bad`` or ``-good``."""
    return re.split(r"-(?:bad|good)", path.stem)[0]


def expected(text: str) -> Expected:
    """Line, rule and level of everything that a sample says is to be found."""
    wanted: Expected = Counter()
    for number, line in enumerate(text.split("\n"), 1):
        match = _MARK.search(line)
        for word in match[1].split(", ") if match else ():
            name, _, level = word.partition("=")
            wanted[number, name, level or RULES[name].level] += 1
    return wanted


def found(findings: Findings) -> Expected:
    """The same of what was found."""
    return Counter((finding.line, finding.rule, finding.level) for finding in findings)


def run(path: Path) -> Findings:
    """Check a sample with what it says of its site."""
    text = path.read_text(encoding="utf-8")
    known = {name: values.split() for name, values in re.findall(r"^# ([a-z]+):(.*)$", text, re.MULTILINE)}
    return check(
        path,
        stack=StackVersion.parse(known["stack"][0]),
        keystore=known.get("keystore"),
        private_hosts=known.get("private", ()),
        tool_calling=known.get("tools", ()),
        on_host="# on-host\n" in text,
    )
