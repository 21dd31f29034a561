"""Which GPUs a container is given, in the words of each engine."""

from __future__ import annotations

from typing import Any

import pytest

from bundler.serving.container import ContainerSpec, Gpus
from bundler.site.engines.docker_body import container_body
from bundler.site.engines.podman_args import create_args

# Docker: https://docs.docker.com/reference/api/engine/ (DeviceRequest: Count and DeviceIDs exclude each other).
ALL, CHOSEN = (), (2, 3)


@pytest.mark.parametrize(
    ("gpus", "ids", "requests"),
    [
        ("none", ALL, []),
        ("none", CHOSEN, []),
        ("all", ALL, [{"Count": -1, "Capabilities": [["gpu"]]}]),
        ("all", CHOSEN, [{"DeviceIDs": ["2", "3"], "Capabilities": [["gpu"]]}]),
        ("cdi", ALL, [{"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=all"]}]),
        ("cdi", CHOSEN, [{"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=2", "nvidia.com/gpu=3"]}]),
    ],
)
def test_docker(gpus: Gpus, ids: tuple[int, ...], requests: list[dict[str, Any]]) -> None:
    body = container_body(ContainerSpec("a", "b", gpus=gpus, gpu_ids=ids), ())
    assert body["HostConfig"]["DeviceRequests"] == requests


@pytest.mark.parametrize(
    ("gpus", "ids", "devices"),
    [
        ("none", CHOSEN, []),
        ("all", ALL, ["--device=nvidia.com/gpu=all"]),
        ("all", CHOSEN, ["--device=nvidia.com/gpu=2", "--device=nvidia.com/gpu=3"]),
        ("cdi", CHOSEN, ["--device=nvidia.com/gpu=2", "--device=nvidia.com/gpu=3"]),
    ],
)
def test_podman(gpus: Gpus, ids: tuple[int, ...], devices: list[str]) -> None:
    args = create_args(ContainerSpec("a", "b", gpus=gpus, gpu_ids=ids))
    assert [arg for arg in args if arg.startswith("--device")] == devices
