"""What bundle.yml says, as frozen values. No I/O and no secrets; ``parse.py`` makes these and checks them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from bundler.digest import Digest

API_VERSION = "llm-bundle/v1"


@dataclass(frozen=True, slots=True)
class Platform:
    """An OCI platform, written ``os/architecture[/variant]``, as in ``linux/arm64/v8``."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


@dataclass(frozen=True, slots=True)
class RegistryImage:
    """An image in a registry, fully qualified: short names are spelt out (``docker.io/library/nginx``)."""

    registry: str
    repository: str
    tag: str | None
    digest: Digest | None
    written: str

    @property
    def name(self) -> str:
        """``registry/repository[:tag][@digest]``, the name that the image bears in the bundle."""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"


@dataclass(frozen=True, slots=True)
class LayoutImage:
    """``oci:PATH[:TAG]``: an OCI layout, a folder or a tar of one; ``path`` is relative to bundle.yml."""

    path: str
    tag: str | None
    written: str


@dataclass(frozen=True, slots=True)
class ArchiveImage:
    """``docker-archive:PATH[:NAME:TAG]``: what ``docker save`` wrote; ``path`` is relative to bundle.yml."""

    path: str
    tag: str | None
    written: str


ImageSource: TypeAlias = "RegistryImage | LayoutImage | ArchiveImage"


@dataclass(frozen=True, slots=True)
class FilePatterns:
    """Which files of a model: fnmatch patterns over the whole path, as ``huggingface_hub`` reads them."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model of the Hugging Face hub."""

    id: str
    revision: str = "main"
    files: FilePatterns = FilePatterns()
    allow_pickle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FolderModel:
    """A model in a folder on this machine; ``folder`` is as written, relative to bundle.yml."""

    id: str
    folder: str
    files: FilePatterns = FilePatterns()
    allow_pickle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UrlModel:
    """A model that is one file at an address, a GGUF mostly; ``path`` is its name in the model's folder."""

    id: str
    url: str
    digest: Digest
    path: str
    allow_pickle: tuple[str, ...] = ()


ModelSource: TypeAlias = "HubModel | FolderModel | UrlModel"

Engine = Literal["vllm", "lmstudio"]


@dataclass(frozen=True, slots=True)
class Serve:
    """How the model is served. ``image`` is None only for LM Studio, which the operator supplies.

    ``replicas`` engines run, each on ``gpus`` GPUs; ``upstreams`` (``host:port``) are engines on other hosts.
    """

    engine: Engine
    model: str
    image: ImageSource | None
    context: int | None = None
    gpus: int = 1
    args: tuple[str, ...] = ()
    replicas: int = 1
    upstreams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proxy:
    """The Nginx in front. ``image`` is None when the host's own Nginx runs (``run: host``)."""

    server_name: str
    run: Literal["container", "host"] = "container"
    image: ImageSource | None = None


@dataclass(frozen=True, slots=True)
class Connector:
    """A preconfigured Kibana connector. ``provider`` is one of those of ``spec/parse.py``."""

    id: str
    name: str
    provider: str


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What of the Elastic side goes along."""

    package: bool = False
    filebeat: bool = False


@dataclass(frozen=True, slots=True)
class Beat:
    """A Beat for the GPU host."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Package:
    """A package of Elastic's registry; ``version`` None is the newest that the stack's Kibana takes."""

    name: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Elastic:
    """What of Elastic's own goes along, for a stack without the internet.

    ``stack`` and ``platform`` are those of the whole bundle.yml; ``agent`` is a version. ``served_from`` is where the
    folder will be found at the site: ``file:///…`` on Kibana's hosts, or the address of a web server, without a
    slash at its end.
    """

    stack: str
    platform: str
    agent: str | None = None
    beats: tuple[Beat, ...] = ()
    packages: tuple[Package, ...] = ()
    product_docs: tuple[str, ...] = ()
    elser: tuple[str, ...] = ()
    served_from: str = "file:///opt/elastic"


@dataclass(frozen=True, slots=True)
class ExtraFile:
    """Any other file: an address, the digest it must have, and its path in the bundle, below ``extra/``."""

    url: str
    digest: Digest
    path: str


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """How this machine reaches a registry. Changes no byte of the bundle, so the lock does not hold it."""

    plain_http: bool = False
    mirrors: tuple[str, ...] = ()
    ca: str | None = None


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole bundle.yml. ``base`` is the folder that relative paths in it start from."""

    name: str
    version: str
    platform: Platform
    models: tuple[ModelSource, ...]
    serve: Serve
    stack: str | None = None
    proxy: Proxy | None = None
    connectors: tuple[Connector, ...] = ()
    monitoring: Monitoring = Monitoring()
    elastic: Elastic | None = None
    files: tuple[ExtraFile, ...] = ()
    signing_key: str | None = None
    registries: dict[str, RegistryAccess] = field(default_factory=dict)
    base: Path = Path()

    @property
    def images(self) -> tuple[tuple[str, ImageSource], ...]:
        """The images with their roles, ``engine`` and ``proxy``, in the order of the bundle."""
        found = [("engine", self.serve.image), ("proxy", self.proxy.image if self.proxy else None)]
        return tuple((role, image) for role, image in found if image is not None)
