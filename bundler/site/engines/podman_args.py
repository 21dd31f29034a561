"""ContainerSpec → the arguments of ``podman create``, and what ``podman inspect`` says read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bundler.serving.container import LABEL, ContainerSpec
from bundler.site.engines.interface import ContainerState


def create_args(spec: ContainerSpec) -> tuple[str, ...]:
    """What follows ``podman create``; also what a Quadlet unit would say in its own keys. No secret is in it."""
    return (
        *(f"--name={spec.name}", "--pull=never", "--read-only", "--read-only-tmpfs=false", "--cap-drop=all"),
        *(f"--cap-add={capability}" for capability in spec.capabilities),
        *("--security-opt=no-new-privileges", f"--restart={spec.restart}", f"--stop-timeout={spec.stop_timeout}"),
        *_process(spec),
        *_network(spec),
        *storage_args(spec),
        *limit_args(spec),
        *health_args(spec),
        *(f"--label={name}={value}" for name, value in spec.labels),
        spec.image,
        *spec.args,
    )


def _process(spec: ContainerSpec) -> Iterator[str]:
    yield from (f"--env={name}={value}" for name, value in spec.env)
    if spec.env_file:
        yield f"--env-file={spec.env_file}"
    if spec.user is not None:
        yield f"--user={spec.user}"
    if spec.gpus != "none":
        yield "--device=nvidia.com/gpu=all"


def _network(spec: ContainerSpec) -> Iterator[str]:
    if not spec.networks:
        yield "--network=none"
    elif not spec.resolves:
        yield "--dns=127.0.0.1"
    for at, network in enumerate(spec.networks):
        yield f"--network={network}:ip={spec.address}" if spec.address and at == 0 else f"--network={network}"
    for one in spec.publish:
        address = f"[{one.address}]" if ":" in one.address else one.address
        yield f"--publish={address}:{one.port}:{one.container_port}"


def storage_args(spec: ContainerSpec) -> Iterator[str]:
    """Mounts, file systems in memory and shared memory."""
    for one in spec.mounts:
        yield f"--volume={one.source}:{one.target}:{'rw' if one.writable else 'ro'}"
    for tmpfs in spec.tmpfs:
        mode = "exec" if tmpfs.executable else "noexec"
        yield f"--tmpfs={tmpfs.target}:rw,nosuid,nodev,{mode},mode=1777,size={tmpfs.size}"
    yield f"--shm-size={spec.shm}b"


def limit_args(spec: ContainerSpec) -> Iterator[str]:
    """Limits and the log."""
    yield from (f"--ulimit={one.name}={one.soft}:{one.hard}" for one in spec.ulimits)
    yield from ("--log-driver=k8s-file", f"--log-opt=max-size={spec.logs.size}b")


def health_args(spec: ContainerSpec) -> Iterator[str]:
    """The health check."""
    if spec.health:
        yield f"--health-cmd={json.dumps(list(spec.health.command))}"
        yield f"--health-interval={spec.health.interval}s"
        yield f"--health-timeout={spec.health.timeout}s"
        yield f"--health-retries={spec.health.retries}"
        yield f"--health-start-period={spec.health.start_period}s"


def container_state(name: str, found: dict[str, Any], health: str | None) -> ContainerState:
    """The state, of what ``podman container inspect`` prints; ``health`` as it was asked for just now."""
    state, config = found.get("State") or {}, found.get("Config") or {}
    networks = (found.get("NetworkSettings") or {}).get("Networks") or {}
    return ContainerState(
        name=name,
        status={"configured": "created", "stopped": "exited"}.get(str(state.get("Status")), str(state.get("Status"))),
        health=health,
        exit_code=int(state.get("ExitCode") or 0),
        error=str(state.get("Error") or ""),
        started=str(state.get("StartedAt", "")),
        restarts=int(found.get("RestartCount") or 0),
        image_id=f"sha256:{str(found.get('Image', '')).removeprefix('sha256:')}",
        owner=(config.get("Labels") or {}).get(LABEL),
        addresses={network: str(one.get("IPAddress") or "") for network, one in networks.items()},
    )
