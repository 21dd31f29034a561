"""A copy of what somebody else wrote, before it is replaced or removed: one JSON object a line.

Rules: it is written whole before the first change, under a new name, readable for its owner alone. A line of an
object of Elasticsearch's has ``path`` and ``body``, as ``PUT path`` takes it; so the times that Elasticsearch 9 adds
are left out, for it refuses them. One of Kibana's is the saved object itself, as an import takes it; one of an alerting
rule has ``path`` and ``body``, as for ``POST path`` to Kibana. The copy of a space's objects is a file of its own, and
that of its rules.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from kibana_assets.elasticsearch.stored import PATHS
from kibana_assets.errors import MachineError
from kibana_assets.install.asset import ILM_POLICY, LIFECYCLE, RULE, Json
from kibana_assets.install.plan import Change
from kibana_assets.install.rules import as_new
from kibana_assets.kibana.request import DEFAULT

_TIMES: Final = re.compile(r"(created|modified)_date(_millis)?")
"""What Elasticsearch 9 adds to pipelines and templates, and refuses in a PUT as "managed by the system"."""


def backup(changes: Iterable[Change], folder: Path, now: datetime | None = None) -> tuple[Path, ...]:
    """Write the copies that these changes need; the files. Raises: MachineError."""
    lost = [change for change in changes if change.overwrites]
    moment = (now or datetime.now(timezone.utc)).strftime("%Y%m%dT%H%M%SZ")
    made = []
    for space, rules in sorted({(change.space, change.kind == RULE) for change in lost}):
        here = [one for one in lost if (one.space, one.kind == RULE) == (space, rules) and one.found]
        lines = [line for one in here for line in _lines(one)]
        name = f"llm-bundle-backup-{moment}{f'-{space}' if space else ''}{'-rules' if rules else ''}.ndjson"
        made.append(_write(folder, name, "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)))
    return tuple(made)


def _lines(change: Change) -> list[Json]:
    body = change.found.body if change.found else {}
    return list(body["copies"]) if change.kind == LIFECYCLE else [_line(change, body)]


def _line(change: Change, body: Json) -> Json:
    if change.kind == RULE:
        inside = "" if change.space == DEFAULT else f"/s/{change.space}"
        return {"path": f"{inside}/api/alerting/rule/{body['id']}", "body": as_new(body)}
    if change.space:
        return body
    put = {key: value for key, value in body.items() if not _TIMES.fullmatch(key)}
    return {
        "path": f"{PATHS[change.kind]}/{change.id}",
        "body": {"policy": put} if change.kind == ILM_POLICY else put,
    }


def _write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Never over another backup, nor through a link.
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        why = error.strerror or "cannot be written"
        hint = "Name a folder that you can write to with --backup. Nothing was changed in the stack."
        raise MachineError(f"{path}: cannot write the backup: {why}", hint=hint) from error
    return path
