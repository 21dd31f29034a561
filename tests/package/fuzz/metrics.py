"""Scrapes that no exporter should answer: samples of a metrics stream with other values, labels, kinds and depths."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from kibana_assets.package.streams import Stream
from tests.package.case import cases
from tests.package.fuzz.lines import Json

KINDS = ("value", "counter", "histogram", "rate", "")


@st.composite
def scrapes(draw: Callable[..., Any], stream: Stream) -> dict[str, Any]:
    """A sample that something happened to."""
    known = [event for case in cases(stream) for event in case.events() if isinstance(event.get("prometheus"), dict)]
    made: dict[str, Any] = json.loads(json.dumps(draw(st.sampled_from(known))))
    metrics = made["prometheus"]
    for _ in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from([*sorted(metrics), "vllm:new_metric", "labels", "up"]))
        inner = metrics.get(name)
        if isinstance(inner, dict) and draw(st.booleans()):
            inner[draw(st.sampled_from([*sorted(inner), *KINDS]))] = _sound(draw(Json))
        else:
            metrics[name] = _sound(draw(Json))
    if draw(st.integers(0, 9)) == 0:
        made[draw(st.sampled_from(["error", "prometheus"]))] = _sound(draw(Json))
    return made


def _sound(value: Any) -> Any:
    """Without the halves of characters that no agent can send."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
