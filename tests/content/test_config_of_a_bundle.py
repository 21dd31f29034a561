"""config/serve.json follows from the lock, and the site can read it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bundler.content.config import config_files, serve_plan
from bundler.digest import Digest
from bundler.lock.model import Lock, LockedFile
from bundler.lock.resolve import resolve
from bundler.serving.plan import PATH, decode
from bundler.sources.kinds import Sources
from bundler.spec.parse import read_spec
from examples.tiny.inputs import make_inputs
from tests.content.test_readme_of_a_bundle import EXAMPLE


@pytest.fixture(scope="module")
def lock(tmp_path_factory: pytest.TempPathFactory) -> Lock:
    folder = tmp_path_factory.mktemp("example")
    make_inputs(folder / "inputs")
    (folder / "bundle.yml").write_text(EXAMPLE.read_text())
    spec = read_spec(folder / "bundle.yml")
    return resolve(spec, Sources({}, spec.base))


def test_the_site_reads_what_was_written(lock: Lock) -> None:
    text = config_files(lock)[PATH]
    plan = decode(text.encode())
    assert plan == serve_plan(lock)
    engine = next(image for image in lock.images if image.role == "engine")
    assert (plan.image, plan.digest) == (engine.name, engine.digest)
    assert (plan.model, plan.served_name) == ("models/example/Tiny-Llama-Instruct", "example/Tiny-Llama-Instruct")
    assert plan.tool_parser == "llama3_json"
    assert plan.args[:4] == ("--disable-log-requests", "--enable-auto-tool-choice", "--tool-call-parser", "llama3_json")
    assert dict(plan.env)["HF_HUB_OFFLINE"] == "1"


def test_the_vocabularies_are_found_among_the_files(lock: Lock) -> None:
    assert (plan := serve_plan(lock)) and plan.vocabularies is None
    extra = LockedFile("extra/tiktoken/o200k_base.tiktoken", 3, Digest.of(b"abc"))
    assert (plan := serve_plan(replace(lock, extras=(extra,)))) and plan.vocabularies == "extra/tiktoken"


def test_several_engines(lock: Lock) -> None:
    assert (plan := serve_plan(lock)) and (plan.replicas, plan.upstreams, plan.beside) == (1, (), ())
    serve = {**lock.request["serve"], "replicas": 3, "upstreams": ["192.0.2.7:8000"]}
    plan = decode(config_files(replace(lock, request={**lock.request, "serve": serve}))[PATH].encode())
    assert (plan.replicas, plan.upstreams) == (3, ("192.0.2.7:8000",))


def test_what_arguments_name(lock: Lock) -> None:
    draft = replace(lock.models[0], id="org/draft", files=(LockedFile("q4/d.gguf", 1, Digest.of(b"x")),))
    args = ["--speculative-model=model://org/draft", "--tokenizer", "model://example/Tiny-Llama-Instruct",
            "--chat-template", "extra://t/chat.jinja"]  # fmt: skip
    request = {**lock.request, "serve": {**lock.request["serve"], "args": args}}
    plan = serve_plan(replace(lock, models=(*lock.models, draft), request=request))
    assert plan is not None
    assert plan.args[-5:] == (
        "--speculative-model=/llm-bundle/models/org/draft/q4/d.gguf",
        *("--tokenizer", "/llm-bundle/models/example/Tiny-Llama-Instruct"),
        *("--chat-template", "/llm-bundle/extra/t/chat.jinja"),
    )
    assert plan.beside == ("extra/t/chat.jinja", "models/example/Tiny-Llama-Instruct", "models/org/draft")
    assert decode(plan.encode()) == plan


def test_lm_studio_has_no_container(lock: Lock) -> None:
    request = {**lock.request, "serve": {**lock.request["serve"], "engine": "lmstudio"}}
    assert config_files(replace(lock, request=request)) == {}


def test_weights_in_one_file(lock: Lock) -> None:
    model = lock.models[0]
    files = tuple(LockedFile(f"q4/m-0000{n}-of-00002.gguf", 1, Digest.of(b"x")) for n in (2, 1))
    plan = serve_plan(replace(lock, models=(replace(model, files=files),)))
    assert plan is not None
    assert Path(plan.model).name == "m-00001-of-00002.gguf"
