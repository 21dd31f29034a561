"""audit.log: who did what when, a JSON line for each deed, in names of the Elastic Common Schema.

Rules: a line is written in one call and synced; none is ever changed. No secret and no prompt is in it. A deed that
failed is in it, too. Each says until when the proxy's certificate is good, so that an alert can tell in time. Schema: https://www.elastic.co/docs/reference/ecs.
"""

from __future__ import annotations

import errno
import json
import os
import pwd
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from typing import Any, Final

from bundler.disk import guarded, is_there
from bundler.errors import BundleError
from bundler.site.place import Place
from bundler.site.tls.pair import CERTIFICATE
from bundler.site.tls.place import certificate_end

_LONGEST: Final = 1000


@contextmanager
def audited(place: Place, action: str, details: dict[str, str | None]) -> Iterator[None]:
    """Write a line when what is inside ends, well or not; ``details``, as they are then, are local_llm.*.

    With ``blocked`` among them, why it did nothing, it is no success.

    Raises: MachineError when the line cannot be written.
    """
    began = time.monotonic()
    try:
        yield
    except BaseException as error:
        text = error.message if isinstance(error, BundleError) else "interrupted"
        # A disk that is full now must not hide why it failed.
        with suppress(BundleError):
            _record(place, action, "failure", began, {**details, "error": text})
        raise
    _record(place, action, "failure" if "blocked" in details else "success", began, dict(details))


def _record(place: Place, action: str, outcome: str, began: float, details: dict[str, str | None]) -> None:
    """Append one line; ``began`` by the clock that nobody sets."""
    document = {**_document(action, outcome, began, details), **_certificate(place)}
    line = json.dumps(document, ensure_ascii=False, sort_keys=True) + "\n"
    # Names of files need not be UTF-8; the log must be.
    _append(place, line.encode("utf-8", "replace"))


def _append(place: Place, line: bytes) -> None:
    with guarded(place.audit, "write"):
        descriptor = os.open(place.audit, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
        try:
            size = os.fstat(descriptor).st_size
            # A disk that was full, or a power cut, has left half a line: that one is lost, this one is not.
            torn = size and os.pread(descriptor, 1, size - 1) != b"\n"
            line = b"\n" + line if torn else line
            if os.write(descriptor, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _document(action: str, outcome: str, began: float, details: dict[str, str | None]) -> dict[str, Any]:
    now, seconds = time.time(), time.monotonic() - began
    error = details.pop("error", None)
    document: dict[str, Any] = {
        "@timestamp": _time(now),
        "event": {
            "action": action,
            "category": ["configuration"],
            "dataset": "local_llm.audit",
            "duration": int(seconds * 1e9),
            "end": _time(now),
            "kind": "event",
            "outcome": outcome,
            "start": _time(now - seconds),
            "type": ["change"],
        },
        "host": {"name": socket.gethostname()},
        "local_llm": {key: value[:_LONGEST] for key, value in details.items() if value is not None},
        "message": f"{action}: {outcome}",
        "process": {"pid": os.getpid(), "name": "llm-bundle"},
        "user": _user(),
    }
    if error:
        document["error"] = {"message": error[:_LONGEST]}
    return document


def _certificate(place: Place) -> dict[str, Any]:
    path = place.tls / CERTIFICATE
    # One that is not there, or cannot be read, is said by others; the line is to be written all the same.
    with suppress(BundleError):
        if is_there(path):
            return {"tls": {"server": {"not_after": _time(certificate_end(path))}}}
    return {}


def _user() -> dict[str, Any]:
    """Who asked for it, and as whom it ran where that is another (sudo)."""
    effective = {"id": str(os.geteuid()), "name": _name(os.geteuid())}
    asked = os.environ.get("SUDO_UID", "")
    if not asked.isdecimal() or asked == effective["id"] or os.geteuid() != 0:
        return effective
    return {"id": asked, "name": os.environ.get("SUDO_USER", "")[:100], "effective": effective}


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
