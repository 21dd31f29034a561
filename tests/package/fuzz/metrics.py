"""Scrapes that no exporter should answer: samples of a metrics stream with other values, labels, kinds and depths."""

from __future__ import annotations

import json
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

from kibana_assets.package.streams import Stream
from tests.package.case import cases
from tests.package.fuzz.lines import value

KINDS: Final = ("value", "counter", "histogram", "rate", "")


def batches(stream: Stream, size: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    """``size`` samples that something happened to."""
    events = [event for case in cases(stream) for event in case.events()]
    known = [json.dumps(event) for event in events if isinstance(event.get("prometheus"), dict)]
    return st.randoms(use_true_random=True).map(lambda chance: [_scrape(chance, known) for _ in range(size)])


def _scrape(chance: Random, known: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(chance.choice(known))
    metrics = made["prometheus"]
    for _ in range(chance.randint(1, 4)):
        name = chance.choice([*sorted(metrics), "vllm:new_metric", "labels", "up"])
        inner = metrics.get(name)
        if isinstance(inner, dict) and chance.random() < 0.7:
            inner[chance.choice([*sorted(inner), *KINDS])] = _sound(value(chance, 2))
        else:
            metrics[name] = _sound(value(chance, 3))
    if chance.random() < 0.1:
        made[chance.choice(["error", "prometheus"])] = _sound(value(chance, 3))
    return made


def _sound(what: Any) -> Any:
    """Without the halves of characters that no agent can send."""
    return json.loads(json.dumps(what, ensure_ascii=False).encode("utf-8", "replace"))
