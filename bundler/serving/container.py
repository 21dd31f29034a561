"""ServePlan + what the site chose → a container, told in words that every engine has.

Rules, the same for each container of ours: the root file system is read-only, all capabilities are dropped but those
named, no process gains privileges, logs are bounded. A secret goes by ``env_file`` only; neither ``args`` nor ``env``
ever holds one.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Literal

from bundler.serving import vllm
from bundler.serving.plan import INSIDE, ServePlan

Gpus = Literal["all", "cdi", "none"]
Restart = Literal["unless-stopped", "no"]

NOBODY: Final = "65532:65532"
LABEL: Final = "llm-bundle.owner"
"""Every container, network and image of ours bears it; what does not is not ours to touch."""

SPEC_LABEL: Final = "llm-bundle.spec"
"""What a container was made from (``ContainerSpec.mark``), so that one that is to be otherwise is made anew."""

HOST: Final = "host"
"""As the only network: the host's own network namespace."""

_GIB: Final = 1 << 30
_MODEL: Final = f"{INSIDE}model"
_VOCABULARIES: Final = f"{INSIDE}vocabularies"


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or folder of the host, absolute, at a path inside the container."""

    source: str
    target: str
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Tmpfs:
    """A file system in memory; ``size`` is its limit in bytes. ``executable`` for caches with compiled code.

    It belongs to the container's user: when a container is started again, runc gives it the mode of the folder that it
    made for it the first time, which is for root to write to.
    """

    target: str
    size: int
    executable: bool = False


def host_address(address: str) -> str:
    """An address as it stands before a colon: IPv6 in brackets."""
    return f"[{address}]" if ":" in address else address


@dataclass(frozen=True, slots=True)
class Publish:
    """A port of the host, on one address of it, that leads to a port of the container."""

    address: str
    port: int
    container_port: int


@dataclass(frozen=True, slots=True)
class Ulimit:
    """A resource limit as ``setrlimit`` names it."""

    name: str
    soft: int
    hard: int


@dataclass(frozen=True, slots=True)
class Logs:
    """How much of a container's output is kept: ``files`` of ``size`` bytes."""

    size: int = 50 << 20
    files: int = 3


@dataclass(frozen=True, slots=True)
class Health:
    """A command inside the container; its exit status 0 is health. Times in seconds."""

    command: tuple[str, ...]
    interval: int = 10
    timeout: int = 8
    retries: int = 3
    start_period: int = 900


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """A container. ``image`` is a name or id that the engine has; nothing is ever pulled.

    ``networks``: the first is joined at start, the others before it runs. ``address`` is a fixed one on the first.
    ``resolves``: it may look names up; not for the engine, since the resolvers of Docker before 26.0 (CVE-2024-29018)
    and of Podman ask the outside on behalf of internal networks, too.
    ``gpus`` says how GPUs are reached, ``gpu_ids`` which, counted from 0; none named means all there are.
    ``stop_timeout`` and ``shm`` are in seconds and bytes; ``user`` and ``entrypoint`` None leave the image's own.
    """

    name: str
    image: str
    args: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    env: tuple[tuple[str, str], ...] = ()
    env_file: str | None = None
    mounts: tuple[Mount, ...] = ()
    tmpfs: tuple[Tmpfs, ...] = ()
    user: str | None = None
    capabilities: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    address: str | None = None
    publish: tuple[Publish, ...] = ()
    resolves: bool = False
    gpus: Gpus = "none"
    gpu_ids: tuple[int, ...] = ()
    shm: int = 64 << 20
    ulimits: tuple[Ulimit, ...] = ()
    restart: Restart = "unless-stopped"
    stop_timeout: int = 30
    logs: Logs = Logs()
    health: Health | None = None
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def mark(self) -> str:
        """12 digits that follow from all of it."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]

    @property
    def ids(self) -> tuple[int, int] | None:
        """The uid and gid that it runs as; None where the image says that."""
        found = re.fullmatch(r"([0-9]{1,10}):([0-9]{1,10})", self.user or "")
        return (int(found[1]), int(found[2])) if found else None

    def tmpfs_options(self, one: Tmpfs) -> str:
        """How Docker mounts it: comma-separated, for ``--tmpfs`` and the API alike."""
        mode = "exec" if one.executable else "noexec"
        owner = f",uid={self.ids[0]},gid={self.ids[1]}" if self.ids else ""
        return f"rw,nosuid,nodev,{mode},mode=1777,size={one.size}{owner}"

    @property
    def cdi_devices(self) -> tuple[str, ...]:
        """The GPUs as the Container Device Interface names them."""
        return tuple(f"nvidia.com/gpu={one}" for one in self.gpu_ids or ("all",)) if self.gpus != "none" else ()


@dataclass(frozen=True, slots=True)
class SiteChoices:
    """What only the site knows.

    ``release`` is the absolute path of the unpacked bundle; ``network`` an internal one; ``address`` a fixed one on
    it; ``image`` what the engine calls the loaded image, ``entrypoint`` and ``image_user`` what that image says of
    itself. ``cache`` is a folder of the host that the container's user may write, None for memory. ``nofile`` is the
    limit of open files that the host can give. ``replica`` counts from 0 to below the plan's ``replicas``.
    """

    release: str
    name: str
    image: str
    network: str
    owner: str
    entrypoint: tuple[str, ...] = ()
    image_user: str = ""
    address: str | None = None
    publish: tuple[Publish, ...] = ()
    gpus: Gpus = "all"
    rootless: bool = False
    env_file: str | None = None
    cache: str | None = None
    nofile: int | None = 65536
    start_period: int = 900
    replica: int = 0


def engine_container(plan: ServePlan, choices: SiteChoices) -> ContainerSpec:
    """The container that serves ``plan``, or that of one of its replicas."""
    model, mounts = _mounts(plan, choices)
    memory: tuple[Tmpfs, ...] = (Tmpfs("/tmp", 4 * _GIB, executable=True),)
    if choices.cache is None:
        memory += (Tmpfs(vllm.CACHE, 8 * _GIB, executable=True),)
    variables = dict(plan.env)
    if plan.vocabularies:
        variables["TIKTOKEN_ENCODINGS_BASE"] = _VOCABULARIES
    return ContainerSpec(
        name=choices.name,
        image=choices.image,
        args=vllm.command(plan, model, choices.entrypoint),
        env=tuple(sorted(variables.items())),
        env_file=choices.env_file,
        mounts=mounts,
        tmpfs=memory,
        user=_user(choices),
        networks=(choices.network,),
        address=choices.address,
        publish=choices.publish,
        gpus=choices.gpus,
        gpu_ids=_gpu_ids(plan, choices),
        shm=16 * _GIB,
        ulimits=(Ulimit("nofile", choices.nofile, choices.nofile),) if choices.nofile else (),
        stop_timeout=60,
        health=Health(vllm.health_check(plan), start_period=choices.start_period),
        labels=((LABEL, choices.owner),),
    )


def _mounts(plan: ServePlan, choices: SiteChoices) -> tuple[str, tuple[Mount, ...]]:
    """The model's path inside, and what is mounted: of a file its folder, for weights can have several parts."""
    folder, _, name = plan.model.rpartition("/") if plan.model.endswith(".gguf") else (plan.model, "", "")
    inside = f"{_MODEL}/{name}" if name else _MODEL
    mounts = [Mount(f"{choices.release}/{folder}", _MODEL)]
    if plan.vocabularies:
        mounts.append(Mount(f"{choices.release}/{plan.vocabularies}", _VOCABULARIES))
    mounts += [Mount(f"{choices.release}/{path}", f"{INSIDE}{path}") for path in plan.beside]
    if choices.cache:
        mounts.append(Mount(choices.cache, vllm.CACHE, writable=True))
    return inside, tuple(mounts)


def _gpu_ids(plan: ServePlan, choices: SiteChoices) -> tuple[int, ...]:
    """Those of this replica; a single container sees all, and vLLM takes the first."""
    if choices.gpus == "none" or plan.replicas == 1:
        return ()
    first = choices.replica * plan.gpus
    return tuple(range(first, first + plan.gpus))


def _user(choices: SiteChoices) -> str | None:
    """Nobody, but for images that have a user of their own, and where root inside is a plain user outside."""
    if choices.image_user.partition(":")[0] not in ("", "0", "root"):
        return None
    return "0:0" if choices.rootless else NOBODY
