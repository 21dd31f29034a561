"""``registries:`` → how this machine reaches them. Rules: hosts without scheme and path; no credentials."""

from __future__ import annotations

import re

from bundler.spec.fields import Field
from bundler.spec.keys import REGISTRY
from bundler.spec.model import RegistryAccess
from bundler.spec.reference import DOCKER_HUB, REPOSITORY
from bundler.spec.reference import REGISTRY as HOST
from bundler.spec.wording import quoted

_MIRROR = re.compile(rf"(?:{HOST.pattern})(?:/{REPOSITORY.pattern})?")


def read_registries(field: Field | None) -> dict[str, RegistryAccess]:
    """The registries by host[:port]. Raises: SpecError."""
    found: dict[str, RegistryAccess] = {}
    for host, item in field.pairs().items() if field else ():
        if not HOST.fullmatch(host):
            message = f"expected a registry as host[:port], found {quoted(host)}"
            raise item.error(message, hint="as in registry.example:5000, without https:// and without a path")
        name = DOCKER_HUB if host == "index.docker.io" else host
        if name in found:
            raise item.error(f"registry {name} stands twice, also as index.docker.io", hint="keep one of the two")
        found[name] = _access(item)
    return found


def _access(field: Field) -> RegistryAccess:
    section = field.section(REGISTRY)
    plain, mirrors, ca = section.get("plain_http"), section.get("mirrors"), section.get("ca")
    return RegistryAccess(
        plain.boolean() if plain else False,
        tuple(_mirror(item) for item in mirrors.items("a list of mirrors")) if mirrors else (),
        ca.text("a file with certificates (PEM)") if ca else None,
    )


def _mirror(field: Field) -> str:
    hint = "as in mirror.example:5000/docker, without https://"
    return field.matching(_MIRROR, "a mirror as host[:port][/prefix]", hint=hint)
