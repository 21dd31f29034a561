"""Rules about settings that do not go together, or are written in two ways."""

from __future__ import annotations

import re
from collections.abc import Iterator

from preconfigured.check.against import VARIABLE
from preconfigured.check.case import PRECONFIGURED, Case, ConnectorView
from preconfigured.check.finding import Level
from preconfigured.check.near import nearest
from preconfigured.check.rules.rule import Hit, hit, rule
from preconfigured.check.shown import is_secret, path_text, plain_text
from preconfigured.check.tree import Mapping, Node, Scalar, Sequence
from preconfigured.check.view import split
from preconfigured.schema.model import load
from preconfigured.settings import (
    CHAT_MODEL_FLAG,
    CHAT_MODEL_SINCE,
    DEFAULT_KEY,
    DEFAULT_SINCE,
    ONLY_KEY,
    PRODUCT_DOCS_FILE_SINCE,
    PRODUCT_DOCS_SINCE,
)

_NATIVE = "enableNativeFunctionCalling"
# What the settings page itself writes for "no connector".
_NO_CONNECTOR = frozenset({"NO_DEFAULT_CONNECTOR", "NO_DEFAULT_MODEL", ""})
_REFERENCE = re.compile(r"\$\{[^}]*\}?")
_MOST_SCALARS = 200_000
_MOST_HITS = 200


@rule("two-spellings", "error", "One setting in nested and in dotted spelling, of which one is lost.")
def two_spellings(case: Case) -> Iterator[Hit]:
    """Kibana sets them one after the other."""
    for lost in case.view.overwritten[:_MOST_HITS]:
        path = path_text(lost.path)
        message = f"Line {lost.first_line} sets it already, in another spelling; Kibana silently takes the later one."
        yield Hit(lost.line, lost.column, path, f"{path} again", message, "Keep one of the two.")


@rule("mixed-spelling", "warning", "A connector, or the list of connectors, in nested and in dotted spelling.")
def mixed_spelling(case: Case) -> Iterator[Hit]:
    """Nothing is lost, but who reads one place misses the other."""
    top = case.setting(*PRECONFIGURED)
    # A dotted id puts one connector inside another, which is said by a rule of its own.
    outer = {one.setting.path[:4] for one in case.connectors if len(one.setting.path) > 4}
    for at in (top, *(one.setting for one in case.connectors)):
        if at is not None and len(at.spellings) > 1 and at.path not in outer:
            message = "Kibana joins the pieces, but people who change one of them do not see the others."
            yield hit(at, message, "Write it in one place.", found=f"{len(at.spellings)} spellings")
            return


@rule("variable-literal", "error", "A ${…} that Kibana does not replace.")
def variable_literal(case: Case) -> Iterator[Hit]:
    """Names and defaults are letters, digits and underscores; anything else stays as it is written."""
    for scalar, path in _scalars(case.document.root):
        if scalar.kind != "text" or "${" not in scalar.text:
            continue
        for match in _REFERENCE.finditer(scalar.text):
            if not VARIABLE.fullmatch(match[0]):
                found = plain_text(match[0])
                message = (
                    "Kibana replaces ${NAME} and ${NAME:default} with letters, digits and _ only; this stays as it is "
                    + ("written, and is used as the secret." if is_secret(path) else "written.")
                )
                fix = "Write ${NAME} and set the variable where Kibana starts."
                yield Hit(scalar.line, scalar.column, path_text(path), found, message, fix)
                break


@rule("exposed-simulated", "warning", "exposeConfig without enableNativeFunctionCalling, for a server with tool calls.")
def exposed_simulated(case: Case) -> Iterator[Hit]:
    """With the config in view, Kibana describes tools in the prompt unless the key is true."""
    for one in case.connectors:
        at = one.setting.get("exposeConfig")
        native = one.setting.get("config", _NATIVE)
        tools = one.id in case.site.tool_calling
        if at is None or not one.is_true("exposeConfig") or one.kind is None or one.kind.name != "gen-ai-other":
            continue
        if one.is_true("config", _NATIVE) or (native is not None and not tools):
            continue
        # Where the stack lacks the key, the file cannot say which server it is; and one without tool calls is well so.
        level: Level | None = "error" if tools else None if _native_known(case) else "note"
        message = (
            "With the config exposed Kibana describes tools in the prompt instead of calling them; servers set up for "
            "tool calls, such as vLLM with --enable-auto-tool-choice, fail on that (500, Missing name for tool use)."
        )
        yield hit(at, message, _native_fix(case), level=level)


@rule("context-unread", "warning", "contextWindowLength without exposeConfig.")
def context_unread(case: Case) -> Iterator[Hit]:
    """Kibana reads it only where the config is exposed."""
    for one in case.connectors:
        at = one.setting.get("config", "contextWindowLength")
        if at and one.kind and not one.is_true("exposeConfig"):
            message = "Kibana reads it only where the config is exposed, and guesses the context window otherwise."
            yield hit(at, message, "Add exposeConfig: true beside name.")


@rule("default-connector", "warning", "A default connector that is not in the file.")
def default_connector(case: Case) -> Iterator[Hit]:
    """An error where an id of the file was meant."""
    at = case.setting("uiSettings", "overrides", DEFAULT_KEY)
    ids = [one.id for one in case.connectors]
    if at is None or at.text is None or at.text in ids or at.text in _NO_CONNECTOR or "${" in at.text:
        return
    near = nearest(at.text, ids)
    message = "No connector of this file has the id. Unless it was made in Kibana, every assistant starts without one."
    fix = f"Write {near.replace('.', '-')}." if near else f"Write one of: {', '.join(ids) or 'no connectors here'}."
    yield hit(at, message, fix, level="error" if near else None)


@rule("default-only", "error", "Only the default connector is to be used, and none is set.")
def default_only(case: Case) -> Iterator[Hit]:
    """The assistants would have nothing to choose from."""
    at = case.setting("uiSettings", "overrides", ONLY_KEY)
    chosen = case.setting("uiSettings", "overrides", DEFAULT_KEY)
    if at and isinstance(at.value, Scalar) and at.value.text == "true" and chosen is None:
        message = "Without a default connector the assistants of every space have none to choose from."
        yield hit(at, message, f"Set {DEFAULT_KEY} beside it.", level="warning")


@rule("setting-newer-than-stack", "warning", "A setting around the connectors that the stack does not have yet.")
def setting_newer_than_stack(case: Case) -> Iterator[Hit]:
    """Overrides of unknown names do nothing; an unknown plugin's setting keeps Kibana from starting."""
    docs = ("xpack", "productDocBase", "artifactRepositoryUrl")
    for path, since, starts in (
        (("uiSettings", "overrides", DEFAULT_KEY), DEFAULT_SINCE, True),
        (("uiSettings", "overrides", ONLY_KEY), DEFAULT_SINCE, True),
        (("feature_flags", "overrides", *CHAT_MODEL_FLAG.split(".")), CHAT_MODEL_SINCE, True),
        (docs, PRODUCT_DOCS_SINCE, False),
        (docs, PRODUCT_DOCS_FILE_SINCE, True),
    ):
        at = case.setting(*path)
        is_file = at is not None and (at.text or "").startswith("file:")
        if at is None or since.has(case.site.stack) or (since is PRODUCT_DOCS_FILE_SINCE and not is_file):
            continue
        effect = "it has no effect" if starts else "Kibana does not start"
        message = f"It came with {since}: on Kibana {case.site.stack} {effect}."
        found = path_text(path).rsplit(".", 1)[-1]
        yield hit(at, message, "Remove it, or upgrade.", found=found, level=None if starts else "error")
        return


@rule("proxy-hosts", "warning", "proxyBypassHosts and proxyOnlyHosts together.")
def proxy_hosts(case: Case) -> Iterator[Hit]:
    """Kibana ignores the second."""
    at = case.setting("xpack", "actions", "proxyOnlyHosts")
    if at and case.setting("xpack", "actions", "proxyBypassHosts"):
        message = "Kibana ignores proxyOnlyHosts where proxyBypassHosts is set: every other host uses the proxy."
        yield hit(at, message, "Keep one of the two.")


@rule("same-name", "note", "Two connectors with one name.")
def same_name(case: Case) -> Iterator[Hit]:
    """People choose by name."""
    seen: dict[str, ConnectorView] = {}
    for one in case.connectors:
        name = one.of("name")
        if name and name in seen:
            at = one.setting.get("name") or one.setting
            message = f"The connector in line {seen[name].setting.line} has the same name; people choose by name."
            yield hit(at, message, "Give each a name of its own.")
        elif name:
            seen[name] = one


def _native_known(case: Case) -> bool:
    key = load("gen-ai-other").config_key(_NATIVE)
    return key is not None and key.since.has(case.site.stack)


def _native_fix(case: Case) -> str:
    if not _native_known(case):
        return (
            f"Remove exposeConfig if the server has tool calls: Kibana {case.site.stack} lacks {_NATIVE}, which came "
            "with 9.2."
        )
    return f"Add {_NATIVE}: true to config; or false, if the server has no tool calls."


def _scalars(root: Node | None) -> Iterator[tuple[Scalar, tuple[str, ...]]]:
    """Every scalar with its path, each once however many aliases name it."""
    waiting: list[tuple[Node, tuple[str, ...]]] = [(root, ())] if root else []
    seen: set[int] = set()
    while waiting and len(seen) < _MOST_SCALARS:
        node, path = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Scalar):
            yield node, path
        elif isinstance(node, Sequence):
            waiting.extend((item, path) for item in node.items)
        elif isinstance(node, Mapping):
            waiting.extend((entry.value, path + split(entry.key)) for entry in node.entries)


RULES = (
    two_spellings,
    mixed_spelling,
    variable_literal,
    exposed_simulated,
    context_unread,
    default_connector,
    default_only,
    setting_newer_than_stack,
    proxy_hosts,
    same_name,
)
