"""What every request to a Kibana has, and how its answer is read: for saved objects, alerting rules and Fleet alike."""

from __future__ import annotations

import re
from typing import Any, Final

from kibana_assets.connection.document import parse
from kibana_assets.connection.form import Form, Text, check
from kibana_assets.connection.http import Answer
from kibana_assets.connection.login import Login
from kibana_assets.connection.reasons import said
from kibana_assets.errors import UsageError
from kibana_assets.kibana.refusal import of_answer

DEFAULT: Final = "default"
"""The id of the space that every Kibana has."""
BUSY: Final = (429, 503)
"""Statuses of a request that was not done, and may be sent again."""
_SPACE: Final = re.compile(r"[a-z0-9_-]{1,255}", re.ASCII)
SPACE: Final = Text(pattern=_SPACE, words="the id of a space")
"""Of a space, as a server names it."""


def check_space(space: str) -> str:
    """The id of a space, checked. Raises: UsageError."""
    if not _SPACE.fullmatch(space):
        hint = "It is the part after /s/ in Kibana's address; the space's name may differ from it."
        raise UsageError(f"--space: expected the id of a space, found {said(space)[:80]!r}", hint=hint)
    return space


def prefix(space: str) -> str:
    """What stands before a path that is meant in a space. Raises: UsageError."""
    return "" if space == DEFAULT else f"/s/{check_space(space)}"


def headers(login: Login, kind: str = "application/json") -> dict[str, str]:
    """The headers of a request whose body is of the type ``kind``."""
    made = {"kbn-xsrf": "llm-bundle", "Accept": "application/json", "Content-Type": kind}
    return {**made, "Authorization": login.authorization} if login.authorization else made


def read(answer: Answer, place: str, form: Form = dict) -> Any:
    """The JSON of an answer, of this form; ``place`` is safe to print. Raises: RefusedError; UnreachableError."""
    try:
        found = parse(answer.body) if answer.status == 200 else None
    except ValueError:
        found = None
    if found is None:
        raise of_answer(place, answer)
    check(found, form, place)
    return found
