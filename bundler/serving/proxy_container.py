"""The proxy's container, as the engines and Quadlet take it, and the one that tests its configuration.

Rules: as for every container of ours (``container.py``); Nginx is started by its own name, whatever the image would
start; who runs it may write its logs and a memory file system, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from bundler.serving.container import HOST, LABEL, NOBODY, ContainerSpec, Mount, Publish, Tmpfs, Ulimit
from bundler.serving.nginx.container import CONFIG, HTTP, HTTPS, LOGS, MONITOR, RUN, SECRETS, TLS

_GIB: Final = 1 << 30
_PRIVILEGED: Final = 1024


@dataclass(frozen=True, slots=True)
class ProxyChoices:
    """What only the site knows.

    ``config``, ``secrets``, ``tls`` and ``logs`` are folders of the host. ``networks``: the private one of the engine
    first, where ``address`` is the proxy's own, then one with ports; or the host's namespace. ``monitor_port`` is
    one of the host's loopback. ``user`` is who runs Nginx inside. ``resolves``: an upstream is called by name.
    ``nofile`` is the limit of open files.
    """

    name: str
    image: str
    owner: str
    config: str
    secrets: str
    tls: str
    logs: str
    networks: tuple[str, ...]
    address: str | None = None
    addresses: tuple[str, ...] = ("0.0.0.0",)
    https_port: int = 443
    http_port: int | None = 80
    monitor_port: int | None = None
    user: str = NOBODY
    resolves: bool = False
    nofile: int | None = 65536

    @property
    def on_host(self) -> bool:
        """Whether it listens on the host's own ports."""
        return self.networks == (HOST,)


def proxy_container(choices: ProxyChoices) -> ContainerSpec:
    """The container of the proxy."""
    return ContainerSpec(
        name=choices.name,
        image=choices.image,
        entrypoint=("nginx",),
        args=_args(choices.user),
        mounts=(
            Mount(choices.config, CONFIG),
            Mount(choices.secrets, SECRETS),
            Mount(choices.tls, TLS),
            Mount(choices.logs, LOGS, writable=True),
        ),
        # Bodies over 256 KiB lie here until they are sent on.
        tmpfs=(Tmpfs(RUN, 2 * _GIB),),
        user=choices.user,
        capabilities=_capabilities(choices),
        networks=choices.networks,
        address=choices.address,
        publish=() if choices.on_host else _publish(choices),
        resolves=choices.resolves or choices.on_host,
        ulimits=(Ulimit("nofile", choices.nofile, choices.nofile),) if choices.nofile else (),
        labels=((LABEL, choices.owner),),
    )


def proxy_check(spec: ContainerSpec) -> ContainerSpec:
    """The container that says, by its exit status, whether Nginx takes the configuration of ``spec``, and ends."""
    return replace(
        spec,
        name=f"{spec.name}-check",
        args=(*spec.args, "-t"),
        # The host's addresses can be listened on only there; elsewhere nothing is called, for -t looks no name up
        # that is an address.
        networks=spec.networks[-1:] if spec.networks == (HOST,) or spec.resolves else (),
        address=None,
        publish=(),
        restart="no",
    )


def _args(user: str) -> tuple[str, ...]:
    # As root Nginx would hand its workers to another user, who could not read what is root's alone.
    directives = "daemon off;" + (" user root;" if _is_root(user) else "")
    return ("-c", f"{CONFIG}/nginx.conf", "-e", "stderr", "-g", directives)


def _capabilities(choices: ProxyChoices) -> tuple[str, ...]:
    """As root it sets the groups of its workers; ports of the host below 1024 are a right of their own."""
    ports = (choices.https_port, choices.http_port, choices.monitor_port)
    low = any(port is not None and port < _PRIVILEGED for port in ports)
    bind = ("NET_BIND_SERVICE",) if choices.on_host and low else ()
    return (*bind, "SETGID") if _is_root(choices.user) else bind


def _is_root(user: str) -> bool:
    return user.partition(":")[0] == "0"


def _publish(choices: ProxyChoices) -> tuple[Publish, ...]:
    pairs = [(choices.https_port, HTTPS), *([(choices.http_port, HTTP)] if choices.http_port else [])]
    clients = tuple(Publish(address, port, inside) for address in choices.addresses for port, inside in pairs)
    return (*clients, Publish("127.0.0.1", choices.monitor_port, MONITOR)) if choices.monitor_port else clients
