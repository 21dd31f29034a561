"""The parts of an unpacked release as a rehearsal starts them.

Rules: as at the site, with these differences, which all stand in the report or follow from it. Nothing is started
again when it falls. Engines on other hosts are left out. The user's arguments follow the bundle's. Without GPUs there
is one engine, on the CPU.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bundler.errors import EngineError, UsageError
from bundler.progress import SILENT, Progress
from bundler.serving.container import ContainerSpec
from bundler.serving.lmstudio import LmStudioPlan
from bundler.serving.plan import ServePlan
from bundler.serving.proxy_plan import ProxyPlan
from bundler.site.chat import Line
from bundler.site.engines.interface import Engine
from bundler.site.engines.stored import StoredImage
from bundler.site.parts.behind import LOOPBACK, Behind
from bundler.site.parts.contents import read_contents
from bundler.site.parts.engine_part import EnginePart
from bundler.site.parts.ground import Ground
from bundler.site.parts.keeper import EngineKeeper
from bundler.site.parts.keys import engine_key
from bundler.site.parts.proxy_part import ProxyPart
from bundler.site.rehearse.choices import Choices, free_port
from bundler.site.rehearse.desk import Desk
from bundler.site.rehearse.names import under
from bundler.site.state import Release, Settings, State
from bundler.site.tls.home import Home, make
from bundler.site.tls.names import Names
from bundler.site.tokens import change
from bundler.site.tokens.store import TokenStore

_DAYS = 2


@dataclass(frozen=True, slots=True)
class OnceKeeper:
    """Starts containers that stay where they fall."""

    engine: Engine

    def require(self, progress: Progress = SILENT) -> None:
        """See ``Keeper.require``: nothing, for nothing is to last."""

    def start(self, spec: ContainerSpec) -> None:
        """See ``Keeper.start``."""
        EngineKeeper(self.engine).start(replace(spec, restart="no"))

    def stop(self, name: str, timeout: int) -> None:
        """See ``Keeper.stop``."""
        EngineKeeper(self.engine).stop(name, timeout)


@dataclass(frozen=True, slots=True)
class Stage:
    """``line`` leads to the proxy, or to the engine where the bundle brings no proxy. Each image has its container."""

    ground: Ground
    plan: ServePlan
    engine: EnginePart
    proxy: ProxyPart | None
    line: Line
    images: tuple[tuple[StoredImage, str], ...]

    def require_images(self) -> str:
        """What runs is what lies in the bundle. Raises: EngineError."""
        for image, container in self.images:
            found = self.ground.engine.inspect(container)
            if found is not None and found.image_id not in image.ids:
                raise EngineError(f"{container}: expected the image {image.digest}, found {found.image_id}")
        return ", ".join(f"{image.name} {image.digest}" for image, _ in self.images)


def set_up(desk: Desk, release: Release, choices: Choices, settings: Settings, engine: Engine) -> Stage:
    """The parts, with a certificate and a token of their own; nothing is loaded or started.

    Raises: UsageError for LM Studio; IntegrityError; MachineError; EngineError.
    """
    state = State(settings=settings)
    ground = Ground(desk.place, state, under(desk.digits, release), engine, OnceKeeper(engine))
    contents = read_contents(ground.folder)
    if isinstance(contents.engine, LmStudioPlan):
        hint = "Try its model with LM Studio itself; the site's install asks it for a chat completion."
        raise UsageError("there is nothing to rehearse: LM Studio is not in the bundle", hint=hint)
    proxy = contents.proxy if contents.proxy and contents.proxy.run == "container" else None
    plan = _plan(contents.engine, choices, settings, alone=proxy is None)
    part = EnginePart(ground, plan, for_host=proxy is None)
    images = [(ground.images.read(plan.image, plan.digest), ground.engine_name(0))]
    if proxy is None or proxy.image is None or proxy.digest is None:
        return Stage(ground, plan, part, None, _to_engine(ground, plan), tuple(images))
    images.append((ground.images.read(proxy.image, proxy.digest), ground.proxy_name))
    behind = Behind(proxy.server_name, "vllm", plan.port, plan.replicas)
    front = ProxyPart(ground, behind, proxy.image, proxy.digest)
    return Stage(ground, plan, part, front, _to_proxy(ground, proxy), tuple(images))


def _plan(plan: ServePlan, choices: Choices, settings: Settings, *, alone: bool) -> ServePlan:
    plan = replace(plan, args=(*plan.args, *choices.engine_args), upstreams=())
    if settings.gpus == "none":
        plan = replace(plan, gpus=1, replicas=1)
    return replace(plan, port=free_port()) if alone else plan


def _to_engine(ground: Ground, plan: ServePlan) -> Line:
    """Straight to the engine, with its own key."""
    address = LOOPBACK if ground.info.rootless else ground.networks.look().engine(0)
    return Line(address, plan.port, token=engine_key(ground.place))


def _to_proxy(ground: Ground, proxy: ProxyPlan) -> Line:
    """Through TLS, with a token: both are made here, for an hour or two, and are gone with the folder."""
    engine_key(ground.place)
    make(Home.of(ground.place), Names.of(proxy.server_name), days=_DAYS)
    secret = change.fresh()
    change.new(TokenStore(ground.place.root), "rehearsal", secret=secret)
    certificate = ground.place.tls / "server.crt"
    return Line(LOOPBACK, ground.settings.https_port, proxy.server_name, certificate, secret)
