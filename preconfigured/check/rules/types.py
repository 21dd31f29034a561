"""Rules about values: types, formats, words out of a list, and what must be there."""

from __future__ import annotations

import json
from collections.abc import Iterator

from preconfigured import schema
from preconfigured.check.against import Problem
from preconfigured.check.case import Case, ConnectorView, action_type_meant, provider_meant, providers
from preconfigured.check.near import nearest, right_key
from preconfigured.check.rules.rule import Hit, hit, rule
from preconfigured.check.shown import HIDDEN
from preconfigured.check.tree import Scalar
from preconfigured.connectors.interface import MIN_CONTEXT

_NO_START = "Kibana does not start"
_FIRST_USE = "Kibana starts, but refuses the connector when somebody first uses it"
# They have a rule of their own, which says more.
_OWN_RULE = frozenset({"apiProvider", "provider", "credentialsJson", "actionTypeId"})


def _when(case: Case, path: tuple[str, ...]) -> str:
    return _FIRST_USE if case.part_of(path) else _NO_START


@rule("wrong-type", "error", "A value of a type that the setting does not take.")
def wrong_type(case: Case) -> Iterator[Hit]:
    """Numbers may stand in quotes, true and false of a connector's config may not."""
    for problem in case.problems:
        # A header with dots is a mapping, which is said by a rule of its own.
        header = problem.setting.is_section and problem.setting.path[-2:-1] == ("headers",)
        if problem.kind == "type" and problem.name != "credentialsJson" and not header:
            message = f"Expected {problem.expected}. {_when(case, problem.setting.path)}."
            yield hit(problem.setting, message, _type_fix(problem.setting.value, problem.schema.get("type")))


@rule("bad-value", "error", "A value that the setting does not take.")
def bad_value(case: Case) -> Iterator[Hit]:
    """Words out of a list, numbers out of a range, texts that must not be empty."""
    for problem in case.problems:
        if problem.kind == "value" and not (problem.name in _OWN_RULE and "enum" in problem.schema):
            near = nearest(problem.setting.text or "", problem.schema.get("enum", ()))
            fix = f'Write "{near}".' if near else f"Write {problem.expected}."
            secret = "secrets" in problem.setting.path and not problem.setting.text
            if not secret:
                message = f"Expected {problem.expected}. {_when(case, problem.setting.path)}."
                yield hit(problem.setting, message, fix)


@rule("bad-format", "error", "A duration or a size that Kibana cannot read.")
def bad_format(case: Case) -> Iterator[Hit]:
    """``responseTimeout`` and ``maxResponseContentLength``; hosts have a rule of their own."""
    for problem in case.problems:
        if problem.kind == "format" and problem.schema.get("format") != "hostname":
            message = f"Expected {problem.expected}. {_NO_START}."
            yield hit(problem.setting, message, f"Write {problem.expected}, without spaces.")


@rule("missing-key", "error", "A key that must be there is not.")
def missing_key(case: Case) -> Iterator[Hit]:
    """Secrets have a rule of their own, since they may lie in the keystore."""
    for problem in case.problems:
        if problem.kind == "missing" and problem.setting.name != "secrets" and not _misspelt(problem):
            about = problem.schema["properties"][problem.name].get("description", "")
            message = f"{about} {_FIRST_USE if problem.setting.name == 'config' else _NO_START}.".strip()
            path = (*problem.setting.path, problem.name)
            yield hit(problem.setting, message, f"Add {problem.name}.", found=f"no {problem.name}", path=path)
    for one in case.connectors:
        if one.kind and one.setting.get("config") is None:
            yield from _no_config(one)


@rule("unknown-action-type", "error", "A connector type that does not exist.")
def unknown_action_type(case: Case) -> Iterator[Hit]:
    """Kibana says at first use: Action type … is not registered."""
    known = schema.raw(schema.ACTION_TYPES)["types"]
    for one in case.connectors:
        at = one.setting.get("actionTypeId")
        if at is None or not at.text or at.text in known or "${" in at.text:
            continue
        near = action_type_meant(at.text)
        message = "Kibana starts, but on first use says that the action type is not registered."
        fix = f'Write "{near}".' if near else "Write a connector type that your Kibana has, such as .gen-ai."
        yield hit(at, message, fix, level=None if near else "warning")


@rule("provider", "error", "A provider that does not exist.")
def provider(case: Case) -> Iterator[Hit]:
    """``apiProvider`` of .gen-ai and ``provider`` of .inference."""
    for problem in case.problems:
        if problem.kind != "value" or "enum" not in problem.schema or problem.setting.text is None:
            continue
        if problem.name == "apiProvider":
            near = provider_meant(problem.setting.text)
            fix = f'Write "{near or "Other"}"' + ("." if near else "; it stands for any server of your own.")
            yield hit(problem.setting, f"Expected one of {', '.join(providers())}. {_FIRST_USE}.", fix)
        elif problem.name == "provider":
            choices = problem.schema["enum"]
            near = nearest(problem.setting.text, choices) or "openai"
            own = " A server of your own, also vLLM, is openai with its own url."
            yield hit(problem.setting, f"There is no such provider.{own} {_FIRST_USE}.", f'Write "{near}".')


@rule("credentials-json", "error", "credentialsJson of .gemini that is no text of JSON.")
def credentials_json(case: Case) -> Iterator[Hit]:
    """It must be one string: the key file's text, not YAML of the same content."""
    for one in case.connectors:
        at = one.setting.get("secrets", "credentialsJson")
        if at is None or one.kind is None or one.kind.name != "gemini":
            continue
        fix = "Put the key file's text into the keystore as one JSON string, or in single quotes here."
        if at.text is None:
            found = HIDDEN + (", a mapping" if at.is_section else ", no text")
            yield hit(at, f"Expected a text. {_FIRST_USE}.", fix, found=found)
        elif "${" not in at.text and at.text and not _is_object(at.text):
            yield hit(at, "Expected the text of a service account's key file, which is JSON.", fix, found=HIDDEN)


@rule("small-context", "note", "A context window that is too small for the Observability AI Assistant.")
def small_context(case: Case) -> Iterator[Hit]:
    """Elastic names 64,000 tokens."""
    for one in case.connectors:
        at = one.setting.get("config", "contextWindowLength")
        digits = at.value.text if at and isinstance(at.value, Scalar) else ""
        if at and digits.isdecimal() and len(digits) < 9 and 0 < int(digits) < MIN_CONTEXT:
            message = f"The Observability AI Assistant needs a context window of at least {MIN_CONTEXT:,} tokens."
            yield hit(at, message, "Start the server with a larger one and say so here, or do not choose it there.")


def _misspelt(problem: Problem) -> bool:
    """Whether the missing key is there under another name, which is said by a rule of its own."""
    known = problem.schema["properties"]
    return any(right_key(name, known) == problem.name for name in problem.setting.children if name not in known)


def _no_config(one: ConnectorView) -> Iterator[Hit]:
    path = (*one.setting.path, "config")
    yield hit(one.setting, f"The type needs settings. {_FIRST_USE}.", "Add config.", found="no config", path=path)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _type_fix(value: object, wanted: object) -> str:
    if isinstance(value, Scalar):
        if wanted == "string":
            return "Give it a text." if value.kind == "null" else "Put the value in quotes."
        if wanted == "boolean" and "${" in value.text:
            return "Write true or false; a variable is always text."
        if wanted == "boolean" and value.text.lower() in {"true", "false"}:
            return f"Write {value.text.lower()}, without quotes."
        if value.kind == "null":
            return "Give it a value, or remove the key."
    return {
        "boolean": "Write true or false.",
        "number": "Write a number.",
        "array": "Write a list: one - VALUE in each line below.",
        "object": "Write KEY: VALUE lines below it.",
        "string": "Write one text.",
    }.get(str(wanted), "Mend the value.")


RULES = (
    wrong_type,
    bad_value,
    bad_format,
    missing_key,
    unknown_action_type,
    provider,
    credentials_json,
    small_context,
)
