"""The families: the data is whole, models are recognised, and vLLM gets only what its version knows."""

from __future__ import annotations

import pytest

from bundler.spec.families import EngineArgs, Family, engine_args, families, family_of, release
from bundler.spec.reference import parse_reference

BY_NAME = {family.name: family for family in families()}
TOOLS = ("--enable-auto-tool-choice", "--tool-call-parser")
# serving.md: what 0.9.1 knows; it refuses to start with any other name.
KNOWN_TO_0_9_1 = {
    *("deepseek_v3", "granite", "granite-20b-fc", "hermes", "internlm", "jamba", "llama3_json", "llama4_json"),
    *("llama4_pythonic", "mistral", "phi4_mini_json", "pythonic"),
}


def test_the_families_there_are() -> None:
    expected = "mistral qwen2.5 qwen3 qwen3-coder gpt-oss llama3 llama4 glm-4.5 kimi-k2 gemma4 minimax-m2 generic"
    assert set(BY_NAME) == set(expected.split())
    assert families()[-1].name == "generic"


@pytest.mark.parametrize("family", families(), ids=list(BY_NAME))
def test_the_data_is_whole(family: Family) -> None:
    assert (family.tool_parser is None) == (family.tool_parser_since is None) == (not family.native_tools)
    assert all(pattern == pattern.lower() for pattern in family.ids)
    assert family.context >= 32768
    assert family.side_files
    image = parse_reference(family.example.image)
    version = release(image.tag)
    assert version is not None
    assert family.tool_parser_since is None or version >= family.tool_parser_since
    if family.name != "generic":
        assert family_of(family.example.id) is family
        assert family_of(family.example.gguf) is family


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("mistralai/Mistral-Small-3.2-24B-Instruct-2506", "mistral"),
        ("Qwen/Qwen2.5-7B-Instruct", "qwen2.5"),
        ("Qwen/Qwen3-8B", "qwen3"),
        ("Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8", "qwen3-coder"),
        ("openai/gpt-oss-120b", "gpt-oss"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama3"),
        ("meta-llama/Llama-4-Maverick-17B-128E-Instruct", "llama4"),
        ("zai-org/GLM-4.5", "glm-4.5"),
        ("moonshotai/Kimi-K2-Instruct-0905", "kimi-k2"),
        ("google/gemma-4-26B-A4B-it", "gemma4"),
        ("MiniMaxAI/MiniMax-M2", "minimax-m2"),
    ],
)
def test_models_are_recognised_by_id(model: str, name: str) -> None:
    found = family_of(model)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("model", ["google/gemma-3-27b-it", "deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "a/b"])
def test_others_are_not(model: str) -> None:
    assert family_of(model, "LlamaForCausalLM") is None


def test_architecture_counts_where_the_id_says_nothing() -> None:
    assert family_of("local/weights", "GptOssForCausalLM") is BY_NAME["gpt-oss"]
    assert family_of("openai/gpt-oss-20b", "Qwen3ForCausalLM") is BY_NAME["gpt-oss"]
    assert family_of("local/weights", "") is None


def test_mistral_gets_the_flags_of_the_guide() -> None:
    flags = ("--tokenizer-mode", "mistral", "--config-format", "mistral", "--load-format", "mistral")
    assert engine_args(BY_NAME["mistral"], "v0.9.1") == EngineArgs((*flags, *TOOLS, "mistral"))


def test_a_flag_whose_file_is_missing_is_left_out() -> None:
    files = ["tekken.json", "config.json", "model-00001-of-00002.safetensors"]
    found = engine_args(BY_NAME["mistral"], "v0.9.1", files)
    assert found.args == ("--tokenizer-mode", "mistral", *TOOLS, "mistral")
    assert [note.split(" is left out")[0] for note in found.notes] == [
        "--config-format mistral",
        "--load-format mistral",
    ]


@pytest.mark.parametrize("family", families(), ids=list(BY_NAME))
def test_0_9_1_gets_no_parser_that_it_does_not_know(family: Family) -> None:
    found = engine_args(family, "v0.9.1")
    given = "--tool-call-parser" in found.args
    assert given == (family.tool_parser in KNOWN_TO_0_9_1)
    assert given == ("--enable-auto-tool-choice" in found.args)
    assert given or any("tool" in note for note in found.notes)


def test_parser_by_version() -> None:
    family = BY_NAME["gpt-oss"]
    assert engine_args(family, "v0.10.2").args == (*TOOLS, "openai")
    assert engine_args(family, "v0.10.10-cu126") == EngineArgs((*TOOLS, "openai"))
    old = engine_args(family, "v0.10.1")
    assert old.args == ()
    assert "openai is left out: it needs vLLM 0.10.2 or newer, the image has 0.10.1" in old.notes[0]


@pytest.mark.parametrize("tag", [None, "latest", "nightly"])
def test_unknown_version_gets_the_parser_and_a_note(tag: str | None) -> None:
    found = engine_args(BY_NAME["glm-4.5"], tag)
    assert found.args == (*TOOLS, "glm45")
    assert "needs vLLM 0.10.1 or newer" in found.notes[0]


def test_code_of_the_repository_is_announced() -> None:
    assert "--trust-remote-code" in engine_args(BY_NAME["kimi-k2"], "v0.11.2").args
    assert "runs Python code" in engine_args(BY_NAME["kimi-k2"], "v0.11.2").notes[0]
