"""The pipeline tests of a data stream, read from elastic-package's own file layout.

Rules: ``_dev/test/pipeline/test-*.log`` is one event a line (or, with ``multiline.first_line_pattern``, one from each
line that matches), ``test-*.json`` has ``{"events": [...]}``; ``test-common-config.yml`` and then
``<file>-config.yml`` say ``fields``, ``dynamic_fields``, ``numeric_keyword_fields``. A broken byte becomes
U+FFFD, as it does in the official tool's JSON. The result is ``<file>-expected.json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kibana_assets.package.streams import Stream
from kibana_assets.package.tree import CHECKOUT, parse_yaml

KEYS = {"fields", "dynamic_fields", "numeric_keyword_fields", "multiline", "skip"}
CHILDREN = {"multiline": {"first_line_pattern"}, "skip": {"reason", "link"}}


@dataclass(frozen=True, slots=True)
class Case:
    """One test file of a stream."""

    stream: Stream
    path: Path

    @property
    def expected_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}-expected.json")

    @property
    def config(self) -> dict[str, Any]:
        """Both configurations, the file's own over the common one; mappings are merged key by key."""
        merged: dict[str, Any] = {}
        for name in ("test-common-config.yml", f"{self.path.name}-config.yml"):
            place = self.path.with_name(name)
            for key, value in (_config(place) if place.exists() else {}).items():
                known = merged.get(key)
                merged[key] = {**known, **value} if isinstance(known, dict) else value
        return merged

    def events(self) -> list[dict[str, Any]]:
        """The documents that the pipeline is given."""
        config = self.config
        if self.path.suffix == ".json":
            events = json.loads(self.path.read_text(encoding="utf-8"))["events"]
        else:
            pattern = config.get("multiline", {}).get("first_line_pattern", "")
            events = [{"message": entry} for entry in entries(self.path.read_bytes(), pattern)]
        for event in events:
            for key, value in config.get("fields", {}).items():
                put(event, key, value)
        return list(events)

    def expected(self) -> list[dict[str, Any] | None]:
        """The documents that are expected; None for one that is dropped."""
        assert self.expected_path.exists(), f"no {self.expected_path.name}: make pipeline-tests UPDATE=1, and read it"
        return list(json.loads(self.expected_path.read_text(encoding="utf-8"))["expected"])


def cases(stream: Stream) -> Iterator[Case]:
    """All test files of a stream, by name."""
    for path in sorted((CHECKOUT / stream.path / "_dev" / "test" / "pipeline").glob("test-*")):
        if path.suffix in (".log", ".json") and not path.name.endswith("-expected.json"):
            yield Case(stream, path)


def entries(data: bytes, pattern: str) -> Iterator[str]:
    """The events of a raw file: lines, or runs of lines of which the first fits ``pattern``."""
    lines = data.decode("utf-8", "replace").removesuffix("\n").split("\n")
    if not pattern:
        yield from (line.removesuffix("\r") for line in lines)
        return
    first = re.compile(pattern)
    waiting: list[str] = []
    for line in (line.removesuffix("\r") for line in lines):
        if waiting and first.search(line):
            yield "\n".join(waiting)
            waiting = []
        waiting.append(line)
    yield "\n".join(waiting)


def put(event: dict[str, Any], key: str, value: object) -> None:
    """Set a field; dots in ``key`` go down."""
    *above, last = key.split(".")
    for name in above:
        event = event.setdefault(name, {})
    old = event.get(last)
    event[last] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value


def _config(path: Path) -> dict[str, Any]:
    read = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    assert isinstance(read, dict), f"{path}: expected a mapping"
    assert set(read) <= KEYS, f"{path}: expected only {sorted(KEYS)}, found {sorted(read)}"
    for key, allowed in CHILDREN.items():
        assert set(read.get(key, ())) <= allowed, f"{path}: {key}: expected only {sorted(allowed)}"
    return read
