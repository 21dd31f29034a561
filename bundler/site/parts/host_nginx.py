"""The host's own Nginx in front of the engine: one file of ours among its own, ``llm-bundle.conf``.

Rules: nobody else's file is changed, nor ours when somebody edited it. What stood there comes back when Nginx does not
take the new text. The file bears its release's name, and a part removes only its own release's: so the new release may
be started before the old one is stopped, and nothing is missing in between. Nginx is started where it does not run, and
never stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from bundler.disk import guarded, is_folder, is_there
from bundler.errors import EngineError, MachineError
from bundler.progress import SILENT, Progress
from bundler.serving.nginx.config import ProxyConfig
from bundler.serving.nginx.logs import ERROR
from bundler.serving.nginx.render import LOGROTATE, SITE, render
from bundler.site.nginx.change import require_sound, switch, try_alone
from bundler.site.nginx.directives import include_folders
from bundler.site.nginx.processes import taken
from bundler.site.nginx.program import HostNginx, Main
from bundler.site.nginx.seal import Found, look, put, seal, tidy
from bundler.site.parts.behind import Behind, reached_at
from bundler.site.parts.containers import last_lines, plain
from bundler.site.parts.folders import make_folder
from bundler.site.parts.host_config import STATUS_MODULE, host_config, others_default, reopen_command
from bundler.site.parts.interface import PartState
from bundler.site.parts.keys import write_upstream_key
from bundler.site.parts.probe import shakes_hands, silence
from bundler.site.place import Place
from bundler.site.state import Settings
from bundler.site.tls.pair import finish_pair
from bundler.site.tokens.change import current
from bundler.site.tokens.store import TokenStore

ROTATION: Final = Path("/etc/logrotate.d/llm-bundle")


class HostNginxPart:
    """The proxy of the release with that id. ``upstreams`` says where the engines are, when it is asked."""

    name = "proxy"

    def __init__(
        self,
        place: Place,
        release: str,
        behind: Behind,
        upstreams: Callable[[], tuple[str, ...]],
        settings: Settings,
        *,
        find: Callable[[], HostNginx] = HostNginx.here,
        rotation: Path = ROTATION,
    ) -> None:
        self._place = place
        self._release = release
        self._behind = behind
        self._upstreams = upstreams
        self._settings = settings
        self._find = find
        self._rotation = rotation

    def prepare(self, progress: Progress = SILENT) -> None:
        """See ``Part.prepare``; the configuration is tested by itself, with what it includes."""
        nginx = self._find()
        version = nginx.version
        found = look(self._site(nginx.main)).require_ours()
        look(self._rotation).require_ours()
        if found.kind == "absent":
            require_sound(nginx)
        self._make_ready()
        config, others = self._config(nginx, found.path)
        try_alone(nginx, self._place.root, render(config, version)[SITE])
        for place in others:
            progress.say(
                f"warning: another site of this Nginx answers for unknown names on port {place}; that stays so"
            )
        if not nginx.starts_at_boot():
            progress.say("warning: Nginx does not start at boot: systemctl enable nginx")

    def start(self) -> None:
        """See ``Part.start``. Raises: also when a port is another program's; what stood there before stands again."""
        nginx = self._find()
        main = nginx.main
        found = look(self._site(main)).require_ours()
        rotation = look(self._rotation).require_ours()
        self._make_ready()
        config, _ = self._config(nginx, found.path)
        self._require_ports(nginx, config)
        texts = render(replace(config, reopen=reopen_command(nginx, main)), nginx.version)
        switch(nginx, found, seal(self._release, texts[SITE]))
        if is_folder(self._rotation.parent):
            put(rotation, seal(self._release, texts[LOGROTATE]))

    def stop(self) -> None:
        """See ``Part.stop``: our site is taken out, Nginx goes on with those of others."""
        nginx = self._nginx()
        found = self._own(nginx)
        if found is None:
            return
        if nginx is None:
            put(found, None)
        else:
            switch(nginx, found, None)

    def remove(self) -> None:
        """See ``Part.remove``."""
        self.stop()
        rotation = look(self._rotation)
        if rotation.release == self._release:
            put(rotation.require_ours(), None)
        nginx = self._nginx()
        for path in (self._rotation, *([self._site(nginx.main)] if nginx else [])):
            tidy(path)

    def drop_images(self) -> None:
        """See ``Part.drop_images``: there are none."""

    def reload(self) -> None:
        """See ``Proxy.reload``."""
        nginx = self._find()
        if self._own(nginx) is None:
            raise EngineError("the proxy does not run", hint="Start it: llm-bundle install, with the same bundle.")
        nginx.test()
        nginx.reload()

    def state(self) -> PartState:
        """See ``Part.state``: healthy when it shakes hands for its name."""
        nginx = self._nginx()
        if nginx is None:
            return PartState(self.name, running=False, healthy=False, detail="the program nginx is not here")
        main = nginx.main
        found = look(self._site(main))
        if found.kind not in ("ours", "edited") or found.release != self._release:
            return PartState(self.name, running=False, healthy=False, detail=f"{found.path} is not of this release")
        if nginx.master() is None:
            return PartState(self.name, running=False, healthy=False, detail="Nginx does not run")
        address, port = reached_at(self._settings.addresses), self._settings.https_port
        healthy = shakes_hands(address, port, self._behind.server_name)
        detail = f"{found.path} was edited" if found.kind == "edited" else "" if healthy else silence(address, port)
        return PartState(self.name, running=True, healthy=healthy, since=_since(found.path), detail=detail)

    def logs(self, tail: int = 50) -> str:
        """See ``Part.logs``: the end of the error log of our site."""
        return plain(last_lines(self._place.logs / ERROR, tail))

    def _nginx(self) -> HostNginx | None:
        try:
            return self._find()
        except MachineError:
            return None

    def _site(self, main: Main | None) -> Path:
        """Where our file lies. Raises: MachineError when this Nginx includes no folder."""
        chosen = self._settings.nginx_conf_dir
        folders = [Path(chosen)] if chosen else include_folders(main.text, main.path.parent, SITE) if main else []
        for folder in folders:
            if is_folder(folder):
                return folder / SITE
        hint = "Name a folder whose *.conf its http block includes: llm-bundle install --nginx-conf-dir"
        where = chosen or (f"{main.path}: its http block includes no folder of *.conf" if main else "Nginx is not here")
        raise MachineError(f"{where}: there is no place for {SITE}", hint=hint)

    def _own(self, nginx: HostNginx | None) -> Found | None:
        """Our file, if it is this release's. Raises: MachineError when it was edited."""
        if nginx is None and self._settings.nginx_conf_dir is None:
            return None
        found = look(self._site(nginx.main if nginx else None))
        return found.require_ours() if found.release == self._release else None

    def _config(self, nginx: HostNginx, site: Path) -> tuple[ProxyConfig, list[str]]:
        """The configuration for this Nginx, and where others of it answer for unknown names."""
        config = host_config(self._place, self._settings, self._behind, self._upstreams())
        others = others_default(nginx, site, config)
        return replace(config, default_server=not others, status_page=nginx.has(STATUS_MODULE)), others

    def _make_ready(self) -> None:
        """All that the configuration names, certificate apart."""
        place = self._place
        make_folder(place.logs, 0o755)
        for folder in (place.secrets, place.proxy_secrets, place.tls):
            make_folder(folder, 0o700)
        finish_pair(place.tls)
        store = TokenStore(place.root)
        if not is_there(store.include):
            current(store)
        if self._behind.engine == "vllm":
            write_upstream_key(place)

    def _require_ports(self, nginx: HostNginx, config: ProxyConfig) -> None:
        port = taken(config.addresses, self._settings.ports, nginx.master())
        if port is not None:
            hint = f"See who has it: ss -ltnp 'sport = :{port}'. Stop that, or choose another port."
            raise EngineError(f"port {port} is taken by another program than Nginx", hint=hint)


def _since(path: Path) -> str:
    with guarded(path, "look at"):
        seconds = path.stat().st_mtime
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
