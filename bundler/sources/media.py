"""The media types of images: OCI's, and Docker's with the OCI type that means the same.

Sources: https://github.com/opencontainers/image-spec/blob/main/media-types.md and
https://distribution.github.io/distribution/spec/manifest-v2-2/. Foreign (non-distributable) layers are not
listed: they lie elsewhere, so a bundle of them would not be whole.
"""

from __future__ import annotations

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"

INDEXES = frozenset((INDEX, DOCKER_LIST))
MANIFESTS = frozenset((MANIFEST, DOCKER_MANIFEST))
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+"
ACCEPT = ", ".join((INDEX, DOCKER_LIST, MANIFEST, DOCKER_MANIFEST))

_LAYER = "application/vnd.oci.image.layer.v1.tar"
_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"

CONFIGS = {CONFIG: CONFIG, DOCKER_CONFIG: CONFIG}
LAYERS = {
    _LAYER: _LAYER,
    f"{_LAYER}+gzip": f"{_LAYER}+gzip",
    f"{_LAYER}+zstd": f"{_LAYER}+zstd",
    _DOCKER_LAYER: _LAYER,
    f"{_DOCKER_LAYER}.gzip": f"{_LAYER}+gzip",
    f"{_DOCKER_LAYER}.zstd": f"{_LAYER}+zstd",
}


def foreign(media_type: str) -> bool:
    """Whether a layer's type says that registries do not keep it."""
    return ".nondistributable." in media_type or ".foreign." in media_type
