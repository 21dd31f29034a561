"""``kibana/``: the connectors as a piece of kibana.yml, the keystore scripts, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bundler.errors import SpecError
from bundler.lock.model import Lock, LockedModel
from bundler.spec.families import engine_args, family_of
from preconfigured import AirGap, Connector, PreconfiguredError, Settings, StackVersion, render_all, snippet
from preconfigured.keystore import INSTALLS, keystore_script
from preconfigured.next_steps import next_steps


def kibana_files(lock: Lock) -> dict[str, str]:
    """Path → text of the files below ``kibana/``; none when bundle.yml asks for no connector.

    Raises: SpecError for a connector that the stack version cannot have.
    """
    request = lock.request
    if not request["connectors"]:
        return {}
    with _as_ours():
        stack = StackVersion.parse(request["stack"])
        connectors, settings = wanted(lock)
        scripts = {
            f"kibana/keystore-{install}.sh": keystore_script(render_all(connectors, stack), install)
            for install in INSTALLS
        }
        return {
            "kibana/kibana.yml": snippet(connectors, settings, stack=stack).text,
            "kibana/NEXT-STEPS.md": next_steps(connectors, settings, stack=stack) + _elsewhere(request),
            **scripts,
        }


def wanted(lock: Lock) -> tuple[list[Connector], Settings]:
    """The connectors that bundle.yml asks for, perhaps none, and the settings around them."""
    request = lock.request
    if not request["connectors"]:
        return [], Settings()
    model = next(model for model in lock.models if model.id == request["serve"]["model"])
    context = request["serve"]["context"] or model.facts.context
    connectors = _connectors(request, context, native=_calls_tools(lock, model))
    # With elastic: all of that stands in kibana/elastic-offline.yml, and Kibana refuses a key that stands twice.
    air_gap = None if request.get("elastic") else AirGap()
    return connectors, Settings(default_connector=connectors[0].id, air_gap=air_gap)


def _elsewhere(request: Mapping[str, Any]) -> str:
    if not request.get("elastic"):
        return ""
    return "\n## Without the internet\n\nSee `elastic/README.md`; its settings stand in `kibana/elastic-offline.yml`.\n"


def check_connectors(request: Mapping[str, Any]) -> None:
    """Can the stack version have these connectors? Asked before anything is looked up. Raises: SpecError."""
    if request["connectors"]:
        with _as_ours():
            render_all(_connectors(request, None, native=False), StackVersion.parse(request["stack"]))


@contextmanager
def _as_ours() -> Iterator[None]:
    try:
        yield
    except PreconfiguredError as error:
        raise SpecError(f"connectors: {error.message}", hint=error.hint) from error


def _connectors(request: Mapping[str, Any], context: int | None, *, native: bool) -> list[Connector]:
    """``context`` in tokens; ``native``: the engine answers with tool calls of its own."""
    return [
        Connector(
            id=wanted["id"],
            name=wanted["name"],
            provider=wanted["provider"],
            url=f"https://{request['proxy']['server_name']}/v1/chat/completions",
            model=request["serve"]["model"],
            context=context,
            native_function_calling=native,
        )
        for wanted in request["connectors"]
    ]


def _calls_tools(lock: Lock, model: LockedModel) -> bool:
    """Whether the engine will be started so that it answers with tool calls of its own."""
    args = list(lock.request["serve"]["args"])
    family = family_of(model.id, model.facts.architecture)
    if family and lock.request["serve"]["engine"] == "lmstudio":
        return family.native_tools
    if family:
        engine = next((image.name for image in lock.images if image.role == "engine"), "")
        tag = engine.partition("@")[0].rpartition(":")[2]
        args += engine_args(family, tag, [file.path for file in model.files]).args
    return "--enable-auto-tool-choice" in args
