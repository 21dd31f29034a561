"""Whether the engine's network has a way out, asked from inside: a container of the engine's own image tries.

It looks up a name, as the engine's libraries would, and connects to places that this host reaches and that are not this
host: those that the user names, else the hub and the name servers of this host. What this host does not reach itself
proves nothing. That Docker lets an internal network reach the host's own listeners is known, and is no way out.
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from bundler.disk import is_there, read_bounded
from bundler.errors import EngineError, MachineError
from bundler.serving.container import LABEL, ContainerSpec
from bundler.site.engines.interface import Engine
from bundler.site.engines.words import clean

NAME: Final = "huggingface.co"
RESOLVERS: Final = Path("/etc/resolv.conf")

_MOST: Final = 64 << 10
_SERVER: Final = re.compile(r"nameserver[ \t]+([0-9.]{7,15})\s*")
_DNS: Final = 53
_HOST_SECONDS: Final = 3.0
_SECONDS: Final = 60.0
_PROBE: Final = """\
import json, socket, sys
def tried(what):
    try:
        what()
    except OSError as error:
        return str(error)[:200] or type(error).__name__
found = [tried(lambda: socket.getaddrinfo(sys.argv[1], 443))]
for place in sys.argv[2:]:
    host, _, port = place.rpartition(":")
    found.append(tried(lambda: socket.create_connection((host, int(port)), 3).close()))
print(json.dumps(found))
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A place outside that this host reaches; ``label`` is what the report calls it."""

    label: str
    address: str
    port: int


def targets(named: tuple[tuple[str, int], ...], resolvers: Path = RESOLVERS) -> tuple[Target, ...]:
    """What can be tried: the places ``named``, else what is found. Raises: MachineError for one that proves nothing."""
    wanted = tuple(Target(f"{address}:{port}", address, port) for address, port in named)
    for target in wanted:
        if _is_here(target):
            raise MachineError(f"{target.label}: is an address of this host itself", hint=_HINT)
        if not _reached(target):
            raise MachineError(f"{target.label}: this host does not reach it, so it would prove nothing", hint=_HINT)
    return wanted or tuple(one for one in _usual(resolvers) if not _is_here(one) and _reached(one))


def probe(name: str, image: str, owner: str, network: str, user: str) -> ContainerSpec:
    """The container that tries; what it is to try is added to its arguments."""
    return ContainerSpec(
        name=name,
        image=image,
        entrypoint=("python3", "-c", _PROBE),
        args=(NAME,),
        user=user,
        networks=(network,),
        restart="no",
        labels=((LABEL, owner),),
    )


def require_no_way_out(engine: Engine, spec: ContainerSpec, tried: tuple[Target, ...]) -> str:
    """What the ``probe`` met. Raises: EngineError when it got anywhere."""
    labels = (f"the name {NAME}", *(target.label for target in tried))
    faults = dict(zip(labels, _asked(engine, spec, tried), strict=True))
    ways = [label for label, fault in faults.items() if fault is None]
    if ways:
        raise EngineError(f"the engine's network has a way out: {', '.join(ways)} was reached")
    return "; ".join(f"{label}: {clean(fault or '')}" for label, fault in faults.items())


def _usual(resolvers: Path) -> Iterator[Target]:
    try:
        yield Target(f"{NAME}:443", str(socket.getaddrinfo(NAME, 443, socket.AF_INET)[0][4][0]), 443)
    except OSError:
        pass
    if is_there(resolvers):
        lines = read_bounded(resolvers, _MOST).decode("utf-8", "replace").splitlines()
        servers = (found[1] for line in lines[:100] if (found := _SERVER.fullmatch(line)))
        yield from (Target("a name server", address, _DNS) for address in servers)


def _is_here(target: Target) -> bool:
    """Whether it is an address of this host: only those can be bound to."""
    try:
        with socket.socket() as holder:
            holder.bind((target.address, 0))
    except OSError:
        return False
    return True


def _reached(target: Target) -> bool:
    try:
        socket.create_connection((target.address, target.port), _HOST_SECONDS).close()
    except OSError:
        return False
    return True


def _asked(engine: Engine, spec: ContainerSpec, tried: tuple[Target, ...]) -> list[str | None]:
    """What it met with the name and with each target, None where it got through."""
    words = _said(engine, replace(spec, args=(*spec.args, *(f"{one.address}:{one.port}" for one in tried))))
    try:
        found: Any = json.loads(next(line for line in words.splitlines() if line.startswith("[")))
    except (StopIteration, ValueError) as error:
        raise EngineError(f"the container that looks for a way out said: {clean(words) or 'nothing'}") from error
    if len(found) != 1 + len(tried):
        raise EngineError(f"the container that looks for a way out said: {clean(words)}")
    return [None if fault is None else str(fault)[:200] for fault in found]


def _said(engine: Engine, spec: ContainerSpec) -> str:
    """Run it to its end, and remove it; its output."""
    until = time.monotonic() + _SECONDS
    try:
        engine.run(spec)
        while (state := engine.inspect(spec.name)) and state.status != "exited" and time.monotonic() < until:
            time.sleep(0.1)
        return engine.logs(spec.name, 20)
    finally:
        engine.remove(spec.name)


_HINT: Final = "Name a place outside that this host reaches: --outside ADDRESS:PORT"
