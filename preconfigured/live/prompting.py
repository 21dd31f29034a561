"""The system prompt for tool calling, created through Kibana's API for the Security AI Assistant.

Rules: prompts belong to a space. A prompt is found by its name; one that has our text is kept, another is updated, so
a second run changes nothing. Prompts of other names are never touched.
Source of the forms: elastic/kibana, kbn-elastic-assistant-common/impl/schemas/prompts (public API 2023-10-31); the
consumer is the one that the Security solution looks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from preconfigured.errors import RefusedError, UnreachableError
from preconfigured.live.finding import said
from preconfigured.live.kibana import Kibana
from preconfigured.prompts import TOOL_CALLING, TOOL_CALLING_NAME

CONSUMER = "securitySolutionUI"
_BASE = "/api/security_ai_assistant/prompts"
_PAGE = 100
_PAGES = 100

Action = Literal["create", "update", "keep"]


@dataclass(frozen=True, slots=True)
class PromptChange:
    """What was done in one space, or is to be done; ``id`` is empty where a prompt is still to be created."""

    space: str
    action: Action
    id: str


def put_prompts(kibana: Kibana, spaces: Sequence[str], *, check: bool = False) -> tuple[PromptChange, ...]:
    """Create or update the prompt in each space; with ``check`` only say what would be done.

    Raises:
        PreconfiguredError: Kibana cannot be reached or refuses; the spaces before that one are done.
    """
    return tuple(_put(kibana, space, check) for space in spaces)


def _put(kibana: Kibana, space: str, check: bool) -> PromptChange:
    there = next((prompt for prompt in _found(kibana, space) if _is_ours(prompt)), None)
    if there is None:
        new = {
            "name": TOOL_CALLING_NAME,
            "promptType": "system",
            "content": TOOL_CALLING,
            "consumer": CONSUMER,
            "isDefault": False,
            "isNewConversationDefault": False,
        }
        return PromptChange(space, "create", "" if check else _act(kibana, space, "create", new))
    found = str(there.get("id"))
    if there.get("content") == TOOL_CALLING:
        return PromptChange(space, "keep", found)
    if not check:
        _act(kibana, space, "update", {"id": found, "content": TOOL_CALLING})
    return PromptChange(space, "update", found)


def _is_ours(prompt: dict[str, Any]) -> bool:
    same_place = prompt.get("consumer") in (CONSUMER, None)
    return prompt.get("name") == TOOL_CALLING_NAME and prompt.get("promptType") == "system" and same_place


def _found(kibana: Kibana, space: str) -> Iterator[dict[str, Any]]:
    for page in range(1, _PAGES + 1):
        path = f"{_BASE}/_find?page={page}&per_page={_PAGE}&sort_field=created_at&sort_order=asc"
        answer = kibana.get(path, space=space, versioned=True)
        rows = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            raise UnreachableError(f"{_BASE}/_find: expected a list of prompts", hint="Is this really a Kibana?")
        yield from (row for row in rows if isinstance(row, dict))
        if len(rows) < _PAGE:
            return


def _act(kibana: Kibana, space: str, action: str, prompt: dict[str, Any]) -> str:
    """Send one prompt; its id. HTTP 200 may carry errors."""
    answer = kibana.post(f"{_BASE}/_bulk_action", {action: [prompt]}, space=space, versioned=True)
    found = answer.get("attributes") if isinstance(answer, dict) else None
    attributes = found if isinstance(found, dict) else {}
    results = attributes.get("results")
    done = results.get(f"{action}d") if isinstance(results, dict) else None
    if not isinstance(done, list) or not done or not isinstance(done[0], dict):
        raise RefusedError(
            f"space {space}: the prompt was not {action}d: {_why(attributes.get('errors'))}",
            hint="The login needs the privileges of the Security AI Assistant there, and the licence must allow it.",
        )
    return str(done[0].get("id"))


def _why(errors: Any) -> str:
    first = errors[0] if isinstance(errors, list) and errors else None
    text = first.get("message") if isinstance(first, dict) else None
    return said(text) if isinstance(text, str) else "Kibana does not say why"
