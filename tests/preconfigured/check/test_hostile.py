"""Whatever stands in the text: nothing is raised, and no secret is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from preconfigured import StackVersion, schema
from preconfigured.check import RULES, check, findings_json, lines, sarif
from tests.preconfigured.check.samples import FOLDER

STACK = StackVersion(9, 2)
NAMES = sorted(
    {"xpack", "actions", "preconfigured", "xpack.actions", "xpack.actions.preconfigured", "uiSettings.overrides",
     "vllm", "a.b", "[a.b]", "", "__proto__", "constructor", "12", "config", "secrets", "headers", "<<", "[]", ".",
     "..", "smtp", "genAiSettings:defaultAIConnector", "genAiSettings:defaultAIConnectorOnly"}
    | set(schema.raw(schema.ENVELOPE)["properties"]) | set(schema.raw(schema.ACTIONS)["properties"])
    | {key for name in schema.NAMES for part in ("config", "secrets")
       for key in schema.raw(name)["properties"][part]["properties"]}
)  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(),
    st.text(max_size=30),
    st.sampled_from([
        ".gen-ai", ".gemini", ".inference", "Other", "OpenAI", "Azure OpenAI", "https://a.example/v1", "http://[",
        "//:x", "https://a:99999/", "https://[::1]:5/v1/chat/completions", "${A}", "${A:b-c}", "${", "a:1", "1e999",
        "*", "-0", "https://a.example:0/", "https://xn--a/", "http://%00/", "smtp://h", "9" * 400, "\u0663",
    ]),
)  # fmt: skip
TREES = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), inner),
    max_leaves=25,
)
CONNECTORS = st.dictionaries(
    st.sampled_from(["vllm", "a.b", "[a.b]", "", "12", "constructor"]),
    st.dictionaries(
        st.sampled_from(NAMES), st.dictionaries(st.sampled_from(NAMES), TREES, max_size=5) | TREES, max_size=6
    ),
    max_size=3,
)
FAST = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def checked(text: str) -> str:
    """Everything that a check of the text says, in all its forms."""
    said = ""
    for keystore in (None, ["xpack.actions.preconfigured.vllm.secrets.apiKey"]):
        found = check(text, stack=STACK, keystore=keystore, private_hosts=["a.example"], tool_calling=["vllm"])
        for finding in found:
            assert finding.rule in RULES
            assert finding.line >= 1
            assert finding.column >= 1
        said += json.dumps(findings_json(found)) + json.dumps(sarif(found)) + "\n".join(lines(found))
    return said


@FAST
@given(st.text())
@example("a: *a")
@example("%YAML 9.9\n---\na: 1")
@example("%TAG ! tag:x,2000:\n---\na: !b c")
@example("a: !!binary x\nb: !!float y\n")
@example("? a\n: b\n? [c]\n: d\n? {e: f}\n")
@example("\ud800")
@example("a: \u2028b")
@example("'")
def test_any_text(text: str) -> None:
    checked(text)


@FAST
@given(st.text(alphabet=" \t\n-:[]{}\"'#&*!|>%@`,?.<$aAx1", max_size=120))
def test_any_text_of_yamls_own_signs(text: str) -> None:
    checked(text)


@FAST
@given(TREES)
def test_any_tree(tree: Any) -> None:
    checked(json.dumps(tree))


@FAST
@given(CONNECTORS, st.dictionaries(st.sampled_from(NAMES), TREES, max_size=4))
def test_any_connectors(connectors: Any, others: Any) -> None:
    checked(json.dumps({"xpack.actions.preconfigured": connectors, "xpack.actions": others, "uiSettings": others}))


@FAST
@given(st.data())
def test_a_damaged_sample(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(FOLDER.glob("*-bad*.yml"))))
    text = path.read_text(encoding="utf-8")
    at = data.draw(st.integers(0, len(text)))
    checked(text[:at] + data.draw(st.text(max_size=3)) + text[at + data.draw(st.integers(0, 5)) :])


SECRET = "sesame-Open7-x"
PLACES = [
    "secrets: {apiKey: %s}", "secrets: {apikey: %s}", "secrets: {token: %s}", "secrets: %s", "secrets: [%s]",
    "secrets: {%s: x}", "secrets: {apiKey: {%s: x}}", "secrets: {apiKey: [%s]}", "secrets: {apiKey: ${K:%s}}",
    "secrets: {apiKey: ${K%s}}", "secrets: {apiKey: *%s}", "secrets: {apiKey: !%s x}", "secrets: {apiKey: !%s!y x}",
    "secrets: {apiKey: a, apiKey: %s}", "secrets: {%s: a, %s: b}", "secrets: {apiKey: '%s", "secrets: {apiKey: \"%s",
    "secrets: {apiKey: %s: x}", "secrets:\n      - apiKey: %s", "secrets:\n      apiKey: |\n%s", "secrets.apiKey: %s",
    "secrets.apiKey.%s: x", "secrets: {credentialsJson: {private_key: %s}}", "secrets: {caData: %s}",
    "secrets: {certificateData: %s}", "secrets: {accessKey: %s, secret: %s}", "secrets: {apiKey: @%s}",
    "config: {apiKey: %s}", "config: {token: %s}", "apiKey: %s", "config: {headers: {Authorization: %s}}",
    "config: {headers: {X-Any: %s}}", "config: {headers: {X.Y: {a: %s}}}", "config: {headers: [%s]}",
    "config: {apiUrl: 'https://u:%s@a.example/v1'}", "config: {apiUrl: 'https://%s@a.example/v1'}",
    "config: {apiUrl: 'https://a.example/v1?key=%s'}", "config: {apiUrl: 'u:%s@a.example/v1'}",
    "config: {apiUrl: 'https://u:%s@a.example:99999/v1/chat/completions'}", "config: {apiUrl: 'https://a.example/#%s'}",
    "config: {apiUrl: 'https://${U:%s}@a.example/'}", "config: {defaultModel: 'Bearer %s'}",
]  # fmt: skip
TYPES = [
    ("actionTypeId: .gen-ai", "apiProvider: Other"),
    ("actionTypeId: .gemini", "x: y"),
    ("actionTypeId: .email", "x: y"),
    ("x: y", "apiProvider: OpenAI"),
]


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_never_shown(place: str) -> None:
    for action, _ in TYPES:
        line = place.replace("%s", SECRET)
        for head in ("xpack.actions.preconfigured:\n  vllm:\n", "xpack:\n actions:\n  preconfigured:\n   vllm:\n"):
            text = f"{head}    name: x\n    {action}\n    {line}\n"
            said = checked(text)
            assert "sesame" not in said, (text, said)
            assert "Open7" not in said


def test_a_secret_of_another_setting_is_not_shown() -> None:
    for text in (
        f"elasticsearch.password: ${{P:{SECRET}}}\nelasticsearch.password: {SECRET}\n",
        f"xpack.actions.proxyHeaders: {SECRET}\n",
        f"xpack.actions.proxyUrl: {{'http://u:{SECRET}@p': 1}}\n",
        f"xpack.actions.customHostSettings: ['https://u:{SECRET}@h']\n",
    ):
        assert "sesame" not in checked(text), text
