"""Docker, by the API of its daemon."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from bundler.errors import EngineError
from bundler.progress import SILENT, Progress
from bundler.serving.container import LABEL, ContainerSpec
from bundler.site.engines import archive
from bundler.site.engines.answers import table, tables
from bundler.site.engines.docker_api import DockerApi, socket_path
from bundler.site.engines.docker_body import container_body, container_state
from bundler.site.engines.interface import ContainerState, EngineInfo
from bundler.site.engines.ownership import only_ours, other_image, same_network
from bundler.site.engines.secrets import read_env_file
from bundler.site.engines.stored import StoredImage
from bundler.site.engines.words import clean, refused

_MOST_LOG: Final = 1 << 20
_ZSTD_SINCE: Final = 23


class Docker:
    """The engine behind ``socket``, which is that of DOCKER_HOST or the usual one where it is not given."""

    def __init__(self, socket: Path | None = None) -> None:
        self._api = DockerApi(socket or socket_path())

    def info(self) -> EngineInfo:
        """See ``Images.info``."""
        found = table(self._api.get("/info", "asking what it is"))
        security = str(found.get("SecurityOptions"))
        runtimes = [name for name in table(found.get("Runtimes")) if "nvidia" in name]
        folders = ["cdi"] if found.get("CDISpecDirs") else []
        return EngineInfo(
            kind="docker",
            version=str(found.get("ServerVersion", "")),
            storage_driver=str(found.get("Driver", "")),
            root=str(found.get("DockerRootDir", "")),
            rootless="rootless" in security,
            architecture=str(found.get("Architecture", "")),
            cgroups=str(found.get("CgroupVersion", "")),
            gpus=(*runtimes, *folders),
        )

    def load(self, image: StoredImage, progress: Progress = SILENT) -> str:
        """See ``Images.load``."""
        doing = f"loading {image.name}"
        self._require_readable(image)
        progress.begin(doing, image.size + image.manifest.size)
        try:
            self._api.load(archive.stream(image, progress), archive.length(image), doing)
        finally:
            progress.end()
        found = self._id(image.tag)
        if found not in image.ids:
            raise other_image("Docker", image, found)
        return found

    def has(self, image: StoredImage) -> bool:
        """See ``Images.has``."""
        return self._id(image.tag) in image.ids

    def remove_image(self, tag: str) -> bool:
        """See ``Images.remove_image``."""
        if self._id(tag) is None:
            return False
        self._api.delete(f"/images/{tag}", f"removing {tag}")
        return True

    def create_network(self, name: str, owner: str, *, internal: bool, subnet: str | None = None) -> None:
        """See ``Engine.create_network``."""
        found = self._api.get(f"/networks/{name}", f"looking for the network {name}")
        if found is not None:
            same = table(found)
            same_network("Docker", name, table(same.get("Labels")), bool(same.get("Internal")), internal=internal)
            return
        body: dict[str, Any] = {"Name": name, "Internal": internal, "Labels": {LABEL: owner}, "CheckDuplicate": True}
        if subnet:
            body["IPAM"] = {"Config": [{"Subnet": subnet}]}
        self._api.post("/networks/create", f"making the network {name}", body)

    def networks(self) -> dict[str, tuple[str, ...]]:
        """See ``Engine.networks``."""
        found = tables(self._api.get("/networks", "listing its networks"))
        return {str(one.get("Name")): _subnets(one) for one in found}

    def remove_network(self, name: str) -> bool:
        """See ``Engine.remove_network``."""
        found = self._api.get(f"/networks/{name}", f"looking for the network {name}")
        if found is None:
            return False
        only_ours("Docker", f"the network {name}", table(table(found).get("Labels")).get(LABEL))
        self._api.delete(f"/networks/{name}", f"removing the network {name}")
        return True

    def run(self, spec: ContainerSpec) -> None:
        """See ``Engine.run``."""
        doing = f"starting {spec.name}"
        secrets = read_env_file(Path(spec.env_file)) if spec.env_file else ()
        if self._api.post("/containers/create", doing, container_body(spec, secrets), name=spec.name) is None:
            raise EngineError(f"Docker: {doing}: it has no image {spec.image}", hint="Load it first: install does.")
        try:
            for network in spec.networks[1:]:
                self._api.order(f"/networks/{network}/connect", doing, {"Container": spec.name})
            self._api.order(f"/containers/{spec.name}/start", doing)
        except BaseException:
            self._api.delete(f"/containers/{spec.name}", doing, force="1")
            raise

    def start(self, name: str) -> None:
        """See ``Engine.start``."""
        self._mine(name)
        self._api.order(f"/containers/{name}/start", f"starting {name}")

    def stop(self, name: str, timeout: int = 30) -> None:
        """See ``Engine.stop``."""
        if self._mine(name):
            self._api.post(f"/containers/{name}/stop", f"stopping {name}", t=str(timeout))

    def signal(self, name: str, signal: str) -> None:
        """See ``Engine.signal``."""
        if not self._mine(name):
            raise refused("Docker", f"sending {signal} to {name}", "there is no such container")
        self._api.post(f"/containers/{name}/kill", f"sending {signal} to {name}", signal=signal)

    def remove(self, name: str) -> bool:
        """See ``Engine.remove``."""
        if not self._mine(name):
            return False
        self._api.delete(f"/containers/{name}", f"removing {name}", force="1", v="1")
        return True

    def inspect(self, name: str) -> ContainerState | None:
        """See ``Engine.inspect``."""
        found = self._api.get(f"/containers/{name}/json", f"looking at {name}")
        return container_state(name, found) if isinstance(found, dict) else None

    def logs(self, name: str, tail: int = 100) -> str:
        """See ``Engine.logs``."""
        query = {"stdout": "1", "stderr": "1", "tail": str(tail)}
        data = self._api.raw(f"/containers/{name}/logs", f"reading the log of {name}", _MOST_LOG, **query)
        return _unframed(data or b"").decode("utf-8", "replace")

    def _id(self, tag: str) -> str | None:
        found = self._api.get(f"/images/{tag}/json", f"looking for {tag}")
        return str(found.get("Id")) if isinstance(found, dict) else None

    def _mine(self, name: str) -> bool:
        """Whether a container of ours bears the name. Raises: EngineError when it is another's."""
        found = self.inspect(name)
        if found:
            only_ours("Docker", f"the container {name}", found.owner)
        return found is not None

    def _require_readable(self, image: StoredImage) -> None:
        """Raises: EngineError where this version cannot unpack the layers, before a byte of them is sent."""
        version = self.info().version
        major = re.match("[0-9]+", version)
        packed = any(layer.media_type.endswith("zstd") for layer in image.layers)
        if packed and major and int(major[0]) < _ZSTD_SINCE:
            hint = "Install Docker 23.0 or newer, or use Podman, which reads them."
            raise refused(
                "Docker", f"loading {image.name}", f"version {clean(version)} reads no zstd layers", hint=hint
            )


def _subnets(network: dict[str, Any]) -> tuple[str, ...]:
    rows = tables(table(network.get("IPAM")).get("Config"))
    return tuple(str(row["Subnet"]) for row in rows if row.get("Subnet"))


def _unframed(data: bytes) -> bytes:
    """The output without Docker's frames: 1 byte of stream, 3 of nothing, 4 of length, then so many of text."""
    text = bytearray()
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        text += data[at + 8 : at + 8 + size]
        at += 8 + size
    return bytes(text)
