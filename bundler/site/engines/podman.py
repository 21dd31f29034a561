"""Podman, by its program: it needs no daemon, with root or without."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any, Final

from bundler.disk import guarded
from bundler.errors import EngineError
from bundler.progress import SILENT, Progress
from bundler.serving.container import LABEL, ContainerSpec
from bundler.site.engines import archive
from bundler.site.engines.answers import table, tables
from bundler.site.engines.interface import ContainerState, EngineInfo
from bundler.site.engines.ownership import only_ours, other_image, same_network
from bundler.site.engines.podman_args import container_state, create_args
from bundler.site.engines.process import Program
from bundler.site.engines.secrets import read_env_file
from bundler.site.engines.stored import StoredImage
from bundler.site.engines.words import refused

_LOADING: Final = 3600
_MOST_LOG: Final = 1 << 20
_VIEW: Final = "llm-bundle-loading"
_LISTING: Final = "listing its networks"
# Not whatever is "not found": a runtime or a helper of Podman's own may be.
_ABSENT: Final = re.compile(rb"no such (?:container|image|network|object)|image not known|network not found")


class Podman:
    """The engine behind ``command``: the program, and options before all others."""

    def __init__(self, command: tuple[str, ...] = ("podman",)) -> None:
        self._program = Program("Podman", command)

    def info(self) -> EngineInfo:
        """See ``Images.info``."""
        found = self._json(["info", "--format=json"], "asking what it is")
        host, store = table(found.get("host")), table(found.get("store"))
        return EngineInfo(
            kind="podman",
            version=str(table(found.get("version")).get("Version", "")),
            storage_driver=str(store.get("graphDriverName", "")),
            root=str(store.get("graphRoot", "")),
            rootless=bool(table(host.get("security")).get("rootless")),
            architecture=str(host.get("arch", "")),
            cgroups=str(host.get("cgroupVersion", "")).removeprefix("v"),
        )

    def load(self, image: StoredImage, progress: Progress = SILENT) -> str:
        """See ``Images.load``: straight from the release, each layer read once."""
        doing = f"loading {image.name}"
        progress.begin(doing, image.size)
        try:
            with tempfile.TemporaryDirectory(prefix="llm-bundle-") as folder:
                _view(Path(folder), image)
                pull = ["pull", "--quiet", f"oci:{_VIEW}:{image.tag}"]
                self._program.run(pull, doing, seconds=_LOADING, folder=Path(folder))
            progress.advance(image.size)
        finally:
            progress.end()
        self._rename(image, doing)
        found = self._id(image.tag)
        if found not in image.ids:
            raise other_image("Podman", image, found)
        return found

    def _rename(self, image: StoredImage, doing: str) -> None:
        """Give the image our tag: Podman before 4.4 calls it after the layout's folder."""
        odd = f"localhost/{_VIEW}:latest"
        if self._program.ask(["image", "exists", odd], doing).status == 0:
            self._program.run(["tag", odd, image.tag], doing)
            self._program.run(["untag", odd, odd], doing)

    def has(self, image: StoredImage) -> bool:
        """See ``Images.has``."""
        return self._id(image.tag) in image.ids

    def remove_image(self, tag: str) -> bool:
        """See ``Images.remove_image``."""
        if self._id(tag) is None:
            return False
        self._program.run(["image", "rm", tag], f"removing {tag}")
        return True

    def create_network(self, name: str, owner: str, *, internal: bool, subnet: str | None = None) -> None:
        """See ``Engine.create_network``."""
        found = self._network(name)
        if found is not None:
            same_network("Podman", name, table(found.get("labels")), bool(found.get("internal")), internal=internal)
            return
        options = [*(["--internal"] if internal else []), *([f"--subnet={subnet}"] if subnet else [])]
        self._program.run(
            ["network", "create", f"--label={LABEL}={owner}", *options, name], f"making the network {name}"
        )

    def networks(self) -> dict[str, tuple[str, ...]]:
        """See ``Engine.networks``."""
        rows = tables(_parsed(self._program.run(["network", "ls", "--format=json"], _LISTING), _LISTING))
        return {
            str(row.get("name")): tuple(str(one["subnet"]) for one in tables(row.get("subnets")) if one.get("subnet"))
            for row in rows
        }

    def remove_network(self, name: str) -> bool:
        """See ``Engine.remove_network``."""
        found = self._network(name)
        if found is None:
            return False
        only_ours("Podman", f"the network {name}", table(found.get("labels")).get(LABEL))
        self._program.run(["network", "rm", name], f"removing the network {name}")
        return True

    def run(self, spec: ContainerSpec) -> None:
        """See ``Engine.run``."""
        doing = f"starting {spec.name}"
        if spec.env_file:
            read_env_file(Path(spec.env_file))  # for its rules: Podman itself reads files that everybody may read
        self._program.run(["create", *create_args(spec)], doing)
        try:
            self._program.run(["start", spec.name], doing)
        except BaseException:
            self._program.ask(["rm", "--force", spec.name], doing)
            raise

    def start(self, name: str) -> None:
        """See ``Engine.start``."""
        self._mine(name)
        self._program.run(["start", name], f"starting {name}")

    def stop(self, name: str, timeout: int = 30) -> None:
        """See ``Engine.stop``."""
        if self._mine(name):
            self._program.run(["stop", f"--time={timeout}", name], f"stopping {name}", seconds=timeout + 60)

    def signal(self, name: str, signal: str) -> None:
        """See ``Engine.signal``."""
        if not self._mine(name):
            raise refused("Podman", f"sending {signal} to {name}", "there is no such container")
        self._program.run(["kill", f"--signal={signal}", name], f"sending {signal} to {name}")

    def remove(self, name: str) -> bool:
        """See ``Engine.remove``."""
        # A Podman that was killed in the middle leaves a container that only its storage has: its image would stay.
        if not self._mine(name) and self._program.ask(["container", "exists", "--external", name], "looking").status:
            return False
        self._program.run(["rm", "--force", "--volumes", "--time=10", name], f"removing {name}")
        return True

    def inspect(self, name: str) -> ContainerState | None:
        """See ``Engine.inspect``. Without systemd nothing runs the health check but us."""
        found = self._one(["container", "inspect", name], f"looking at {name}")
        if found is None:
            return None
        return container_state(name, found, self._health(name, found))

    def logs(self, name: str, tail: int = 100) -> str:
        """See ``Engine.logs``."""
        done = self._program.ask(["logs", f"--tail={tail}", name], f"reading the log of {name}")
        return (done.out + done.err)[:_MOST_LOG].decode("utf-8", "replace") if done.status == 0 else ""

    def _health(self, name: str, found: dict[str, Any]) -> str | None:
        state = table(found.get("State"))
        if not state.get("Running") or not table(found.get("Config")).get("Healthcheck"):
            return None
        if self._program.ask(["healthcheck", "run", name], f"asking {name} how it is").status == 0:
            return "healthy"
        known = table(state.get("Health") or state.get("Healthcheck")).get("Status")
        return "starting" if known in ("", "starting", None) else "unhealthy"

    def _id(self, tag: str) -> str | None:
        found = self._one(["image", "inspect", tag], f"looking for {tag}")
        return f"sha256:{str(found.get('Id')).removeprefix('sha256:')}" if found else None

    def _network(self, name: str) -> dict[str, Any] | None:
        return self._one(["network", "inspect", name], f"looking for the network {name}")

    def _mine(self, name: str) -> bool:
        """Whether a container of ours bears the name. Raises: EngineError when it is another's."""
        found = self._one(["container", "inspect", name], f"looking at {name}")
        if found:
            only_ours("Podman", f"the container {name}", table(table(found.get("Config")).get("Labels")).get(LABEL))
        return found is not None

    def _one(self, args: list[str], doing: str) -> dict[str, Any] | None:
        """The first object of the list that an inspect prints; None when there is no such thing."""
        done = self._program.ask(args, doing)
        if done.status:
            if _ABSENT.search(done.err.lower()):
                return None
            raise refused("Podman", doing, done.err)
        found = _parsed(done.out, doing)
        return next(iter(tables(found)), None)

    def _json(self, args: list[str], doing: str) -> dict[str, Any]:
        found = _parsed(self._program.run(args, doing), doing)
        if not isinstance(found, dict):
            raise EngineError(f"Podman: {doing}: expected an object, found {type(found).__name__}")
        return found


def _parsed(data: bytes, doing: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise refused("Podman", doing, "its answer is no JSON") from error


def _view(folder: Path, image: StoredImage) -> None:
    """A layout with this image alone, under our tag; its blobs are those of the release."""
    view = folder / _VIEW
    with guarded(view, "write"):
        view.mkdir()
        (view / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}', encoding="utf-8")
        (view / "index.json").write_bytes(archive.index(image))
        (view / "blobs").symlink_to((image.layout / "blobs").absolute())
