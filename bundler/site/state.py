"""state.json: what is installed at the site, what serves, and what was chosen. Frozen values and their reading.

Rules: it holds no secret. ``current`` serves, ``previous`` is where ``rollback`` leads. ``moving`` is set while the
service goes from one release to another: whoever finds it set knows that it was interrupted, and where to go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal, get_args

from bundler.errors import MachineError
from bundler.jsonrow import Row, parse
from bundler.relpath import path_fault

FORMAT: Final = "llm-bundle-state/1"
MAX_BYTES: Final = 4 << 20
_MOST: Final = 1000

EngineKind = Literal["docker", "podman"]
Gpus = Literal["all", "cdi", "none"]
Keeper = Literal["engine", "systemd"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the administrator chose; kept for upgrades, so that nothing need be said twice.

    ``engine`` runs the containers; ``keeper`` starts them again after a crash or a boot: the engine's own restart
    policy, or systemd by Quadlet (Podman). ``addresses`` are those that the proxy listens on; ``monitors`` may read
    /health, /metrics and /nginx_status, and so may all who reach ``monitor_port`` of the loopback. ``start_period`` is
    in seconds: how long a model may take to load. ``lms`` is the command of LM Studio, ``lmstudio_user`` the user that
    it runs as. ``nginx_conf_dir`` is the folder that the host's own Nginx includes, None to ask it.
    """

    engine: EngineKind = "docker"
    keeper: Keeper = "engine"
    https_port: int = 443
    http_port: int | None = 80
    addresses: tuple[str, ...] = ("0.0.0.0",)
    monitors: tuple[str, ...] = ("127.0.0.1",)
    monitor_port: int | None = None
    gpus: Gpus = "all"
    start_period: int = 1800
    lms: str = "lms"
    lmstudio_user: str | None = None
    nginx_conf_dir: str | None = None

    @property
    def ports(self) -> tuple[int, ...]:
        """Those of the host that the proxy listens on."""
        return tuple(port for port in (self.https_port, self.http_port, self.monitor_port) if port)


@dataclass(frozen=True, slots=True)
class Release:
    """A release: ``id`` names its folder, ``manifest`` is sha256:…; times in seconds since 1970."""

    id: str
    name: str
    version: str
    manifest: str
    created: int
    installed: int
    signed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """The service on its way from one release (None: nothing served) to another.

    ``settings`` are those of the target; None where they are the same.
    """

    source: str | None
    target: str
    settings: Settings | None = None


@dataclass(frozen=True, slots=True)
class State:
    """The whole file. ``since`` is when ``current`` began to serve, in seconds since 1970."""

    settings: Settings = Settings()
    releases: tuple[Release, ...] = ()
    current: str | None = None
    previous: str | None = None
    since: int | None = None
    moving: Move | None = None

    def release(self, wanted: str | None) -> Release | None:
        """The release of that id."""
        return next((release for release in self.releases if release.id == wanted), None)

    def with_release(self, release: Release) -> State:
        """With ``release`` among the releases."""
        return replace(self, releases=(*(r for r in self.releases if r.id != release.id), release))

    def without_release(self, gone: str) -> State:
        """Without it, and with no way back to it."""
        left = tuple(release for release in self.releases if release.id != gone)
        current, previous = (None if name == gone else name for name in (self.current, self.previous))
        return replace(self, releases=left, current=current, previous=previous, since=self.since if current else None)

    def encode(self) -> bytes:
        """The bytes of state.json: two spaces, a line feed at the end."""
        return (json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n").encode()


def decode(data: bytes, *, where: str) -> State:
    """Read a state.json. Raises: MachineError, with the place, for anything that is not one."""
    try:
        return _decoded(data, where)
    except MachineError as error:
        error.hint = error.hint or _HINT
        raise


def _decoded(data: bytes, where: str) -> State:
    row = parse(data, where, MachineError)
    if row.text("format") != FORMAT:
        found = row.text("format")[:40]
        raise MachineError(f'{where}: format: expected "{FORMAT}", found "{found}"', hint=_NEWER)
    moving = row.row("moving") if row.value.get("moving") is not None else None
    releases = row.rows("releases", _release, _MOST)
    if len({release.id for release in releases}) != len(releases):
        raise MachineError(f"{where}: releases: an id stands twice")
    return State(
        settings=_settings(row.row("settings")),
        releases=releases,
        current=_optional_id(row, "current"),
        previous=_optional_id(row, "previous"),
        since=row.optional_number("since"),
        moving=_move(moving) if moving else None,
    )


def _move(row: Row) -> Move:
    chosen = _settings(row.row("settings")) if row.value.get("settings") is not None else None
    return Move(_optional_id(row, "source"), _id(row, "target"), chosen)


def _release(row: Row) -> Release:
    return Release(
        id=_id(row, "id"),
        name=row.text("name"),
        version=row.text("version"),
        manifest=str(row.digest("manifest")),
        created=row.number("created"),
        installed=row.number("installed"),
        signed_by=row.optional("signed_by"),
    )


def _id(row: Row, key: str) -> str:
    """Ids become paths of what is removed: none leads out of its folder."""
    name = row.text(key)
    if "/" in name or name.startswith(".") or path_fault(name):
        raise row.wrong(key, "the name of a folder")
    return name


def _optional_id(row: Row, key: str) -> str | None:
    return None if row.value.get(key) is None else _id(row, key)


def _settings(row: Row) -> Settings:
    """Keys of a newer llm-bundle are refused, not lost."""
    unknown = sorted(set(row.value) - {field.name for field in fields(Settings)})
    if unknown:
        raise MachineError(f"{row.where}: unknown key {unknown[0][:40]!r}", hint=_NEWER)
    readers: dict[str, Callable[[str], Any]] = {
        "engine": lambda key: _one_of(row, key, get_args(EngineKind)),
        "keeper": lambda key: _one_of(row, key, get_args(Keeper)),
        "https_port": lambda key: row.number(key, 65535),
        "http_port": lambda key: None if row.value[key] is None else row.number(key, 65535),
        "addresses": lambda key: row.texts(key, _MOST),
        "monitors": lambda key: row.texts(key, _MOST),
        "monitor_port": lambda key: None if row.value[key] is None else row.number(key, 65535),
        "gpus": lambda key: _one_of(row, key, get_args(Gpus)),
        "start_period": lambda key: row.number(key, 86400),
        "lms": row.text,
        "lmstudio_user": row.optional,
        "nginx_conf_dir": row.optional,
    }
    return Settings(**{key: read(key) for key, read in readers.items() if key in row.value})


def _one_of(row: Row, key: str, allowed: tuple[str, ...]) -> str:
    found = row.text(key)
    if found not in allowed:
        raise row.wrong(key, " or ".join(allowed))
    return found


_NEWER: Final = "A newer llm-bundle wrote it: use the one that lies in the current release."
_HINT: Final = (
    "Bring it back from a backup. Or move it away, remove the containers with the label llm-bundle.owner "
    "(docker ps -a --filter label=llm-bundle.owner, or podman), and install the bundle again: the models stay."
)
