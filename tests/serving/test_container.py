"""From a plan and the site's choices to a container."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bundler.serving import vllm
from bundler.serving.container import LABEL, NOBODY, Mount, SiteChoices, engine_container
from tests.serving.test_plan import PLAN

CHOICES = SiteChoices(
    release="/srv/releases/tiny",
    name="llm-bundle-engine",
    image="localhost/llm-bundle/vllm-openai:abababababab",
    network="llm-bundle",
    owner="tiny",
    entrypoint=("vllm", "serve"),
    env_file="/srv/secrets/engine.env",
)


def test_the_engine() -> None:
    spec = engine_container(replace(PLAN, replicas=1), CHOICES)
    assert spec.args == (
        *("/llm-bundle/model", "--max-model-len", "65536", "--tensor-parallel-size", "2"),
        *PLAN.args,
        *("--served-model-name", "org/name", "--host", "0.0.0.0", "--port", "8000"),
    )
    assert spec.mounts == (
        Mount("/srv/releases/tiny/models/org/name", "/llm-bundle/model"),
        Mount("/srv/releases/tiny/extra/tiktoken", "/llm-bundle/vocabularies"),
        Mount("/srv/releases/tiny/models/org/draft", "/llm-bundle/models/org/draft"),
        Mount("/srv/releases/tiny/extra/chat.jinja", "/llm-bundle/extra/chat.jinja"),
    )
    assert spec.cdi_devices == ("nvidia.com/gpu=all",)
    assert dict(spec.env)["TIKTOKEN_ENCODINGS_BASE"] == "/llm-bundle/vocabularies"
    assert (spec.user, spec.networks, spec.gpus, spec.restart) == (NOBODY, ("llm-bundle",), "all", "unless-stopped")
    assert (spec.capabilities, spec.resolves, spec.publish) == ((), False, ())
    assert spec.env_file == "/srv/secrets/engine.env"
    assert {one.target for one in spec.tmpfs} == {"/tmp", vllm.CACHE}
    assert dict(spec.labels) == {LABEL: "tiny"}
    assert spec.health is not None and "http://127.0.0.1:8000/health" in spec.health.command[-1]


@pytest.mark.parametrize(
    ("entrypoint", "first"),
    [
        (("vllm", "serve"), ("/llm-bundle/model",)),
        (("python3", "-m", "vllm.entrypoints.openai.api_server"), ("--model", "/llm-bundle/model")),
        ((), ("--model", "/llm-bundle/model")),
    ],
)
def test_how_the_image_is_told_the_model(entrypoint: tuple[str, ...], first: tuple[str, ...]) -> None:
    args = engine_container(PLAN, replace(CHOICES, entrypoint=entrypoint)).args
    assert args[: len(first)] == first


@pytest.mark.parametrize(
    ("image_user", "rootless", "user"),
    [("", False, NOBODY), ("root", False, NOBODY), ("0:0", True, "0:0"), ("2000", False, None), ("vllm:x", True, None)],
)
def test_users(image_user: str, rootless: bool, user: str | None) -> None:
    assert engine_container(PLAN, replace(CHOICES, image_user=image_user, rootless=rootless)).user == user


def test_a_gguf_file_keeps_its_neighbours() -> None:
    spec = engine_container(replace(PLAN, model="models/org/name/q4/a-00001-of-00002.gguf"), CHOICES)
    assert spec.mounts[0] == Mount("/srv/releases/tiny/models/org/name/q4", "/llm-bundle/model")
    assert spec.args[0] == "/llm-bundle/model/a-00001-of-00002.gguf"


def test_a_cache_on_disk() -> None:
    spec = engine_container(PLAN, replace(CHOICES, cache="/srv/cache"))
    assert Mount("/srv/cache", vllm.CACHE, writable=True) in spec.mounts
    assert {one.target for one in spec.tmpfs} == {"/tmp"}


@pytest.mark.parametrize(
    ("tag", "quiet"), [("v0.9.1", True), ("v0.10.2-cu126", True), ("v0.11.0", False), ("latest", False), (None, False)]
)
def test_prompts_are_not_logged(tag: str | None, quiet: bool) -> None:
    args = vllm.base_args(tag, ["--family"], ["--user"])
    assert args[-2:] == ("--family", "--user")
    assert ("--disable-log-requests" in args) is quiet


@pytest.mark.parametrize(
    ("args", "parser"),
    [((), None), (("--tool-call-parser", "a", "--tool-call-parser=b"), "b"), (("--tool_call_parser", "c"), "c")],
)
def test_the_tool_parser(args: tuple[str, ...], parser: str | None) -> None:
    assert vllm.tool_parser(args) == parser


def test_every_cache_is_where_writing_is_possible() -> None:
    folders = {value for value in vllm.ENVIRONMENT.values() if value.startswith("/")}
    assert folders
    assert all(value == vllm.CACHE or value.startswith(f"{vllm.CACHE}/") for value in folders)


@pytest.mark.parametrize(("replica", "ids"), [(0, (0, 1)), (1, (2, 3)), (2, (4, 5))])
def test_each_replica_has_gpus_of_its_own(replica: int, ids: tuple[int, ...]) -> None:
    spec = engine_container(PLAN, replace(CHOICES, replica=replica))
    assert spec.gpu_ids == ids
    assert spec.cdi_devices == tuple(f"nvidia.com/gpu={one}" for one in ids)
    assert spec.args[3:5] == ("--tensor-parallel-size", "2")


def test_without_gpus_there_are_none_to_share_out() -> None:
    spec = engine_container(PLAN, replace(CHOICES, replica=1, gpus="none"))
    assert (spec.gpu_ids, spec.cdi_devices) == ((), ())
