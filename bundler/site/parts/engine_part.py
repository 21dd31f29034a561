"""vLLM in containers, one for each replica, on the private network of its release and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bundler.progress import SILENT, Progress
from bundler.serving.container import ContainerSpec, Publish, SiteChoices, engine_container
from bundler.serving.plan import ServePlan
from bundler.site.engines.interface import ContainerState
from bundler.site.engines.stored import StoredImage
from bundler.site.parts.behind import LOOPBACK
from bundler.site.parts.containers import Seen, part_state, plain
from bundler.site.parts.folders import make_folder
from bundler.site.parts.ground import Ground
from bundler.site.parts.interface import PartState
from bundler.site.parts.keys import engine_key
from bundler.site.parts.network import Private
from bundler.site.parts.probe import answers

_SECONDS: Final = 60


class EnginePart:
    """The engine of a release; ``for_host`` where this host itself must reach it, and no container of ours."""

    name = "engine"

    def __init__(self, ground: Ground, plan: ServePlan, *, for_host: bool) -> None:
        self._ground = ground
        self._plan = plan
        self._for_host = for_host

    def prepare(self, progress: Progress = SILENT) -> None:
        """See ``Part.prepare``."""
        self._ground.keeper.require(progress)
        engine_key(self._ground.place)
        image = self._ground.images.load(self._plan.image, self._plan.digest, progress)
        self._specs(image, self._ground.networks.make(front=False))

    def start(self) -> None:
        """See ``Part.start``."""
        engine_key(self._ground.place)
        image = self._ground.images.load(self._plan.image, self._plan.digest)
        for spec in self._specs(image, self._ground.networks.make(front=False)):
            self._ground.keeper.start(spec)

    def stop(self) -> None:
        """See ``Part.stop``."""
        for name in self._names():
            self._ground.keeper.stop(name, _SECONDS)

    def remove(self) -> None:
        """See ``Part.remove``."""
        self.stop()
        if self._ground.engine.inspect(self._ground.proxy_name) is None:
            self._ground.networks.remove()

    def drop_images(self) -> None:
        """See ``Part.drop_images``."""
        self._ground.images.drop(self._plan.image, self._plan.digest)

    def state(self) -> PartState:
        """See ``Part.state``."""
        return part_state(self.name, [self._seen(name) for name in self._names()])

    def logs(self, tail: int = 50) -> str:
        """See ``Part.logs``."""
        names = self._names()
        texts = [self._ground.engine.logs(name, tail) for name in names]
        if len(names) == 1:
            return plain(texts[0])
        return plain("".join(f"{name}:\n{text}" for name, text in zip(names, texts, strict=True)))

    def _names(self) -> list[str]:
        return [self._ground.engine_name(replica) for replica in range(self._plan.replicas)]

    def _seen(self, name: str) -> Seen:
        state = self._ground.engine.inspect(name)
        return name, state, self._healthy(state) if state else False

    def _healthy(self, state: ContainerState) -> bool | None:
        """What the engine knows; before its first look we look ourselves, where this host reaches the container."""
        if state.health in ("healthy", "unhealthy"):
            return state.health == "healthy"
        address = state.addresses.get(self._ground.networks.private)
        reached = address and not self._ground.info.rootless
        return True if reached and answers(str(address), self._plan.port, self._plan.health) else None

    def _specs(self, image: StoredImage, private: Private) -> list[ContainerSpec]:
        return [self._spec(image, private, replica) for replica in range(self._plan.replicas)]

    def _spec(self, image: StoredImage, private: Private, replica: int) -> ContainerSpec:
        """The container of a replica; its folder for caches is there afterwards."""
        ground = self._ground
        choices = SiteChoices(
            release=str(ground.folder),
            name=ground.engine_name(replica),
            image=image.tag,
            network=private.name,
            owner=ground.digits,
            entrypoint=image.entrypoint,
            image_user=image.user,
            address=private.engine(replica),
            publish=self._publish(replica),
            gpus=ground.settings.gpus,
            rootless=ground.info.rootless,
            env_file=str(ground.place.engine_env),
            nofile=ground.open_files,
            start_period=ground.settings.start_period,
            replica=replica,
        )
        spec = engine_container(self._plan, choices)
        # An image with a user of its own keeps its caches in memory: which number it has on the host is not known.
        if spec.user is None:
            return spec
        who = ground.runner()
        cache = ground.work / "cache" / str(replica + 1)
        make_folder(cache, 0o700, who)
        return replace(engine_container(self._plan, replace(choices, cache=str(cache))), user=who.user)

    def _publish(self, replica: int) -> tuple[Publish, ...]:
        """This host reaches the private network by itself, unless the engine has no root's rights."""
        if self._for_host and self._ground.info.rootless:
            return (Publish(LOOPBACK, self._plan.port + replica, self._plan.port),)
        return ()
