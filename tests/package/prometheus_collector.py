"""What Metricbeat's Prometheus collector makes of an answer of ``/metrics``, with ``use_types: true``.

Rules: one event for each set of labels, in which each metric of that set is ``prometheus.<name>.counter``, ``.value``
or ``.histogram``. A histogram has the middle of each bucket (of the last, which has no end, where it begins), and how
many came into it since the scrape before; a bucket that was not there before has 0. Empty labels and numbers that are
none are left out; ``instance`` and ``job`` are added; ``up`` is an event of its own, and a scrape that failed has one
with ``error.message`` beside it, at the same time. Read off Beats' own sources (x-pack/metricbeat/module/prometheus),
nothing copied.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Labels = tuple[tuple[str, str], ...]
SAMPLE = re.compile(r"([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
OF_A_HISTOGRAM = re.compile(r"(.*)_(bucket|sum|count)")


@dataclass(slots=True)
class Collector:
    """One configured collector: it remembers the buckets of the scrape before."""

    url: str = "http://localhost:8000/metrics"
    include: tuple[str, ...] = ()
    before: dict[tuple[str, Labels, float], int] = field(default_factory=dict)

    def scrape(self, text: str, at: str) -> list[Json]:
        """The events of one answer, the largest first; ``at`` is their time."""
        found: dict[Labels, Json] = {}
        for name, labels, value in (*self._families(text), ("up", self._own(), {"value": 1.0})):
            if self._wanted(name):
                found.setdefault(labels, {})[name] = value
        events = [self._event({**metrics, "labels": self._with_own(labels)}, at) for labels, metrics in found.items()]
        return sorted(events, key=lambda event: -len(event["prometheus"]))

    def failed(self, at: str) -> list[Json]:
        """The events of a scrape without an answer."""
        up = self._event({"up": {"value": 0.0}, "labels": dict(self._own())}, at)
        without = {name: value for name, value in up.items() if name != "prometheus"}
        said = f'error making http request: Get "{self.url}": dial tcp: connect: connection refused'
        return [up, {**without, "error": {"message": f"unable to decode response from prometheus endpoint: {said}"}}]

    def _families(self, text: str) -> Iterator[tuple[str, Labels, Json]]:
        types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
        buckets: dict[tuple[str, Labels], list[tuple[float, int]]] = {}
        for name, labels, value in samples(text):
            part = OF_A_HISTOGRAM.fullmatch(name)
            if part and types.get(part[1]) == "histogram":
                if part[2] == "bucket":
                    rest = tuple(pair for pair in labels if pair[0] != "le")
                    buckets.setdefault((part[1], rest), []).append((float(dict(labels)["le"]), int(value)))
            elif math.isfinite(value):
                yield name, labels, {"counter" if types.get(name) == "counter" else "value": value}
        for (name, labels), found in buckets.items():
            yield name, labels, {"histogram": self._histogram(name, labels, found)}

    def _histogram(self, name: str, labels: Labels, buckets: Iterable[tuple[float, int]]) -> Json:
        values, counts = [], []
        lower, below, cumulated_before = 0.0, 0, 0
        for upper, cumulated in buckets:
            values.append(lower if math.isinf(upper) else lower + (upper - lower) / 2)
            lower = lower if math.isinf(upper) else upper
            known = self.before.get((name, labels, upper))
            self.before[name, labels, upper] = cumulated
            if known is None:
                counts.append(0)
                below += cumulated - cumulated_before
            else:
                # After a restart of the server a counter is smaller than before: nothing is counted for once.
                since = max(cumulated - known, 0)
                counts.append(max(since - below, 0))
                below = max(since, below)
            cumulated_before = cumulated
        return {"values": values, "counts": counts}

    def _wanted(self, name: str) -> bool:
        return not self.include or any(re.search(pattern, name) for pattern in self.include)

    def _own(self) -> Labels:
        return (("instance", self.url.split("/")[2].rpartition("@")[2]), ("job", "prometheus"))

    def _with_own(self, labels: Labels) -> dict[str, str]:
        return {**dict(self._own()), **dict(labels)}

    def _event(self, prometheus: Json, at: str) -> Json:
        return {
            "@timestamp": at,
            "agent": {"id": "5e062d28-4a2b-4f8e-8b33-1f0a3a3e4c11"},
            "event": {"dataset": "local_llm.vllm_metrics", "duration": 8571428, "module": "prometheus"},
            "host": {"name": "gpu1"},
            "metricset": {"name": "collector", "period": 10000},
            "prometheus": prometheus,
            "service": {"address": self.url, "type": "prometheus"},
            "tags": ["local_llm-vllm_metrics"],
        }


def samples(text: str) -> Iterator[tuple[str, Labels, float]]:
    """Name, labels and value of each line that has them; labels that are empty are none."""
    for line in text.splitlines():
        found = SAMPLE.fullmatch(line.strip())
        if found and not line.startswith("#"):
            labels = ((name, re.sub(r"\\(.)", r"\1", value)) for name, value in LABEL.findall(found[2] or ""))
            yield found[1], tuple(sorted(pair for pair in labels if pair[1])), float(found[3])


def at_start(text: str) -> str:
    """The same answer of a server that has done nothing yet."""
    return re.sub(r"^([^#\n].*) \S+$", r"\1 0.0", text, flags=re.MULTILINE)
