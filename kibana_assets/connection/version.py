"""Which version a server of the stack says that it is: Elasticsearch and Kibana tell it in the same form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

OLDEST: Final = (8, 19)
"""The oldest stack that assets are installed into."""
NOT_HERE: Final = (400, 404, 405)
"""Statuses by which another server answers the question for the version."""
_VERSION: Final = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:-[0-9A-Za-z.]{1,32})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Told:
    """``number`` is empty where none was told; ``old`` for one below OLDEST."""

    number: str
    serverless: bool
    old: bool


def told_version(document: Any) -> Told:
    """What ``{"version": {"number": …, "build_flavor": …}}`` says; anything else says nothing."""
    version = document.get("version") if isinstance(document, dict) else None
    about = version if isinstance(version, dict) else {}
    found = _VERSION.fullmatch(str(about.get("number", "")))
    old = found is not None and (int(found[1]), int(found[2])) < OLDEST
    return Told(found[0] if found else "", about.get("build_flavor") == "serverless", old)
