"""Whatever stands in bundle.yml: a Spec or a SpecError, quickly, and no secret in the words."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bundler.errors import SpecError
from bundler.spec.document import read_document
from bundler.spec.keys import SPEC
from bundler.spec.parse import parse_spec
from bundler.spec.wording import nearest, quoted
from tests.spec.texts import FULL, SMALLEST, load

_KEYS = st.sampled_from([*SPEC.all, "id", "url", "sha256", "folder", "path", "reference", "include", "image", ""])
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.sampled_from(["org/model", "vllm", "https://u:p@h/x", "oci:x", "extra/x", "a" * 64, "-", "llm-bundle/v1"]),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS | st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def _spec_or_refusal(text: str) -> None:
    try:
        parse_spec(text)
    except SpecError as error:
        assert error.message.startswith("bundle.yml")
        assert "\n" not in error.message


@given(st.text(max_size=200))
@settings(deadline=None)
@example('a: "\\Uffffffff"')
@example('"\\ud800": 1')
@example("a: 1\x85b: 2")
@example("? ")
@example("- - - -\n -")
@example("%TAG ! x\n---\n")
@example("a: !<tag:yaml.org,2002:str> b")
@example("a: |9999999999999999999999\n b")
@example("\ufeff\ufeffa: 1")
def test_any_text(text: str) -> None:
    _spec_or_refusal(text)


@given(st.text(alphabet="ab:-?!&*%#|>@`'\"{}[],\\ \n\t~<=0.", max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_of_yaml_characters(text: str) -> None:
    _spec_or_refusal(text)


@given(st.dictionaries(_KEYS, _VALUES, max_size=8))
@settings(deadline=None)
def test_any_mapping(value: dict[str, object]) -> None:
    _spec_or_refusal(json.dumps(value))


@given(st.sampled_from(sorted(SPEC.all)), _VALUES)
@settings(deadline=None)
def test_any_value_of_a_key_in_a_whole_spec(key: str, value: object) -> None:
    whole = load(FULL)
    assert isinstance(whole, dict)
    _spec_or_refusal(json.dumps({**whole, key: value}))


@given(st.integers(0, len(FULL) - 1), st.characters())
@settings(deadline=None)
def test_any_changed_character(position: int, character: str) -> None:
    _spec_or_refusal(FULL[:position] + character + FULL[position + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 500_000,
        "{" * 500_000,
        "- " * 300_000,
        "a: &a " + "x" * 900_000,
        "x" * 1_000_000 + ": 1",
        SMALLEST + "stack: '" + "9" * 900_000 + "'",
        SMALLEST + "files: [" + "{}, " * 200_000 + "]",
        "".join(f"k{i}: 1\n" for i in range(90_000)),
        SMALLEST.replace("org/model", "a" * 400_000),
        SMALLEST.replace("v0.9.1", "a-" * 200_000),
    ],
    ids=["flow", "braces", "dashes", "anchor", "key", "number", "list", "keys", "id", "tag"],
)
def test_large_texts_are_refused_soon(text: str) -> None:
    start = time.process_time()
    with pytest.raises(SpecError) as caught:
        parse_spec(text)
    assert time.process_time() - start < 15
    assert len(caught.value.message) < 1000


SECRETS = [
    SMALLEST + "hf_{0}: x\n",
    SMALLEST + "hf_{0}: x\nhf_{0}: y\n",
    SMALLEST + "signing: {{key: hf_{0}}}\n",
    SMALLEST + "registries: {{'user:{0}@registry.example': {{}}}}\n",
    SMALLEST + "registries: {{'https://user:{0}@registry.example': {{}}}}\n",
    SMALLEST + "registries: {{'https://user:{0}@registry.example': [&a 1]}}\n",
    SMALLEST + "registries: {{docker.io: {{mirrors: ['user:{0}@registry.example']}}}}\n",
    SMALLEST + "files: [{{url: 'https://user:{0}@h/x', sha256: '', path: extra/x}}]\n",
    SMALLEST + "files: [{{url: 'https://user:{0}/a @h/x', sha256: '', path: extra/x}}]\n",
    SMALLEST + "files: [{{url: 'https://user:{0}/a@h/x', sha256: '', path: extra/x}}]\n",
    SMALLEST + "files: [{{url: 'ftp://{0}/a@h/x', sha256: '', path: extra/x}}]\n",
    SMALLEST + "files: [{{url: 'ftp://user:{0}@h/x', sha256: '', path: extra/x}}]\n",
    SMALLEST + "files: [{{url: 'ftp://h/x?token={0}', sha256: '', path: extra/x}}]\n",
    SMALLEST + "files: [{{url: 'https://h/x?sig={0}', sha256: '', path: extra/x}}]\n",
    SMALLEST + "  args: [--api-key={0}]\n",
    SMALLEST + "  args: ['--api-key {0}']\n",
    SMALLEST.replace("vllm/vllm-openai:v0.9.1", "user:{0}@registry.example/x"),
    SMALLEST.replace("vllm/vllm-openai:v0.9.1", "https://user:{0}@registry.example/x"),
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_never_repeated(text: str) -> None:
    secret = "q9W8e7R6t5Y4u3I2o1P0"
    with pytest.raises(SpecError) as caught:
        parse_spec(text.format(secret))
    assert secret not in caught.value.message + caught.value.hint
    assert secret not in repr(caught.value)


@given(st.text(max_size=300))
@settings(deadline=None)
def test_quoted_text_is_one_short_printable_line(text: str) -> None:
    shown = quoted(text)
    assert shown.isprintable()
    assert len(shown) < 600


def test_long_text_is_quoted_soon() -> None:
    start = time.process_time()
    assert len(quoted("a:" * 300_000)) < 100
    assert time.process_time() - start < 5


def test_nearest_key() -> None:
    assert nearest("includes", ["include", "exclude"]) == 'did you mean "include"?'
    assert nearest("server-name", ["server_name", "run"]) == 'did you mean "server_name"?'
    assert nearest("x", ["include"]) == ""


def test_core_schema_of_yaml() -> None:
    text = "[no, 2026-11-20, 1.10, 0x1f, 012, ~, '', 'null', True, .inf, 1e3, 1_000, 9.2.0, null]"
    kinds = [getattr(item, "kind", None) for item in getattr(read_document(text, "x"), "items", ())]
    assert kinds == [
        *("text", "text", "number", "integer", "integer", "null", "text"),
        *("text", "boolean", "number", "number", "text", "text", "null"),
    ]
