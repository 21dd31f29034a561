"""ContainerSpec → the arguments of ``podman create``, and what ``podman inspect`` says read back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bundler.serving.container import LABEL, SPEC_LABEL, ContainerSpec, host_address
from bundler.serving.quadlet import fixed_address, more_args, volume_mode
from bundler.site.engines.answers import number, table, text
from bundler.site.engines.interface import ContainerState

# What Podman's own service starts at boot is this alone, before Podman 5.
_RESTART: Final = {"unless-stopped": "always", "no": "no"}


def create_args(spec: ContainerSpec) -> tuple[str, ...]:
    """What follows ``podman create``; also what a Quadlet unit would say in its own keys. No secret is in it."""
    return (
        *(f"--name={spec.name}", "--read-only", "--cap-drop=all"),
        *(f"--cap-add={capability}" for capability in spec.capabilities),
        *("--security-opt=no-new-privileges", f"--restart={_RESTART[spec.restart]}"),
        *_process(spec),
        *_network(spec),
        *(f"--volume={m.source}:{m.target}:{volume_mode(m)}" for m in spec.mounts),
        *more_args(spec),
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
    yield from (f"--device={device}" for device in spec.cdi_devices)


def _network(spec: ContainerSpec) -> Iterator[str]:
    if not spec.networks:
        yield "--network=none"
    for at, network in enumerate(spec.networks):
        fixed = fixed_address(spec.address) if spec.address and at == 0 else ""
        yield f"--network={network}{fixed}"
    for one in spec.publish:
        yield f"--publish={host_address(one.address)}:{one.port}:{one.container_port}"


def container_state(name: str, found: dict[str, Any], health: str | None) -> ContainerState:
    """The state, of what ``podman container inspect`` prints; ``health`` as it was asked for just now."""
    state, labels = table(found.get("State")), table(table(found.get("Config")).get("Labels"))
    networks = table(table(found.get("NetworkSettings")).get("Networks"))
    return ContainerState(
        name=name,
        status={"configured": "created", "stopped": "exited"}.get(str(state.get("Status")), str(state.get("Status"))),
        health=health,
        exit_code=number(state.get("ExitCode")),
        error=str(state.get("Error") or ""),
        started=str(state.get("StartedAt", "")),
        restarts=number(found.get("RestartCount")),
        image_id=f"sha256:{str(found.get('Image', '')).removeprefix('sha256:')}",
        owner=text(labels.get(LABEL)) or None,
        spec=text(labels.get(SPEC_LABEL)),
        pid=number(state.get("Pid")),
        addresses={network: text(table(one).get("IPAddress")) for network, one in networks.items()},
    )
