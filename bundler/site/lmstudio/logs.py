"""The last lines of LM Studio's own server log, without what people asked it.

Rules: LM Studio writes prompts and answers into its log unless told not to. So only first lines of events are shown,
``[date time][LEVEL][TAG]* text``, cut where a body begins; everything else may be somebody's text.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from bundler.disk import guarded
from bundler.errors import MachineError
from bundler.site.engines.words import clean

_EVENT: Final = re.compile(r"\[\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{3})?\]")
_BODY: Final = re.compile(r"[{\"]|with body|invalid JSON:|tool calls:|Generated prediction:")
_LARGEST: Final = 1 << 20
_LONGEST: Final = 300
_FILES: Final = 10_000


def last_events(home: Path, tail: int) -> str:
    """At most ``tail`` lines of the newest file below ``server-logs``; empty where there is none."""
    newest = _newest(home / "server-logs")
    if newest is None:
        return ""
    try:
        lines = _end(newest).decode("utf-8", "replace").splitlines()
    except MachineError as error:
        return error.message
    events = [clean(_BODY.split(line[:_LONGEST], maxsplit=1)[0]) for line in lines if _EVENT.match(line)]
    return "".join(f"{event}\n" for event in events[-tail:]) if tail > 0 else ""


def _newest(folder: Path) -> Path | None:
    """``YYYY-MM/YYYY-MM-DD.N.log``: the last day, and of it the highest number."""
    try:
        found = [path for path, _ in zip(folder.glob("*/*.log"), range(_FILES), strict=False)]
    except OSError:
        return None
    return max(found, key=_order, default=None)


def _order(path: Path) -> tuple[str, int]:
    day, _, number = path.stem.partition(".")
    return day, int(number) if number.isdecimal() and len(number) < 10 else 0


def _end(path: Path) -> bytes:
    with guarded(path, "read"), os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(size - _LARGEST, 0))
        return file.read(_LARGEST)
