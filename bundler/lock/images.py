"""Looking images up, each kind in its own way, into one locked form."""

from __future__ import annotations

from bundler.lock.model import LockedImage
from bundler.progress import Progress
from bundler.sources import docker_archive, oci
from bundler.sources.image import Resolved
from bundler.sources.kinds import Sources
from bundler.spec.model import ArchiveImage, ImageSource, LayoutImage, RegistryImage, Spec


def lock_images(spec: Spec, sources: Sources, progress: Progress) -> tuple[LockedImage, ...]:
    """The images of ``spec`` for its platform. Raises: BundleError."""
    return tuple(_locked(role, image, _resolve(image, spec, sources, progress)) for role, image in spec.images)


def _resolve(image: ImageSource, spec: Spec, sources: Sources, progress: Progress) -> Resolved:
    if isinstance(image, LayoutImage):
        return oci.resolve(image, spec.platform, spec.base)
    if isinstance(image, ArchiveImage):
        return docker_archive.resolve(image, spec.platform, spec.base, progress)
    return sources.registry.resolve(image, spec.platform)


def _locked(role: str, image: ImageSource, found: Resolved) -> LockedImage:
    return LockedImage(
        role=role,
        written=image.written,
        name=found.name or _name(image),
        platform=str(found.platform),
        source_digest=found.source_digest,
        manifest=found.manifest,
        config=found.config,
        layers=found.layers,
    )


def _name(image: ImageSource) -> str:
    return image.name if isinstance(image, RegistryImage) else image.written
