"""A unified diff of a kibana.yml that may be shown and logged.

Rules: the values of secrets, which may stand in the lines around a change, are masked; nothing else is.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

# Also where it is commented out; what comes from the environment is no secret here.
_SECRET = re.compile(
    r"([A-Za-z_]*(?:passw|passphrase|secret|token|api_?key|access_?key|private_?key|encryptionkey|credential|certdata"
    r"|certificatedata|cadata|authorization)[A-Za-z_]*[\"']?[ \t]*:[ \t]+)(?![\"']?\$\{)\S.*$",
    re.IGNORECASE,
)
# A line of base64, as in a key that goes over several lines.
_KEY_LINE = re.compile(r"^([ +-][ \t]*)[\"']?[A-Za-z0-9+/=]{40,}[\"']?$")
MASK = "********"


def unified(old: str, new: str, name: str) -> str:
    """The diff between two texts; empty where they are the same."""
    before, after = (text.replace("\r\n", "\n").split("\n") for text in (old, new))
    return "".join(f"{_masked(line)}\n" for line in _diff(before, after, name))


def _diff(before: list[str], after: list[str], name: str) -> Iterator[str]:
    # A text that ends in a line break has an empty last part, which is no line.
    ends = before[-1] == "" and after[-1] == ""
    if ends:
        before, after = before[:-1], after[:-1]
    yield from difflib.unified_diff(before, after, name, f"{name} (new)", lineterm="")


def _masked(line: str) -> str:
    if line.startswith(("---", "+++", "@@")):
        return line
    return _KEY_LINE.sub(rf"\1{MASK}", _SECRET.sub(rf"\1{MASK}", line))
