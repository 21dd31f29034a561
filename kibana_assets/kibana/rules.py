"""The alerting rules of a real Kibana, over its public API.

Rules: whether rules can be kept at all, and whether this login may make them, is asked before anything is written: a
Kibana without an encryption key of its own refuses each call with a mere 500. ``rule_types`` says for each consumer
what the login may read and change in a space. Sources: elastic/kibana, plugin alerting:
routes/framework/apis/health, routes/rule/apis.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kibana_assets.connection.address import segment
from kibana_assets.connection.form import NAME, Each
from kibana_assets.connection.http import Answer
from kibana_assets.kibana.client import Kibana
from kibana_assets.kibana.interface import Json
from kibana_assets.kibana.refusal import of_answer
from kibana_assets.kibana.request import read
from kibana_assets.kibana.rights import READ, REMOVE, RULE, WRITE, Lack

ROOT: Final = "/api/alerting"
TYPE: Final = ".es-query"
_TYPES: Final = [{"id?": str, "authorized_consumers?": Each({"read?": bool, "all?": bool})}]
_RULE: Final = {"id": NAME, "enabled?": bool, "actions?": [dict]}
_NO_KEY: Final = "Kibana has no xpack.encryptedSavedObjects.encryptionKey (kibana.yml), which alerting needs"


class Rules:
    """The rules of ``kibana``."""

    def __init__(self, kibana: Kibana) -> None:
        self._kibana = kibana

    def why_not(self, space: str) -> str:
        """Why no rules can be kept, in words; nothing where they can, or where this login may not know.

        Raises: RefusedError; UnreachableError.
        """
        answer, place = self._kibana.send("GET", space, f"{ROOT}/_health")
        if answer.status == 404:
            return "this Kibana has no alerting"
        if answer.status == 400 and b"encryption key" in answer.body:
            return _NO_KEY
        if answer.status == 403:
            return ""
        found = read(answer, place)
        if found.get("has_permanent_encryption_key") is False:
            return _NO_KEY
        if found.get("is_sufficiently_secure") is False:
            return "Elasticsearch's API keys are switched off, which alerting needs"
        return ""

    def lacking(self, spaces: Iterable[str], consumer: str) -> tuple[Lack, ...]:
        """What this login may not do with rules in these spaces. Raises: RefusedError; UnreachableError."""
        made = []
        for space in spaces:
            answer, place = self._kibana.send("GET", space, f"{ROOT}/rule_types")
            found = [] if answer.status == 403 else read(answer, place, _TYPES)
            types = {one.get("id"): one for one in found}
            allowed = (types.get(TYPE, {}).get("authorized_consumers") or {}).get(consumer) or {}
            if allowed.get("all") is not True:
                lacks = {WRITE, REMOVE} if allowed.get("read") is True else {READ, WRITE, REMOVE}
                made.append(Lack(space, RULE, frozenset(lacks)))
        return tuple(made)

    def find(self, space: str, names: Iterable[str]) -> dict[str, Json]:
        """Those of the rules that are there, by id. Raises: RefusedError; UnreachableError."""
        made: dict[str, Json] = {}
        for name in names:
            answer, place = self._kibana.send("GET", space, _path(name))
            if answer.status != 404:
                made[name] = _rule(answer, place)
        return made

    def create(self, space: str, name: str, body: Json) -> Json:
        """A new rule under this id; as it is then. Raises: RefusedError; UnreachableError."""
        return _rule(*self._kibana.send("POST", space, _path(name), body))

    def update(self, space: str, name: str, body: Json) -> Json:
        """Another content for a rule; as it is then. Raises: RefusedError; UnreachableError."""
        return _rule(*self._kibana.send("PUT", space, _path(name), body))

    def enable(self, space: str, name: str) -> None:
        """Switch a rule on. Raises: RefusedError; UnreachableError."""
        answer, place = self._kibana.send("POST", space, f"{_path(name)}/_enable")
        if answer.status not in (200, 204):
            raise of_answer(place, answer)

    def delete(self, space: str, name: str) -> None:
        """Remove a rule, if it is there. Raises: RefusedError; UnreachableError."""
        answer, place = self._kibana.send("DELETE", space, _path(name))
        if answer.status not in (200, 204, 404):
            raise of_answer(place, answer)


def _path(name: str) -> str:
    return f"{ROOT}/rule/{segment(name)}"


def _rule(answer: Answer, place: str) -> Json:
    found: Json = read(answer, place, _RULE)
    return found
