"""A trial of a connector through Kibana, as the assistants use it: ``_execute`` with the runs of ``sub_actions``.

Rules: nothing is changed in Kibana. The public ``_execute`` cannot hand on a stream (elastic/kibana, issue 188467), so
the sub-action ``stream`` is run whole, which goes the same way with the same time limits; that the events come one by
one is what the direct trial proves.
Source of the forms: elastic/kibana, stack_connectors/server/connector_types/openai and kbn-connector-schemas/openai.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from preconfigured.connectors.interface import MIN_CONTEXT
from preconfigured.errors import RefusedError, UnreachableError
from preconfigured.live import replies
from preconfigured.live.finding import Finding, Trial, said
from preconfigured.live.kibana import DEFAULT_SPACE, Kibana
from preconfigured.live.refusal import NotFoundError
from preconfigured.live.service_message import of_message
from preconfigured.live.sub_actions import GEN_AI, INFERENCE, TYPES, Run, runs

_CHAT = "chat_completion"


def try_connector(
    kibana: Kibana,
    connector: str,
    *,
    space: str = DEFAULT_SPACE,
    model: str = "",
    timeout: float = 210.0,
    progress: Callable[[str], None] = lambda check: None,
) -> Trial:
    """Run a connector in a space; ``model`` stands in for one that the connector does not show.

    Raises:
        PreconfiguredError: Kibana cannot be reached, or refuses the login.
    """
    return Trial(tuple(_Steps(kibana, connector, space, model, timeout, progress).run()))


def describe(kibana: Kibana, connector: str, space: str = DEFAULT_SPACE) -> dict[str, Any]:
    """A connector as Kibana shows it in a space; ``config`` only where exposeConfig is true.

    Raises:
        NotFoundError: the space does not have it.
        PreconfiguredError: Kibana cannot be reached, refuses, or answers something else.
    """
    found = kibana.get(f"/api/actions/connector/{quote(connector, safe='')}", space=space)
    return found if isinstance(found, dict) else {}


def config_of(row: dict[str, Any]) -> dict[str, Any]:
    """The exposed config of a connector, empty where it is hidden."""
    config = row.get("config")
    return config if isinstance(config, dict) else {}


class _Steps:
    def __init__(
        self, kibana: Kibana, connector: str, space: str, model: str, timeout: float, progress: Callable[[str], None]
    ) -> None:
        self._kibana = kibana
        self._connector = connector
        self._space = space
        self._model = model
        self._timeout = timeout
        self._progress = progress

    def run(self) -> Iterator[Finding]:
        self._progress("connector")
        try:
            row = describe(self._kibana, self._connector, self._space)
        except NotFoundError as error:
            fix = "Mend the id, or add it to kibana.yml of every Kibana and restart them (llm-bundle connectors list)."
            yield Finding("connector", "block", error.message, "kibana.yml", fix)
            return
        yield from self._shown(row)
        kind, config = str(row.get("connector_type_id")), config_of(row)
        if kind not in TYPES:
            return
        for one in runs(kind, self._model or str(config.get("defaultModel") or "")):
            self._progress(one.check)
            found = self._found(one)
            if one.check == "tool-call" and config.get("enableNativeFunctionCalling") is False:
                found = replies.no_native_calls(found)
            yield found
            if one.check == "run" and found.state == "block":
                return

    def _shown(self, row: dict[str, Any]) -> Iterator[Finding]:
        kind = said(str(row.get("connector_type_id")))
        if kind not in TYPES:
            fix = f"Name one to a language model: {', '.join(TYPES)}."
            found = f"connectors of type {kind} are not tried here"
            yield Finding("connector", "warn", found, "kibana.yml", fix)
            return
        yield from self._origin(row)
        yield from self._config(kind, config_of(row))

    def _origin(self, row: dict[str, Any]) -> Iterator[Finding]:
        if row.get("is_preconfigured") is True:
            yield Finding("connector", "ok", f"preconfigured, seen in space {self._space}")
            return
        fix = "Write it into kibana.yml, if every space shall have it."
        yield Finding("connector", "warn", f"saved in space {self._space} only, not preconfigured", "kibana.yml", fix)

    def _config(self, kind: str, config: dict[str, Any]) -> Iterator[Finding]:
        if not config:
            yield Finding("config", "ok", "hidden (exposeConfig is not set)")
            return
        if kind == INFERENCE and config.get("taskType") not in (None, _CHAT):
            fix = f"Make an endpoint of the task {_CHAT}, and name it in inferenceId and taskType."
            found = f"the task is {said(str(config['taskType']))[:60]}; the assistants need {_CHAT}"
            yield Finding("config", "warn", found, "inference-endpoint", fix)
        simulated = config.get("apiProvider") == "Other" and not isinstance(
            config.get("enableNativeFunctionCalling"), bool
        )
        if kind == GEN_AI and simulated:
            fix = "Set enableNativeFunctionCalling: true in kibana.yml, or leave exposeConfig out (before 9.2)."
            found = "Kibana describes tools in the prompt (simulated calls), which servers set up for tool calls refuse"
            yield Finding("config", "warn", found, "kibana.yml", fix)
        length = config.get("contextWindowLength")
        if isinstance(length, int) and length < MIN_CONTEXT:
            fix = f"Give the server, and then contextWindowLength, {MIN_CONTEXT} tokens or more."
            yield Finding("config", "warn", f"contextWindowLength is {length:,}: too short", "context", fix)

    def _found(self, one: Run) -> Finding:
        begun = time.monotonic()
        data, failed = self._execute(one.check, one.sub_action, one.params)
        return failed or one.read(one.check, data, time.monotonic() - begun)

    def _execute(self, check: str, sub_action: str, params: dict[str, Any]) -> tuple[Any, Finding | None]:
        """What the model answered, or why not."""
        path = f"/api/actions/connector/{quote(self._connector, safe='')}/_execute"
        body = {"params": {"subAction": sub_action, "subActionParams": params}}
        try:
            result = self._kibana.post(path, body, space=self._space, timeout=self._timeout)
        except RefusedError as error:
            # 400 and 403 may be about the connector (its type, the licence); else they are about the login.
            about = of_message(check, error.message)
            if about.place == "model-server":
                raise
            return None, about
        except UnreachableError as error:
            # Kibana answered a moment ago: it is the run that takes too long, or that a proxy before Kibana cuts.
            fix = "See with --direct whether the model hangs. A proxy before Kibana must wait as long; or allow more."
            return None, Finding(check, "block", f"no answer to the run: {error.message}", "proxy-timeout", fix)
        if isinstance(result, dict) and result.get("status") == "ok":
            return result.get("data"), None
        return None, of_message(check, _words(result))


def _words(result: Any) -> str:
    """Message and service message of a failed run; the first is a set phrase where there is a second."""
    found = result if isinstance(result, dict) else {}
    texts = [found.get(key) for key in ("service_message", "message")]
    return said(next((text for text in texts if isinstance(text, str) and text), ""))
