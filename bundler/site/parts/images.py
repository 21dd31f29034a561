"""The images of a release in the engine: loaded from the release itself, dropped when no other release needs them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bundler.digest import Digest
from bundler.disk import is_there, read_bounded
from bundler.errors import EngineError
from bundler.layout.manifest import MAX_BYTES, decode
from bundler.progress import SILENT, Progress
from bundler.site.engines.interface import Engine
from bundler.site.engines.stored import StoredImage, read_image, tag_of
from bundler.site.place import Place
from bundler.site.state import Release, State

MANIFEST: Final = "manifest.json"

_IN_USE: Final = ("is using its referenced image", "in use by a container")
"""What Docker and Podman say of an image that a container needs."""


@dataclass(frozen=True, slots=True)
class ReleaseImages:
    """The images of ``release``; ``state`` knows the other releases."""

    place: Place
    state: State
    release: Release
    engine: Engine

    def read(self, name: str, digest: Digest) -> StoredImage:
        """The image as it lies in the release. Raises: IntegrityError, MachineError."""
        return read_image(self.place.release(self.release.id) / "images", name, digest)

    def load(self, name: str, digest: Digest, progress: Progress = SILENT) -> StoredImage:
        """The image, in the engine afterwards. Raises: EngineError, IntegrityError, MachineError."""
        image = self.read(name, digest)
        if not self.engine.has(image):
            self.engine.load(image, progress)
        return image

    def drop(self, name: str, digest: Digest) -> None:
        """Take our tag of it away unless another release has the same, or a container of another installation.

        Raises: EngineError, MachineError; IntegrityError for another release that is damaged.
        """
        tag = tag_of(name, digest)
        if tag in self._needed():
            return
        try:
            self.engine.remove_image(tag)
        except EngineError as error:
            if not any(words in error.message for words in _IN_USE):
                raise

    def _needed(self) -> set[str]:
        others = (release.id for release in self.state.releases if release.id != self.release.id)
        return set(_tags(self.place, others))


def _tags(place: Place, releases: Iterable[str]) -> Iterable[str]:
    for release in releases:
        path = place.release(release) / MANIFEST
        if is_there(path):
            manifest = decode(read_bounded(path, MAX_BYTES), where=str(path))
            yield from (tag_of(image.name, image.digest) for image in manifest.images)
