"""The connectors.yml of docs/connectors.md is one, and gives a kibana.yml."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

from preconfigured import AirGap, Connector, Pki, Settings
from preconfigured.live.finding import Place
from preconfigured.merge import apply
from preconfigured.request import parse_request

PAGE = (Path(__file__).parents[2] / "docs" / "connectors.md").read_text(encoding="utf-8")


def test_the_example_is_read_and_applied() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    request = parse_request(example.encode())
    assert request.stack
    edited = apply("server.port: 5601\n", request.connectors, request.settings, request.stack)
    assert edited.notes == ()
    assert "vllm-mistral-small" in edited.text


def test_every_key_is_named() -> None:
    for shape in (Connector, Settings, Pki, AirGap):
        for field in fields(shape):
            assert re.search(rf"\b{field.name}\b", PAGE), field.name


def test_every_place_of_a_trial_is_named() -> None:
    assert all(f"`{place}`" in PAGE for place in get_args(Place) if place)
