"""Loading and unloading by ``lms``, each step looked at first, so that all of it may be done again.

Rules: what a person loaded or started is left alone: a model under our name but from another file is a refusal, not
unloaded; the server is stopped only when we started it. ``lms ps`` and ``lms ls`` start a daemon that does not run:
they are asked only where one runs or is to run.
"""

from __future__ import annotations

import json
import time
from typing import Any, Final, Literal

from bundler.errors import EngineError
from bundler.serving.lmstudio import LmStudioPlan, load_args, server_args
from bundler.site.engines.words import clean, refused
from bundler.site.lmstudio.lms import NAME, Lms
from bundler.site.lmstudio.server import greets, outside

_INDEXED: Final = 60.0
"""Seconds within which LM Studio sees a new file in its folder."""

Daemon = Literal["unknown", "down", "up"]


def daemon(lms: Lms) -> Daemon:
    """Whether LM Studio or its daemon runs; unknown to an lms that has no daemon."""
    said = lms.ask(("daemon", "status", "--json"), "asking for the daemon")
    try:
        document = json.loads(said.out) if said.status == 0 else None
    except (ValueError, RecursionError):
        document = None
    status = document.get("status") if isinstance(document, dict) else None
    if status == "not-running":
        return "down"
    return "up" if status == "running" else "unknown"


def wake(lms: Lms) -> None:
    """Start the headless daemon where there is one that does not run. Raises: EngineError."""
    if daemon(lms) == "down":
        lms.run(("daemon", "up"), "starting the daemon", seconds=120)


def load(lms: Lms, plan: LmStudioPlan, *, gpu: bool, seconds: float) -> None:
    """Load the model unless it is. Raises: EngineError, also when another one bears its name."""
    found = _loaded(lms, plan)
    if found is not None:
        _must_be_ours(plan, found)
        return
    _wait_until_listed(lms, plan)
    lms.run(load_args(plan, gpu=gpu), f"loading {plan.path}", seconds=seconds)
    if _loaded(lms, plan) is None:
        hint = "See what LM Studio says: lms log stream --source model"
        raise EngineError(
            f"{NAME}: loading {plan.path}: lms says that it is done, but lms ps does not list it", hint=hint
        )


def serve(lms: Lms, plan: LmStudioPlan) -> None:
    """Start the server unless it runs.

    Raises: EngineError, also when the port is another program's, or the server listens beyond the loopback.
    """
    if not greets(plan.port):
        lms.run(server_args(plan, bind=knows_bind(lms)), f"starting the server on port {plan.port}")
    only_loopback(plan)


def only_loopback(plan: LmStudioPlan) -> None:
    """Raises: EngineError when the server listens beyond the loopback: a setting of LM Studio's window does that."""
    if beyond := outside(plan.port):
        hint = "Turn off Serve on Local Network in LM Studio, or: lms server stop; then run the same command again."
        where = ", ".join(beyond)
        raise EngineError(f"{NAME}: it listens on {where}, where nothing asks for a token", hint=hint)


def refuse_another(lms: Lms, plan: LmStudioPlan) -> None:
    """Raises: EngineError when another model is loaded under our name."""
    found = _loaded(lms, plan) if daemon(lms) == "up" else None
    if found is not None:
        _must_be_ours(plan, found)


def unload(lms: Lms, plan: LmStudioPlan) -> None:
    """Unload our model; nothing where it is not loaded or LM Studio does not run. Raises: EngineError."""
    state = daemon(lms)
    if state == "down" or (state == "unknown" and lms.ask(("ps", "--json"), "listing loaded models").status):
        return
    found = _loaded(lms, plan)
    if found is not None and found.get("path") == plan.path:
        lms.run(("unload", plan.identifier), f"unloading {plan.identifier}", seconds=120)


def stop_server(lms: Lms, plan: LmStudioPlan) -> None:
    """Stop the server where it runs; another program at its port is left alone. Raises: EngineError."""
    running: bool | None
    try:
        running = greets(plan.port)
    except EngineError:
        running = None
    if running is False:
        return
    said = lms.ask(("server", "stop"), "stopping the server")
    if said.status and running:
        raise refused(NAME, "stopping the server", said.words)


def knows_bind(lms: Lms) -> bool:
    """Whether this lms can be told where to listen; older ones listen on the loopback unless set otherwise."""
    said = lms.ask(("server", "start", "--help"), "asking for its options")
    return b"--bind" in said.out + said.err


def _loaded(lms: Lms, plan: LmStudioPlan) -> dict[str, Any] | None:
    rows = lms.rows(("ps", "--json"), "listing loaded models")
    return next((row for row in rows if row.get("identifier") == plan.identifier), None)


def _must_be_ours(plan: LmStudioPlan, found: dict[str, Any]) -> None:
    """Its context is compared where lms tells it: old ones do not."""
    context = found.get("contextLength", plan.context)
    if found.get("path") != plan.path or context != plan.context:
        shown = clean(f"{found.get('path')} with {context} tokens")[:200]
        hint = f"Unload it, and run the same command again: lms unload {plan.identifier}"
        message = f"{NAME}: {plan.identifier}: expected {plan.path} with {plan.context} tokens, found {shown}"
        raise EngineError(message, hint=hint)


def _wait_until_listed(lms: Lms, plan: LmStudioPlan) -> None:
    deadline = time.monotonic() + _INDEXED
    while True:
        rows = lms.rows(("ls", "--json"), "listing the models on disk")
        if any(row.get("path") == plan.path for row in rows):
            return
        if time.monotonic() > deadline:
            hint = "Compare its models folder with that in LM Studio's settings; then: lms ls"
            raise EngineError(f"{NAME}: it does not see {plan.path} in its models folder", hint=hint)
        time.sleep(1)
