"""ContainerSpec → a Compose file for Docker, for those who want to see and start the containers themselves.

Rules: texts are JSON strings, which are YAML; ``$`` is doubled, since Compose puts variables there. Format:
https://github.com/compose-spec/compose-spec/blob/main/spec.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from bundler.serving.container import ContainerSpec, host_address


def compose_file(project: str, specs: Iterable[ContainerSpec], *, internal: tuple[str, ...]) -> str:
    """The text; ``internal`` are those of the containers' networks that have no way out."""
    containers = tuple(specs)
    names = dict.fromkeys(name for spec in containers for name in spec.networks)
    document = {
        "name": project,
        "services": {spec.name: _service(spec) for spec in containers},
        "networks": {name: {"name": name, "internal": name in internal} for name in names},
    }
    return _yaml(document) + "\n"


def _service(spec: ContainerSpec) -> dict[str, Any]:
    fixed = {"ipv4_address": spec.address} if spec.address else {}
    found: dict[str, Any] = {
        "container_name": spec.name,
        "image": spec.image,
        "pull_policy": "never",
        "entrypoint": list(spec.entrypoint or ()),
        "command": list(spec.args),
        "user": spec.user,
        "read_only": True,
        "cap_drop": ["ALL"],
        "cap_add": list(spec.capabilities),
        "security_opt": ["no-new-privileges:true"],
        "restart": spec.restart,
        "stop_grace_period": f"{spec.stop_timeout}s",
        "environment": dict(spec.env),
        "env_file": [spec.env_file] if spec.env_file else [],
        "networks": {name: fixed if at == 0 else {} for at, name in enumerate(spec.networks)},
        "network_mode": None if spec.networks else "none",
        "dns": [] if spec.resolves else ["127.0.0.1"],
        "dns_opt": [] if spec.resolves else ["timeout:1", "attempts:1"],
        "ports": [f"{host_address(one.address)}:{one.port}:{one.container_port}" for one in spec.publish],
        "volumes": [_volume(one.source, one.target, one.writable) for one in spec.mounts],
        "tmpfs": [f"{one.target}:{spec.tmpfs_options(one)}" for one in spec.tmpfs],
        "shm_size": spec.shm,
        "ulimits": {one.name: {"soft": one.soft, "hard": one.hard} for one in spec.ulimits},
        "logging": _logging(spec),
        "labels": dict(spec.labels),
        "healthcheck": _health(spec),
        "devices": list(spec.cdi_devices) if spec.gpus == "cdi" else [],
        "deploy": _gpus(spec) if spec.gpus == "all" else None,
    }
    return {key: value for key, value in found.items() if value not in (None, [], {})}


def _volume(source: str, target: str, writable: bool) -> dict[str, Any]:
    return {"type": "bind", "source": source, "target": target, "read_only": not writable}


def _logging(spec: ContainerSpec) -> dict[str, Any]:
    return {"driver": "json-file", "options": {"max-size": str(spec.logs.size), "max-file": str(spec.logs.files)}}


def _health(spec: ContainerSpec) -> dict[str, Any] | None:
    if spec.health is None:
        return None
    times = {"interval": spec.health.interval, "timeout": spec.health.timeout, "start_period": spec.health.start_period}
    seconds = {key: f"{value}s" for key, value in times.items()}
    return {"test": ["CMD", *spec.health.command], **seconds, "retries": spec.health.retries}


def _gpus(spec: ContainerSpec) -> dict[str, Any]:
    chosen = {"device_ids": [str(one) for one in spec.gpu_ids]} if spec.gpu_ids else {"count": "all"}
    return {"resources": {"reservations": {"devices": [{"driver": "nvidia", **chosen, "capabilities": ["gpu"]}]}}}


def _yaml(value: Any, depth: int = 0) -> str:
    """Block mappings and lists; every text as a JSON string."""
    indent = "  " * depth
    if isinstance(value, dict) and value:
        return "\n".join(f"{indent}{json.dumps(key)}:{_inner(one, depth)}" for key, one in value.items())
    if isinstance(value, list) and value:
        return "\n".join(f"{indent}-{_inner(one, depth)}" for one in value)
    return json.dumps(value.replace("$", "$$") if isinstance(value, str) else value)


def _inner(value: Any, depth: int) -> str:
    return f"\n{_yaml(value, depth + 1)}" if isinstance(value, (dict, list)) and value else f" {_yaml(value)}"
