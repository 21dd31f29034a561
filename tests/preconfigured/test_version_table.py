"""Each key appears with its first stack version, and not one version before; nothing disappears in silence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from preconfigured import Connector, ConnectorError, Rendered, Since, StackVersion, schema
from preconfigured.connectors import render_connector
from tests.preconfigured.wishes import EVERYTHING, URL, VLLM, stack

FULL = EVERYTHING[0]
# From the reference on Kibana: the key, the version before, the first one.
TABLE = [
    ("exposeConfig", "8.17.9", "8.18.0"),
    ("exposeConfig", "8.17.9", "9.0.0"),
    ("verificationMode", "8.18.9", "8.19.0"),
    ("verificationMode", "9.0.9", "9.1.0"),
    ("contextWindowLength", "8.19.9", "9.2.0"),
    ("contextWindowLength", "9.1.9", "9.2.0"),
    ("enableNativeFunctionCalling", "9.1.9", "9.2.0"),
    ("temperature", "9.2.9", "9.3.0"),
]


def keys(rendered: Rendered) -> set[str]:
    return set(rendered.config) | ({"exposeConfig"} if rendered.expose_config else set())


def noted(rendered: Rendered, key: str) -> list[str]:
    return [note.text for note in rendered.notes if note.place.endswith(f".{key}")]


@pytest.mark.parametrize(("key", "before", "first"), TABLE)
def test_a_key_comes_with_its_first_version(key: str, before: str, first: str) -> None:
    # exposeConfig is held back for tool-calling servers on some stacks, which has its own test.
    wish = replace(FULL, native_function_calling=key == "enableNativeFunctionCalling")
    old, new = render_connector(wish, stack(before)), render_connector(wish, stack(first))
    assert key not in keys(old)
    assert key in keys(new)
    assert any("left out" in text and "without it" in text for text in noted(old, key))
    assert noted(new, key) == []


@pytest.mark.parametrize(("before", "first"), [("8.18.9", "8.19.0"), ("9.0.9", "9.1.0")])
def test_the_client_certificate_comes_with_its_first_version(before: str, first: str) -> None:
    wish = replace(FULL, pki=replace(FULL.pki, token=False) if FULL.pki else None)
    old, new = render_connector(wish, stack(before)), render_connector(wish, stack(first))
    assert [secret.name for secret in old.secrets] == ["apiKey"]
    assert any("client certificate is left out" in note.text for note in old.notes)
    assert [secret.name for secret in new.secrets] == ["certificateData", "privateKeyData", "caData"]
    assert "verificationMode" in new.config


def test_a_client_certificate_brings_the_verification_mode_along() -> None:
    rendered = render_connector(replace(FULL, verification_mode=None), stack("9.1.0"))
    assert rendered.config["verificationMode"] == "full"
    assert next(secret.name for secret in rendered.secrets) == "apiKey"


def test_provider_other_is_refused_before_its_first_version() -> None:
    with pytest.raises(ConnectorError, match=r"connectors\[.*\].provider: Kibana 8.15.3 has no") as error:
        render_connector(VLLM, stack("8.15.3"))
    assert "8.16" in error.value.hint
    assert render_connector(VLLM, stack("8.16.0")).config["apiProvider"] == "Other"
    with pytest.raises(ConnectorError, match="inference endpoint"):
        render_connector(EVERYTHING[-1], stack("8.17.0"))


@pytest.mark.parametrize("version", ["8.18.0", "8.19.4", "9.0.0", "9.1.9"])
def test_a_tool_calling_server_is_not_exposed_without_native_calls(version: str) -> None:
    rendered = render_connector(VLLM, stack(version))
    assert not rendered.expose_config
    assert any("left out on purpose" in text for text in noted(rendered, "exposeConfig"))
    asked_for = render_connector(replace(VLLM, expose_config=True), stack(version))
    assert asked_for.expose_config
    assert any("Missing name for tool use" in text for text in noted(asked_for, "exposeConfig"))


def test_the_two_keys_of_tool_calling_stand_together() -> None:
    rendered = render_connector(VLLM, stack("9.2.0"))
    assert rendered.expose_config
    assert rendered.config["enableNativeFunctionCalling"] is True
    without = render_connector(replace(VLLM, native_function_calling=False), stack("9.2.0"))
    assert without.config["enableNativeFunctionCalling"] is False
    hidden = render_connector(replace(VLLM, native_function_calling=False, expose_config=False), stack("9.2.0"))
    assert "enableNativeFunctionCalling" not in hidden.config
    older = render_connector(replace(VLLM, native_function_calling=False), stack("9.1.9"))
    assert "enableNativeFunctionCalling" not in older.config
    assert not any("enableNativeFunctionCalling" in note.place for note in older.notes)
    assert without.expose_config


def test_an_unexposed_context_is_noted_as_idle_and_a_small_one_as_too_small() -> None:
    hidden = render_connector(replace(VLLM, expose_config=False), stack("9.2.0"))
    assert any("no effect" in text for text in noted(hidden, "contextWindowLength"))
    small = render_connector(replace(VLLM, context=63_999), stack("9.2.0"))
    assert any("64000" in text for text in noted(small, "contextWindowLength"))
    assert noted(render_connector(replace(VLLM, context=64_000), stack("9.2.0")), "contextWindowLength") == []


VERSIONS = ("8.16.0", "8.18.0", "8.19.0", "9.0.0", "9.1.0", "9.2.0", "9.3.0", "9.6.0", "10.0.0")
CASES = [(wish, v) for wish in EVERYTHING for v in VERSIONS if (wish.provider, v) != ("inference", "8.16.0")]


@pytest.mark.parametrize(("wish", "version"), CASES, ids=lambda value: getattr(value, "id", value))
def test_what_is_rendered_fits_the_schema_of_its_stack(wish: Connector, version: str) -> None:
    rendered = render_connector(wish, stack(version))
    values = {s.name: {} if s.form == "empty" else "x" for s in rendered.secrets}
    config: dict[str, Any] = dict(rendered.config)
    document = {"config": config, "secrets": values}
    rules = schema.json_schema(rendered.schema, stack(version))
    jsonschema.Draft202012Validator.check_schema(rules)
    jsonschema.validate(document, rules, cls=jsonschema.Draft202012Validator)
    config["modelName"] = "m"
    with pytest.raises(jsonschema.ValidationError, match="modelName"):
        jsonschema.validate(document, rules, cls=jsonschema.Draft202012Validator)


def test_the_schema_of_an_older_stack_refuses_newer_keys() -> None:
    document = {
        "config": {"apiProvider": "Other", "apiUrl": URL, "defaultModel": "m", "temperature": 0.5},
        "secrets": {"apiKey": "x"},
    }
    jsonschema.validate(document, schema.json_schema("gen-ai-other", stack("9.3.0")))
    with pytest.raises(jsonschema.ValidationError, match="temperature"):
        jsonschema.validate(document, schema.json_schema("gen-ai-other", stack("9.2.9")))
    envelope = schema.json_schema(schema.ENVELOPE, stack("8.17.0"))
    with pytest.raises(jsonschema.ValidationError, match="exposeConfig"):
        jsonschema.validate({"name": "n", "actionTypeId": ".gen-ai", "exposeConfig": True}, envelope)


@pytest.mark.parametrize(
    ("text", "version"),
    [("9.2.0", (9, 2, 0)), ("v8.19", (8, 19, 0)), ("9.3.0-SNAPSHOT", (9, 3, 0)), ("10.0.11", (10, 0, 11))],
)
def test_versions_are_read(text: str, version: tuple[int, int, int]) -> None:
    assert StackVersion.parse(text) == StackVersion(*version)


@pytest.mark.parametrize("text", ["", "9", "9.x", "9.2.0.1", " 9.2.0", "9.2.0\n", "٩.2.0", "99999.1.0", "9.2.0-"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ConnectorError, match=r"stack: expected a version such as 9\.2\.0"):
        StackVersion.parse(text)


def test_versions_compare_as_numbers() -> None:
    assert stack("8.9.0") < stack("8.10.0") < stack("9.0.0")
    since = Since.parse(["9.1.0", "8.19.0"])
    assert [since.has(stack(v)) for v in ("7.17.0", "8.18.9", "8.19.0", "9.0.5", "9.1.0", "10.0.0")] == [
        False, False, True, False, True, True,
    ]  # fmt: skip
    assert Since().has(stack("7.0.0"))


def test_a_private_endpoint_of_bedrock_says_its_region_where_kibana_takes_it() -> None:
    wish = Connector("bed", "Bedrock", "bedrock", url="https://bedrock.example.internal", region="eu-central-1")
    assert render_connector(wish, stack("9.4.0")).config["region"] == "eu-central-1"
    older = render_connector(wish, stack("9.3.0"))
    assert "region" not in older.config
    assert any("us-east-1" in text for text in noted(older, "config.region"))
    assert "region" not in render_connector(replace(wish, url=""), stack("9.4.0")).config
