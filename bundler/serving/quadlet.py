"""ContainerSpec → a Podman Quadlet unit, ``<name>.container``, for Podman 4.6 and newer.

Rules: networks are named as they are: whoever writes the unit has made them, and Podman keeps them over a boot. Only
keys that Quadlet of Podman 4.6 knows are used, for it refuses a unit with another; what they cannot say goes to Podman
itself (``PodmanArgs=``). Format:
https://docs.podman.io/en/v4.6.1/markdown/podman-systemd.unit.5.html.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Final

from bundler.serving.container import ContainerSpec, Mount, host_address
from bundler.serving.unit_text import argument, line, word

_MINUTES: Final = 60


def container_unit(spec: ContainerSpec, description: str) -> str:
    """The text of a ``.container`` unit."""
    restart = "always" if spec.restart == "unless-stopped" else "no"
    return _text(
        # An address of this host can be listened on when it is there.
        [
            "[Unit]",
            f"Description={line(description)}",
            "Wants=network-online.target",
            "After=network-online.target",
            "",
        ],
        ["[Container]", f"ContainerName={line(spec.name)}", f"Image={line(spec.image)}", *_container(spec), ""],
        ["[Service]", f"Restart={restart}", "RestartSec=10", f"TimeoutStartSec={15 * _MINUTES}"],
        [f"TimeoutStopSec={spec.stop_timeout + 30}", "", "[Install]", "WantedBy=multi-user.target default.target"],
    )


def _container(spec: ContainerSpec) -> Iterator[str]:
    if spec.args:
        yield "Exec=" + " ".join(map(argument, spec.args))
    yield from ("ReadOnly=true", "DropCapability=all", "NoNewPrivileges=true")
    yield from (f"AddCapability={capability}" for capability in spec.capabilities)
    yield from _process(spec)
    yield from _network(spec)
    yield from (f"Volume={word(f'{m.source}:{m.target}:{volume_mode(m)}')}" for m in spec.mounts)
    yield from (f"Label={word(f'{name}={value}')}" for name, value in spec.labels)
    yield from (f"PodmanArgs={word(one)}" for one in more_args(spec))


def _process(spec: ContainerSpec) -> Iterator[str]:
    if spec.user is not None:
        user, _, group = spec.user.partition(":")
        yield f"User={line(user)}"
        if group:
            yield f"Group={line(group)}"
    yield from (f"Environment={word(f'{name}={value}')}" for name, value in spec.env)
    if spec.env_file:
        yield f"EnvironmentFile={line(spec.env_file)}"
    yield from (f"AddDevice={device}" for device in spec.cdi_devices)


def fixed_address(address: str) -> str:
    """What follows a network's name for an IPv4 address of one's own.

    Podman draws a new MAC for each container: whoever had talked to the one before, as the proxy to an engine that was
    made anew, would not find this one for some 20 s.
    """
    return f":ip={address},mac=02:42:{IPv4Address(address).packed.hex(':')}"


def _network(spec: ContainerSpec) -> Iterator[str]:
    for at, name in enumerate(spec.networks):
        fixed = fixed_address(spec.address) if spec.address and at == 0 else ""
        yield f"Network={line(name)}{fixed}"
    if not spec.networks:
        yield "Network=none"
    yield from (f"PublishPort={host_address(p.address)}:{p.port}:{p.container_port}" for p in spec.publish)


def more_args(spec: ContainerSpec) -> Iterator[str]:
    """What ``podman create`` is told beyond Quadlet's own keys, each as one argument; no secret is in it."""
    # Podman's own memory file systems have no limit; what may be written is in ``tmpfs``.
    yield from ("--pull=never", "--read-only-tmpfs=false", f"--stop-timeout={spec.stop_timeout}")
    if spec.networks and not spec.resolves:
        yield from ("--dns=127.0.0.1", "--dns-option=timeout:1", "--dns-option=attempts:1")
    for tmpfs in spec.tmpfs:
        mode = "exec" if tmpfs.executable else "noexec"
        owner = ",U" if spec.ids else ""  # the container's user; Podman takes no uid=
        yield f"--tmpfs={tmpfs.target}:rw,nosuid,nodev,{mode},notmpcopyup,mode=1777,size={tmpfs.size}{owner}"
    if spec.entrypoint is not None:
        yield f"--entrypoint={json.dumps(list(spec.entrypoint))}"
    yield f"--shm-size={spec.shm}b"
    yield from (f"--ulimit={one.name}={one.soft}:{one.hard}" for one in spec.ulimits)
    yield from ("--log-driver=k8s-file", f"--log-opt=max-size={spec.logs.size}b")
    if spec.health:
        yield f"--health-cmd={json.dumps(list(spec.health.command))}"
        yield f"--health-interval={spec.health.interval}s"
        yield f"--health-timeout={spec.health.timeout}s"
        yield f"--health-retries={spec.health.retries}"
        yield f"--health-start-period={spec.health.start_period}s"


def volume_mode(mount: Mount) -> str:
    """The options of a volume; ``z`` lets containers in where SELinux is enforced, and is nothing elsewhere."""
    return "rw,z" if mount.writable else "ro,z"


def _text(*blocks: list[str]) -> str:
    return "".join(f"{row}\n" for block in blocks for row in block)
