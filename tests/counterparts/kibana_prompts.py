"""The prompts of the Security AI Assistant in the tests' Kibana, one list a space.

Form: elastic/kibana, kbn-elastic-assistant-common/impl/schemas/prompts, public API 2023-10-31.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

_CREATE = {"name", "promptType", "content", "color", "categories", "isNewConversationDefault", "isDefault", "consumer"}
_UPDATE = (_CREATE | {"id"}) - {"name", "promptType"}


class Prompts:
    """The prompts by space. ``failing`` makes bulk actions report an error with HTTP 200's sister 500 body."""

    def __init__(self) -> None:
        self.by_space: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.failing = ""
        self._next = 1

    def add(self, space: str, name: str, content: str, **more: Any) -> dict[str, Any]:
        """A prompt that is there already."""
        prompt = {"name": name, "content": content, "promptType": "system", "consumer": "securitySolutionUI", **more}
        prompt["id"] = f"prompt-{self._next}"
        self._next += 1
        self.by_space[space].append(prompt)
        return prompt

    def find(self, space: str, query: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """The answer to ``_find``: a page."""
        page, size = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["20"])[0])
        if query.get("sort_field", ["name"])[0] not in ("created_at", "is_default", "name", "updated_at"):
            return 400, _bad("[request query]: sort_field: Invalid enum value")
        rows = self.by_space[space]
        return 200, {"page": page, "perPage": size, "total": len(rows), "data": rows[(page - 1) * size : page * size]}

    def act(self, space: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The answer to ``_bulk_action``."""
        for prompt in body.get("create", []):
            if not {"name", "promptType", "content"} <= set(prompt) or set(prompt) - _CREATE:
                return 400, _bad("[request body]: create.0: Required")
        for prompt in body.get("update", []):
            if "id" not in prompt or set(prompt) - _UPDATE:
                return 400, _bad("[request body]: update.0: Unrecognized key(s) in object")
        if self.failing:
            return 200, _result([], [], [{"message": self.failing, "status_code": 500, "prompts": []}])
        created = [self.add(space, **prompt) for prompt in body.get("create", [])]
        updated = []
        for prompt in body.get("update", []):
            found = next(one for one in self.by_space[space] if one["id"] == prompt["id"])
            found.update(prompt)
            updated.append(found)
        return 200, _result(created, updated, [])


def _result(created: list[Any], updated: list[Any], errors: list[Any]) -> dict[str, Any]:
    done = len(created) + len(updated)
    summary = {"failed": len(errors), "succeeded": done, "skipped": 0, "total": done + len(errors)}
    results = {"created": created, "updated": updated, "deleted": [], "skipped": []}
    more = {"errors": errors} if errors else {}
    return {
        "success": not errors,
        "prompts_count": done,
        "attributes": {"results": results, "summary": summary, **more},
    }


def _bad(text: str) -> dict[str, Any]:
    return {"statusCode": 400, "error": "Bad Request", "message": text}
