"""A package that Fleet does not let in: what it says, and what a person can do."""

from __future__ import annotations

import pytest

from kibana_assets.errors import RefusedError
from tests.counterparts.kibana_stack.state import Registry
from tests.fleet.conftest import Stage


@pytest.mark.parametrize(
    ("registry", "words"),
    [(Registry(reachable=False), "isAirGapped: true"), (Registry(frozenset({"local_llm"})), "cannot be replaced")],
)
def test_refusals_say_what_to_do(stage: Stage, registry: Registry, words: str) -> None:
    stage.stack.registry = registry
    with pytest.raises(RefusedError, match="In are 0 of 4 changes") as caught:
        stage.install()
    assert words in caught.value.hint
    assert stage.stack.packages == {}


def test_data_of_an_installation_without_fleet(stage: Stage) -> None:
    stage.stack.data_streams["logs-local_llm.audit-default"] = ""
    with pytest.raises(RefusedError, match="does not own") as caught:
        stage.install()
    assert "--no-fleet" in caught.value.hint


def test_index_templates_of_an_installation_without_fleet(stage: Stage) -> None:
    template = {"index_patterns": ["logs-local_llm.audit-*"], "priority": 200}
    stage.stack.index_templates["logs-local_llm.audit"] = template
    with pytest.raises(RefusedError, match="same_template_name") as caught:
        stage.install()
    assert "uninstall --no-fleet" in caught.value.hint
    assert "Index Management" in caught.value.hint


def test_a_dataset_that_a_package_of_before_has_claimed(stage: Stage) -> None:
    stage.stack.claims |= {"logs-local_llm.audit": "local_llm", "logs-local_llm.vllm": "custom"}
    with pytest.raises(RefusedError, match=r'overlaps "logs-local_llm.vllm" claimed by package "custom"') as caught:
        stage.install()
    assert "keeps these datasets for itself" in caught.value.hint
    stage.stack.claims["logs-local_llm.vllm"] = "local_llm"
    stage.install()
