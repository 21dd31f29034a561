"""An image in a release, a plan that serves it, and a look at its container from inside."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bundler.digest import Digest
from bundler.serving import vllm
from bundler.serving.container import ContainerSpec, SiteChoices, engine_container
from bundler.serving.plan import ServePlan
from bundler.site.engines.interface import ContainerState, Engine
from bundler.site.engines.stored import StoredImage, read_image
from tests.counterparts.images import Image, write_layout

OWNER = "test"
NETWORK = "llm-bundle-test"
NAME = "llm-bundle-test-engine"
KEY = "secret-key-51c7"
IMAGE = "docker.io/vllm/vllm-openai:v0.10.2"
PLAN = ServePlan(
    image=IMAGE,
    digest=Digest("0" * 64),
    model="models/org/tiny",
    served_name="org/tiny",
    context=4096,
    args=("--enable-auto-tool-choice", "--tool-call-parser", "hermes"),
    env=tuple(sorted(vllm.ENVIRONMENT.items())),
    tool_parser="hermes",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A release on disk with one image; ``ulimits`` says whether this engine may set limits on this machine."""

    release: Path
    image: StoredImage
    ulimits: bool

    def spec(self, **changes: Any) -> ContainerSpec:
        """The container of the plan."""
        choices = SiteChoices(
            release=str(self.release),
            name=NAME,
            image=self.image.tag,
            network=NETWORK,
            owner=OWNER,
            entrypoint=self.image.entrypoint,
            image_user=self.image.user,
            gpus="none",
            env_file=str(self.release / "env"),
            nofile=1024 if self.ulimits else None,
            start_period=20,
        )
        spec = engine_container(PLAN, choices)
        assert spec.health is not None
        return replace(spec, health=replace(spec.health, interval=1), **changes)


def make_release(folder: Path, image: Image, *, ulimits: bool = True) -> Stage:
    """A release with ``image`` and a model."""
    (folder / "models/org/tiny").mkdir(parents=True)
    (folder / "models/org/tiny/config.json").write_text("{}")
    (folder / "env").touch(0o600)
    (folder / "env").write_text(f"# made by a test\nVLLM_API_KEY={KEY}\n")
    write_layout(folder / "images", {IMAGE: image})
    return Stage(folder, read_image(folder / "images", IMAGE, Digest.parse(image.digest)), ulimits)


def wait_for(engine: Engine, name: str, good: Callable[[ContainerState], bool], seconds: float = 20) -> ContainerState:
    """The state of the container as soon as it is ``good``."""
    until = time.monotonic() + seconds
    while True:
        state = engine.inspect(name)
        if state is not None and good(state):
            return state
        assert time.monotonic() < until, f"{state}\n{engine.logs(name)}"
        time.sleep(0.1)


def get(state: ContainerState, path: str, *, key: str = "", network: str = NETWORK, **query: str) -> tuple[int, Any]:
    """Status and JSON of what the container answers."""
    connection = http.client.HTTPConnection(state.addresses[network], 8000, timeout=20)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    connection.request("GET", path + (f"?{urlencode(query)}" if query else ""), headers=headers)
    answer = connection.getresponse()
    try:
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()
