"""The keys of each part of bundle.yml: the one list that parser and JSON schema are held against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that a mapping must and may have, in the order in which messages list them."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Both kinds."""
        return self.required + self.optional


SPEC = Keys(
    ("apiVersion", "name", "version", "platform", "models", "serve"),
    ("stack", "proxy", "connectors", "monitoring", "elastic", "files", "signing", "registries"),
)
HUB_MODEL = Keys(("id",), ("revision", "files", "allow_pickle"))
FOLDER_MODEL = Keys(("id", "folder"), ("files", "allow_pickle"))
URL_MODEL = Keys(("id", "url", "sha256"), ("path", "allow_pickle"))
PATTERNS = Keys((), ("include", "exclude"))
IMAGE = Keys(("reference",))
SERVE = Keys(("engine", "model"), ("image", "context", "gpus", "replicas", "upstreams", "args"))
PROXY = Keys(("server_name",), ("run", "image"))
CONNECTOR = Keys(("id", "name", "provider"))
MONITORING = Keys((), ("package", "filebeat"))
ELASTIC = Keys((), ("agent", "beats", "packages", "product_docs", "elser", "served_from"))
BEAT = Keys(("name",), ("version",))
PACKAGE = Keys(("name",), ("version",))
FILE = Keys(("url", "sha256", "path"))
SIGNING = Keys(("key",))
REGISTRY = Keys((), ("plain_http", "mirrors", "ca"))
