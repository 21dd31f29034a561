"""Nginx from the bundle in a container, in front of engines on the private network, or of LM Studio on this host.

Rules: a configuration is tested, by the very image in a container of its own, before anything runs with it; what is
mounted belongs to whom Nginx runs as.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from bundler.digest import Digest
from bundler.disk import is_there
from bundler.errors import EngineError
from bundler.progress import SILENT, Progress
from bundler.serving.container import ContainerSpec
from bundler.serving.nginx.container import CONFIG, image_version
from bundler.serving.nginx.logs import ERROR
from bundler.serving.nginx.render import LOGROTATE, render
from bundler.serving.proxy_container import ProxyChoices, proxy_check, proxy_container
from bundler.site.engines.stored import tag_of
from bundler.site.nginx.processes import hang_up, wait_for_new, workers_of
from bundler.site.parts.behind import Behind, reached_at
from bundler.site.parts.containers import last_lines, part_state, plain
from bundler.site.parts.folders import hand_over, make_folder, write_if_new
from bundler.site.parts.ground import Ground
from bundler.site.parts.interface import PartState
from bundler.site.parts.keys import write_upstream_key
from bundler.site.parts.network import Private, is_filtered
from bundler.site.parts.probe import shakes_hands, silence
from bundler.site.parts.rotation import Rotation
from bundler.site.parts.runner import Runner
from bundler.site.parts.trial import require_success
from bundler.site.tls.pair import finish_pair
from bundler.site.tokens import change
from bundler.site.tokens.store import TokenStore

_SECONDS: Final = 30
_USUAL: Final = 0.5
_REFUSED: Final = "What ran goes on, with the tokens of before. The end of logs/error.log below the root says why."
_CONFIG_LABEL: Final = "llm-bundle.config"
_FILTERED: Final = (
    "warning: this host's firewall sees what containers say to each other, as where Docker is beside Podman. "
    "If the proxy does not reach the engine: iptables -I FORWARD -s 10.219.0.0/16 -d 10.219.0.0/16 -j ACCEPT"
)


class ProxyPart:
    """The proxy of a release: ``image`` and ``digest`` name its image, ``behind`` says what it stands in front of."""

    name = "proxy"

    def __init__(
        self, ground: Ground, behind: Behind, image: str, digest: Digest, *, rotation: Rotation | None = None
    ) -> None:
        self._ground = ground
        self._behind = behind
        self._image = image
        self._digest = digest
        self._rotation = rotation or Rotation.of(ground.place, ground.release.id)

    def prepare(self, progress: Progress = SILENT) -> None:
        """See ``Part.prepare``; the configuration is tested, too."""
        self._ground.keeper.require()
        self._ground.images.load(self._image, self._digest, progress)
        if not self._behind.on_host and self._ground.info.kind == "podman" and is_filtered():
            progress.say(_FILTERED)
        self._try(self._spec())

    def start(self) -> None:
        """See ``Part.start``."""
        self._ground.images.load(self._image, self._digest)
        self._ground.keeper.start(self._spec())
        self._rotation.put()

    def stop(self) -> None:
        """See ``Part.stop``."""
        self._ground.keeper.stop(self._name, _SECONDS)
        self._ground.engine.remove(f"{self._name}-check")

    def remove(self) -> None:
        """See ``Part.remove``."""
        self.stop()
        self._rotation.take()
        names = [self._ground.engine_name(replica) for replica in range(self._behind.replicas)]
        if all(self._ground.engine.inspect(name) is None for name in names):
            self._ground.networks.remove()

    def drop_images(self) -> None:
        """See ``Part.drop_images``."""
        self._ground.images.drop(self._image, self._digest)

    def reload(self) -> None:
        """See ``Proxy.reload``."""
        found = self._ground.engine.inspect(self._name)
        if found is None or not found.running:
            raise EngineError("the proxy does not run", hint="Start it: llm-bundle install, with the same bundle.")
        self._try(self._spec())
        before = workers_of(found.pid)
        # Docker takes any signal that it sends for a stop by hand: neither after a crash nor at the next boot would it
        # start this container again.
        if not hang_up(found.pid):
            self._ground.engine.signal(self._name, "HUP")
        if not before:
            time.sleep(_USUAL)  # an engine whose processes this host does not see
        elif not wait_for_new(found.pid, before):
            raise EngineError("the proxy did not take its new configuration", hint=_REFUSED)

    def state(self) -> PartState:
        """See ``Part.state``: healthy when it shakes hands, which it can as soon as it has read its configuration."""
        found = self._ground.engine.inspect(self._name)
        address, port = reached_at(self._ground.settings.addresses), self._ground.settings.https_port
        runs = found is not None and found.running
        healthy = runs and shakes_hands(address, port, self._behind.server_name)
        state = part_state(self.name, [(self._name, found, healthy)])
        return replace(state, detail=state.detail or silence(address, port)) if runs and not healthy else state

    def logs(self, tail: int = 50) -> str:
        """See ``Part.logs``: what the container said, then the end of Nginx's error log."""
        said = self._ground.engine.logs(self._name, tail)
        return plain(said + last_lines(self._ground.place.logs / ERROR, tail))

    @property
    def _name(self) -> str:
        return self._ground.proxy_name

    @property
    def _folder(self) -> Path:
        return self._ground.work / "nginx"

    def _try(self, spec: ContainerSpec) -> None:
        require_success(self._ground.engine, proxy_check(spec), "the proxy does not take its configuration")

    def _spec(self) -> ContainerSpec:
        """The container; what it mounts is there afterwards and as it must be, and so are its networks."""
        ground, behind = self._ground, self._behind
        private = None if behind.on_host else ground.networks.make(front=True)
        who = ground.runner(low_ports=behind.low_ports(ground.settings))
        config = self._write(private, who)
        choices = ProxyChoices(
            name=self._name,
            image=tag_of(self._image, self._digest),
            owner=ground.digits,
            config=str(self._folder),
            secrets=str(ground.place.proxy_secrets),
            tls=str(ground.place.tls),
            logs=str(ground.place.logs),
            networks=(private.name, ground.networks.front) if private else behind.networks,
            address=private.proxy if private else None,
            addresses=ground.settings.addresses,
            https_port=ground.settings.https_port,
            http_port=ground.settings.http_port,
            monitor_port=ground.settings.monitor_port,
            user=who.user,
            resolves=behind.calls_names,
            nofile=ground.open_files,
        )
        spec = proxy_container(choices)
        return replace(spec, labels=(*spec.labels, (_CONFIG_LABEL, config)))

    def _write(self, private: Private | None, who: Runner) -> str:
        """Write all that is mounted, for ``who``; 12 digits that follow from the configuration."""
        ground, place = self._ground, self._ground.place
        make_folder(place.logs, 0o750, who)
        for folder in (place.secrets, self._folder, place.proxy_secrets, place.tls):
            make_folder(folder, 0o700, who if folder != place.secrets else None)
        finish_pair(place.tls)
        if not is_there(TokenStore(place.root).include):
            change.current(TokenStore(place.root))
        if self._behind.engine == "vllm":
            write_upstream_key(place)
        # Not by a signal of the engine's: see ``reload``.
        reopen = f"{ground.settings.engine} exec {self._name} nginx -c {CONFIG}/nginx.conf -e /dev/null -s reopen"
        config = self._behind.config(private, ground.settings)
        texts = dict(render(replace(config, host_logs=str(place.logs), reopen=reopen), image_version(self._image)))
        self._rotation.write(texts.pop(LOGROTATE))
        for name, text in texts.items():
            write_if_new(self._folder / name, text, 0o600)
        for folder in (self._folder, place.proxy_secrets, place.tls):
            hand_over(folder, who)
        return Digest.of("".join(text for _, text in sorted(texts.items())).encode()).short
