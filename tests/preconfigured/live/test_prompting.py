"""The system prompt, put into the Security AI Assistant of each space, and nothing else touched."""

from __future__ import annotations

import pytest

from preconfigured.errors import RefusedError, UnreachableError
from preconfigured.live.prompting import put_prompts
from preconfigured.prompts import TOOL_CALLING, TOOL_CALLING_NAME
from tests.counterparts.kibana import Forced, KibanaServer
from tests.preconfigured.live.stage import client

SPACES = {"soc": "SOC", "obs": "Observability"}


def done(kibana: KibanaServer, *spaces: str, check: bool = False) -> list[tuple[str, str]]:
    return [(one.space, one.action) for one in put_prompts(client(kibana), spaces, check=check)]


def test_created_once() -> None:
    with KibanaServer(spaces=SPACES) as kibana:
        assert done(kibana, "default", "soc") == [("default", "create"), ("soc", "create")]
        (prompt,) = kibana.prompts.by_space["soc"]
        assert (prompt["name"], prompt["content"]) == (TOOL_CALLING_NAME, TOOL_CALLING)
        assert (prompt["promptType"], prompt["consumer"]) == ("system", "securitySolutionUI")
        assert kibana.prompts.by_space["obs"] == []
        kibana.seen.clear()
        assert done(kibana, "default", "soc") == [("default", "keep"), ("soc", "keep")]
        assert [one for one in kibana.seen if one.startswith("POST")] == []
        assert len(kibana.prompts.by_space["soc"]) == 1


def test_the_id_is_that_of_the_prompt() -> None:
    with KibanaServer() as kibana:
        (created,) = put_prompts(client(kibana), ["default"])
        (kept,) = put_prompts(client(kibana), ["default"])
    assert created.id == kept.id == "prompt-1"


def test_an_old_text_is_updated_and_others_are_left_alone() -> None:
    with KibanaServer() as kibana:
        others = [
            kibana.prompts.add("default", "Superhero", "fly"),
            kibana.prompts.add("default", TOOL_CALLING_NAME, "mine", promptType="quick"),
            kibana.prompts.add("default", TOOL_CALLING_NAME, "theirs", consumer="discover"),
        ]
        before = [dict(one) for one in others]
        ours = kibana.prompts.add("default", TOOL_CALLING_NAME, "an older text")
        assert done(kibana, "default") == [("default", "update")]
        assert ours["content"] == TOOL_CALLING
        assert others == before
        assert len(kibana.prompts.by_space["default"]) == 4


def test_found_behind_many_others() -> None:
    with KibanaServer() as kibana:
        for number in range(230):
            kibana.prompts.add("default", f"prompt {number}", "text")
        kibana.prompts.add("default", TOOL_CALLING_NAME, TOOL_CALLING)
        assert done(kibana, "default") == [("default", "keep")]
        assert len(kibana.seen) == 3


@pytest.mark.parametrize("there", ["", "an older text"])
def test_check_writes_nothing(there: str) -> None:
    with KibanaServer() as kibana:
        if there:
            kibana.prompts.add("default", TOOL_CALLING_NAME, there)
        assert done(kibana, "default", check=True) == [("default", "update" if there else "create")]
        assert [one for one in kibana.seen if one.startswith("POST")] == []


def test_an_unknown_space() -> None:
    with KibanaServer() as kibana, pytest.raises(RefusedError, match=r"404 Not Found: Saved object \[space/nope\]"):
        done(kibana, "nope")


def test_success_that_carries_an_error() -> None:
    with KibanaServer() as kibana:
        kibana.prompts.failing = "index is read-only"
        with pytest.raises(RefusedError, match="space default: the prompt was not created: index is read-only"):
            done(kibana, "default")


@pytest.mark.parametrize("body", [b"[]", b'{"data": null}', b'"text"'])
def test_an_answer_that_is_no_list(body: bytes) -> None:
    with KibanaServer() as kibana:
        kibana.forced["/_find"] = Forced(200, body)
        with pytest.raises(UnreachableError, match="expected a list of prompts"):
            done(kibana, "default")


@pytest.mark.parametrize("body", [b"[]", b'{"attributes": 1}', b'{"attributes": {"results": {"created": []}}}'])
def test_an_answer_that_created_nothing(body: bytes) -> None:
    with KibanaServer() as kibana:
        kibana.forced["/_bulk_action"] = Forced(200, body)
        with pytest.raises(RefusedError, match="does not say why"):
            done(kibana, "default")
