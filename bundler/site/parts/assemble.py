"""A release and what the administrator chose → the parts that serve it. Nothing is started or written here."""

from __future__ import annotations

from functools import partial

from bundler.serving.lmstudio import LmStudioPlan
from bundler.serving.plan import ServePlan
from bundler.serving.proxy_plan import ProxyPlan
from bundler.site.engines.docker import Docker
from bundler.site.engines.interface import Engine
from bundler.site.engines.podman import Podman
from bundler.site.parts.behind import LOOPBACK, Behind, reached_at
from bundler.site.parts.contents import read_contents
from bundler.site.parts.engine_part import EnginePart
from bundler.site.parts.ground import Ground
from bundler.site.parts.host_nginx import HostNginxPart
from bundler.site.parts.interface import Part, Parts, Proxy
from bundler.site.parts.keeper import EngineKeeper, Keeper
from bundler.site.parts.lmstudio import LmStudioPart
from bundler.site.parts.proxy_part import ProxyPart
from bundler.site.parts.quadlet_keeper import QuadletKeeper
from bundler.site.place import Place
from bundler.site.state import Release, Settings, State


def assemble(place: Place, state: State, release: Release, *, engine: Engine | None = None) -> Parts:
    """The parts of ``release`` with the settings of ``state``, whose other releases keep the images that they need.

    ``engine`` is the one that the settings name where it is not given. Raises: IntegrityError and MachineError for a
    release that is not whole; without a proxy also EngineError, for the engine knows the address.
    """
    engine = engine or engine_of(state.settings)
    ground = Ground(place, state, release, engine, _keeper(state.settings, engine))
    contents = read_contents(ground.folder)
    plan, proxy = contents.engine, contents.proxy
    part: Part
    if isinstance(plan, LmStudioPlan):
        part = LmStudioPart(place, ground.folder, plan, state.settings)
        model, port = plan.identifier, plan.port
    else:
        part = EnginePart(ground, plan, for_host=proxy is None or proxy.run == "host")
        model, port = plan.served_name, plan.port
    if proxy is None:
        address = _alone(ground, plan)
        return Parts(part, None, f"http://{address}:{port}", (address, port), model, None)
    connect = (reached_at(state.settings.addresses), state.settings.https_port)
    return Parts(part, _proxy(ground, plan, proxy), _url(proxy, connect[1]), connect, model, proxy.server_name)


def engine_of(settings: Settings) -> Engine:
    """The engine that was chosen."""
    return Docker() if settings.engine == "docker" else Podman()


def _keeper(settings: Settings, engine: Engine) -> Keeper:
    return QuadletKeeper.here(engine) if settings.keeper == "systemd" else EngineKeeper(engine)


def _alone(ground: Ground, plan: ServePlan | LmStudioPlan) -> str:
    """The address by which this host reaches the engine itself."""
    if isinstance(plan, LmStudioPlan) or ground.info.rootless:
        return LOOPBACK
    return ground.networks.look().engine(0)


def _proxy(ground: Ground, plan: ServePlan | LmStudioPlan, proxy: ProxyPlan) -> Proxy:
    if isinstance(plan, LmStudioPlan):
        behind = Behind(proxy.server_name, "lmstudio", plan.port)
    else:
        behind = Behind(proxy.server_name, "vllm", plan.port, plan.replicas, plan.upstreams)
    if proxy.image is None or proxy.digest is None:
        upstreams = partial(_from_host, ground, behind)
        return HostNginxPart(ground.place, ground.release.id, behind, upstreams, ground.settings)
    return ProxyPart(ground, behind, proxy.image, proxy.digest)


def _from_host(ground: Ground, behind: Behind) -> tuple[str, ...]:
    """``host:port`` of all engines as this host reaches them."""
    return behind.upstreams(None if behind.on_host or ground.info.rootless else ground.networks.look())


def _url(proxy: ProxyPlan, port: int) -> str:
    return f"https://{proxy.server_name}" + ("" if port == 443 else f":{port}")
