"""ContainerSpec → what ``POST /containers/create`` of Docker's API takes, and a container's state read back."""

from __future__ import annotations

from typing import Any, Final

from bundler.serving.container import LABEL, SPEC_LABEL, ContainerSpec
from bundler.site.engines.answers import number, table, text
from bundler.site.engines.interface import ContainerState

_NANO: Final = 1_000_000_000


def container_body(spec: ContainerSpec, secrets: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """The request; ``secrets`` are the variables of the env file."""
    body: dict[str, Any] = {
        "Image": spec.image,
        "Cmd": list(spec.args) or None,
        "Env": [f"{name}={value}" for name, value in (*spec.env, *secrets)],
        "Labels": dict(spec.labels),
        "StopTimeout": spec.stop_timeout,
        "ExposedPorts": {f"{one.container_port}/tcp": {} for one in spec.publish},
        "HostConfig": _host(spec),
    }
    if spec.user is not None:
        body["User"] = spec.user
    if spec.entrypoint is not None:
        body["Entrypoint"] = list(spec.entrypoint)
    if spec.health:
        body["Healthcheck"] = {
            "Test": ["CMD", *spec.health.command],
            "Interval": spec.health.interval * _NANO,
            "Timeout": spec.health.timeout * _NANO,
            "StartPeriod": spec.health.start_period * _NANO,
            "Retries": spec.health.retries,
        }
    if spec.networks:
        fixed = {"IPAMConfig": {"IPv4Address": spec.address}} if spec.address else {}
        body["NetworkingConfig"] = {"EndpointsConfig": {spec.networks[0]: fixed}}
    return body


def _host(spec: ContainerSpec) -> dict[str, Any]:
    return {
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "CapAdd": list(spec.capabilities),
        # What is mounted bears no label of SELinux's that a container may read, and this API cannot give it one.
        "SecurityOpt": ["no-new-privileges", "label=disable"],
        "NetworkMode": spec.networks[0] if spec.networks else "none",
        # A server that is named is asked from inside the container, where none is. See ContainerSpec.
        "Dns": [] if spec.resolves else ["127.0.0.1"],
        "DnsOptions": [] if spec.resolves else ["timeout:1", "attempts:1"],
        "RestartPolicy": {"Name": spec.restart},
        "LogConfig": {
            "Type": "json-file",
            "Config": {"max-size": str(spec.logs.size), "max-file": str(spec.logs.files)},
        },
        "ShmSize": spec.shm,
        "IpcMode": "private",
        "Ulimits": [{"Name": one.name, "Soft": one.soft, "Hard": one.hard} for one in spec.ulimits],
        "Mounts": [
            {"Type": "bind", "Source": one.source, "Target": one.target, "ReadOnly": not one.writable}
            for one in spec.mounts
        ],
        "Tmpfs": {one.target: spec.tmpfs_options(one) for one in spec.tmpfs},
        "PortBindings": {
            f"{one.container_port}/tcp": [{"HostIp": one.address, "HostPort": str(one.port)}] for one in spec.publish
        },
        "DeviceRequests": _devices(spec),
    }


def _devices(spec: ContainerSpec) -> list[dict[str, Any]]:
    if spec.gpus == "none":
        return []
    if spec.gpus == "cdi":
        return [{"Driver": "cdi", "DeviceIDs": list(spec.cdi_devices)}]
    # Count and DeviceIDs exclude each other.
    chosen = {"DeviceIDs": [str(one) for one in spec.gpu_ids]} if spec.gpu_ids else {"Count": -1}
    return [{**chosen, "Capabilities": [["gpu"]]}]


def container_state(name: str, found: dict[str, Any]) -> ContainerState:
    """The state, of what ``GET /containers/NAME/json`` answers; what is missing is empty."""
    state, labels = table(found.get("State")), table(table(found.get("Config")).get("Labels"))
    networks = table(table(found.get("NetworkSettings")).get("Networks"))
    return ContainerState(
        name=name,
        status=str(state.get("Status", "")),
        health=(text(table(state.get("Health")).get("Status")) or None) if state.get("Running") else None,
        exit_code=number(state.get("ExitCode")),
        error=str(state.get("Error") or ""),
        started=str(state.get("StartedAt", "")),
        restarts=number(found.get("RestartCount")),
        image_id=str(found.get("Image", "")),
        owner=text(labels.get(LABEL)) or None,
        spec=text(labels.get(SPEC_LABEL)),
        pid=number(state.get("Pid")),
        addresses={network: text(table(one).get("IPAddress")) for network, one in networks.items()},
    )
