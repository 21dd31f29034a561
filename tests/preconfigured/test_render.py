"""What stands in the snippet is what was asked for, whatever the texts are; secrets stand in it only when asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preconfigured import Connector, ConnectorError, Settings, UsageError, snippet
from tests.preconfigured.wishes import EVERYTHING, URL, VLLM, read, stack

GOLDEN = Path(__file__).parent / "data"

ids = st.from_regex(r"[a-z0-9-]{0,20}[a-z][a-z0-9-]{0,20}", fullmatch=True).filter(
    lambda text: not text.startswith("-") and not text.endswith("-") and text != "constructor"
) | st.sampled_from(["null", "true", "no", "y", "1e3", "0x1f", "off", "nan"])
texts = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp"], include_characters=" \"'#:{}[]&*!|>%@`,?-\\~"),
    min_size=1,
    max_size=60,
).filter(lambda text: bool(text.strip()) and "${" not in text) | st.sampled_from(
    ["null", "~", "yes", "No", "1", "1.0", "0o7", "1_000", "2026-11-01", ".inf", "- a", "a: b", "a #b", " a ", "<<"]
)
hosts = st.from_regex(r"[a-z][a-z0-9-]{0,9}[a-z0-9](\.[a-z][a-z0-9]{0,5}){0,3}", fullmatch=True)
prefixes = st.from_regex(r"(/[A-Za-z0-9._~@:+-]{1,12}){0,3}", fullmatch=True)
header_names = st.from_regex(r"x-[A-Za-z0-9!#$%&'*+^_`|~-]{1,20}", fullmatch=True)


@settings(max_examples=150, deadline=None)
@given(
    connector_id=ids,
    name=texts,
    model=texts,
    host=hosts,
    prefix=prefixes,
    headers=st.dictionaries(header_names, texts, max_size=3),
    context=st.none() | st.integers(1, 10**9),
    temperature=st.none() | st.floats(0, 2),
    mode=st.sampled_from(["keystore", "env"]),
)
def test_every_text_comes_back(
    connector_id: str,
    name: str,
    model: str,
    host: str,
    prefix: str,
    headers: dict[str, str],
    context: int | None,
    temperature: float | None,
    mode: Literal["keystore", "env"],
) -> None:
    url = f"https://{host}{prefix}/v1/chat/completions"
    wish = Connector(connector_id, name, "vllm", url, model, context, temperature=temperature, headers=headers)
    made = snippet([wish], Settings(default_connector=connector_id), stack=stack(), secrets=mode)
    made.text.encode()
    found = read(made.text)
    assert list(found["xpack.actions.preconfigured"]) == [connector_id]
    entry = found["xpack.actions.preconfigured"][connector_id]
    expected = {"apiProvider": "Other", "apiUrl": url, "defaultModel": model, "enableNativeFunctionCalling": False}
    optional = {"headers": headers or None, "contextWindowLength": context, "temperature": temperature}
    assert entry["config"] == expected | {k: v for k, v in optional.items() if v is not None}
    assert entry["name"] == name
    assert entry["exposeConfig"] is True
    assert found["uiSettings.overrides"] == {"genAiSettings:defaultAIConnector": connector_id}
    assert ("secrets" in entry) == (mode == "env")


@settings(max_examples=60, deadline=None)
@given(value=st.text(st.characters(codec="utf-8", exclude_characters=[chr(c) for c in range(32)]), min_size=1))
def test_an_inline_secret_comes_back_and_is_marked(value: str) -> None:
    if "${" in value:
        value = value.replace("${", "$")
    made = snippet([VLLM], Settings(), stack=stack(), secrets="inline", values={VLLM.id: {"apiKey": value}})
    assert read(made.text)["xpack.actions.preconfigured"][VLLM.id]["secrets"] == {"apiKey": value}
    assert made.holds_secrets
    assert "SECRET" in made.text
    assert "text=" not in repr(made)


@pytest.mark.parametrize("name", ["vllm-9.2.0", "vllm-9.1.0"])
def test_a_readable_example_stays_as_it_is(name: str) -> None:
    version = name.removeprefix("vllm-")
    wish = Settings(private_ca="/etc/kibana/certs/llm-ca.crt", default_connector=VLLM.id)
    made = snippet([VLLM], wish, stack=stack(version))
    assert made.text == (GOLDEN / f"{name}.yml").read_text(encoding="utf-8")


def test_the_keystore_keeps_every_secret_out_and_is_named() -> None:
    made = snippet(EVERYTHING, Settings(), stack=stack())
    entries = read(made.text)["xpack.actions.preconfigured"]
    assert {name: entry.get("secrets") for name, entry in entries.items() if "secrets" in entry} == {
        "endpoint": {"providerSecrets": {}}
    }
    for key in ("vllm.secrets.apiKey", "vllm.secrets.privateKeyData", "gemini.secrets.credentialsJson"):
        assert f"#   xpack.actions.preconfigured.{key}\n" in made.text
    assert "in every space at once" in made.text
    assert not made.holds_secrets


def test_variables_are_named_after_connector_and_secret() -> None:
    made = snippet(EVERYTHING, Settings(), stack=stack(), secrets="env")
    entries = read(made.text)["xpack.actions.preconfigured"]
    assert entries["vllm"]["secrets"]["privateKeyData"] == "${LLM_BUNDLE_VLLM_PRIVATE_KEY_DATA}"
    assert entries["bedrock"]["secrets"] == {
        "accessKey": "${LLM_BUNDLE_BEDROCK_ACCESS_KEY}",
        "secret": "${LLM_BUNDLE_BEDROCK_SECRET}",
    }
    found = snippet([VLLM], Settings(), stack=stack(), secrets="env").text
    assert "${LLM_BUNDLE_VLLM_MISTRAL_SMALL_API_KEY}" in found


def test_everything_has_a_comment_or_explains_itself() -> None:
    lines = snippet(EVERYTHING, Settings(), stack=stack()).text.splitlines()
    bare = {
        line.split(":")[0].strip()
        for before, line in zip(["", *lines], lines, strict=False)
        if line.strip() and not line.lstrip().startswith("#") and not before.lstrip().startswith("#")
    }
    ids_ = {wish.id for wish in EVERYTHING}
    structure = {"xpack.actions.preconfigured", "actionTypeId", "config", "url", "model_id", "X-Team"}
    structure |= {"providerSecrets", "securitySolution.inferenceChatModelDisabled"}
    assert bare - ids_ <= structure


def test_two_interpreters_with_other_hash_seeds_write_the_same() -> None:
    code = (
        "from preconfigured import *; from tests.preconfigured.wishes import *;"
        "print(snippet(EVERYTHING, Settings(allowed_hosts=('a.example', 'b.example')), stack=stack()).text)"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONUTF8": "1"},
            check=True,
            capture_output=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("4711", "Asia/Tokyo"))
    }
    assert len(outputs) == 1


def test_importing_it_brings_nothing_heavy_along() -> None:
    code = (
        "import sys, preconfigured;"
        "print(sorted({name.split('.')[0] for name in sys.modules}"
        " & {'bundler', 'click', 'rich', 'requests', 'ruamel', 'jsonschema', 'huggingface_hub', 'kibana_assets'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(ConnectorError, match="at least one, found none"):
        snippet([], Settings(), stack=stack())
    with pytest.raises(ConnectorError, match=r"connectors\[vllm-mistral-small\].id: expected ids that differ"):
        snippet([VLLM, replace(VLLM, url=URL)], Settings(), stack=stack())
    with pytest.raises(UsageError, match="values were given"):
        snippet([VLLM], Settings(), stack=stack(), values={VLLM.id: {"apiKey": "s3cret"}})
    with pytest.raises(UsageError, match="expected one of keystore, env, inline"):
        snippet([VLLM], Settings(), stack=stack(), secrets="file")  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [{}, {"vllm": {"apiKey": "x"}}, {VLLM.id: {"apiKey": ""}}])
def test_inline_without_the_value_is_refused(values: dict[str, dict[str, str]]) -> None:
    with pytest.raises(UsageError, match=r"vllm-mistral-small\.secrets\.apiKey, found none"):
        snippet([VLLM], Settings(), stack=stack(), secrets="inline", values=values)


@pytest.mark.parametrize("value", ["hunter2${HOME}", "hunter2\x00", "hunter2\ud800"])
def test_an_inline_secret_that_cannot_stand_there_is_refused_unseen(value: str) -> None:
    with pytest.raises(UsageError, match="cannot stand in kibana") as error:
        snippet([VLLM], Settings(), stack=stack(), secrets="inline", values={VLLM.id: {"apiKey": value}})
    assert "hunter2" not in error.value.message + error.value.hint
