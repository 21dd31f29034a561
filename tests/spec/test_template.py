"""What ``init`` writes: it parses, it is for its family, and a newcomer can read it."""

from __future__ import annotations

import pytest

from bundler.errors import UsageError
from bundler.spec.families import families
from bundler.spec.model import Engine, HubModel
from bundler.spec.parse import parse_spec
from bundler.spec.template import init_text

NAMES = [family.name for family in families()]


@pytest.mark.parametrize("engine", ["vllm", "lmstudio"])
@pytest.mark.parametrize("name", NAMES)
def test_every_template_is_a_spec(name: str, engine: Engine) -> None:
    family = next(family for family in families() if family.name == name)
    text = init_text(name, engine=engine)
    spec = parse_spec(text)
    (model,) = spec.models
    assert isinstance(model, HubModel)
    assert model.id == (family.example.id if engine == "vllm" else family.example.gguf)
    assert (spec.name, spec.serve.engine, spec.connectors[0].provider) == (family.example.name, engine, engine)
    assert spec.serve.context is not None
    assert spec.serve.context <= family.context
    assert (engine == "vllm") == (spec.serve.image is not None)
    assert max(map(len, text.splitlines())) <= 120


def test_mistral_takes_one_set_of_weights() -> None:
    (model,) = parse_spec(init_text("mistral")).models
    assert isinstance(model, HubModel)
    assert model.files.include == ("consolidated*.safetensors", "params.json", "tekken.json")


def test_a_small_context_says_what_it_is_too_small_for() -> None:
    assert "Observability assistant needs 64000" in init_text("qwen2.5")
    assert "Observability assistant needs 64000" not in init_text("mistral")


@pytest.mark.parametrize("name", ["1.10", "true", "null", "0x10", "a-b"])
def test_name_is_taken_as_text(name: str) -> None:
    assert parse_spec(init_text("mistral", name=name)).name == name


@pytest.mark.parametrize("name", ["", "A", 'a"\nx: y', "a b", "a" * 65, "../a"])
def test_name_that_bundle_yml_does_not_permit(name: str) -> None:
    with pytest.raises(UsageError, match="expected a name of a-z"):
        init_text("mistral", name=name)


def test_unknown_family_lists_them() -> None:
    with pytest.raises(UsageError, match=r"expected one of mistral, .*generic, found \"mistal\"") as caught:
        init_text("mistal")
    assert caught.value.hint == 'did you mean "mistral"?'


def test_every_key_is_explained() -> None:
    lines = init_text("mistral").splitlines()
    for key in ("version", "platform", "stack", "models", "serve", "context", "gpus", "proxy", "connectors"):
        at = next(i for i, line in enumerate(lines) if line.strip().startswith(f"{key}:"))
        assert "#" in lines[at] + lines[at + 1], key


def test_what_is_commented_out_is_right_too() -> None:
    text = init_text("mistral")
    start = text.index("# files:")
    rest = "\n".join(line.removeprefix("# ") for line in text[start:].splitlines())
    rest = rest.replace("64 hexadecimal digits, as sha256sum prints them", "a" * 64)
    spec = parse_spec(text[:start] + rest)
    assert len(spec.files) == 1
    assert spec.signing_key == "cosign.key"
    assert spec.registries["registry.example:5000"].plain_http
