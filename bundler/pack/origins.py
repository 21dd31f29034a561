"""Where the bytes that a lock names lie, as this machine's bundle.yml says: the rest of the plan's input."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from bundler.digest import Digest
from bundler.errors import LockError
from bundler.lock.model import Lock, LockedFile, LockedImage, LockedModel
from bundler.lock.side_files import side_files
from bundler.sources import docker_archive, oci
from bundler.sources.folder import Folder, open_folder
from bundler.sources.image import Blob
from bundler.sources.interface import HubFile, LocalRange, Origin, RegistryBlob, Url
from bundler.spec.elastic_sites import locked_artefacts
from bundler.spec.model import ArchiveImage, FolderModel, LayoutImage, Spec, UrlModel


class SpecOrigins:
    """The origins of one lock and the spec that it was made from. Archives on disk are indexed once each."""

    def __init__(self, lock: Lock, spec: Spec) -> None:
        self._base = spec.base
        self._images = dict(spec.images)
        self._models = {model.id: model for model in spec.models}
        self._urls = {file.path: file.url for file in (*spec.files, *side_files(spec, lock.models))}
        elastic = locked_artefacts(spec.elastic, (file.path for file in lock.elastic)) or ()
        self._urls |= {file.path: file.url for file in elastic}
        self._locked = {image.role: image for image in lock.images}
        self._ranges = cache(self._find_ranges)
        self._folder = cache(self._open_folder)

    def blob(self, image: LockedImage, blob: Blob) -> Origin:
        """See ``assemble.Origins``."""
        source = self._images[image.role]
        if isinstance(source, LayoutImage | ArchiveImage):
            return self._ranges(image.role)[blob.digest]
        return RegistryBlob(source.registry, source.repository, blob.digest)

    def model_file(self, model: LockedModel, file: LockedFile) -> Origin:
        """See ``assemble.Origins``."""
        source = self._models[model.id]
        if isinstance(source, FolderModel):
            found = self._folder(model.id).files.get(file.path)
            if found is None or found.size != file.size:
                change = "is no longer there" if found is None else f"has {found.size:,} bytes, not {file.size:,}"
                raise LockError(
                    f"models: {model.id}: {source.folder}/{file.path} {change}",
                    hint="Put it back as it was, or look everything up again: llm-bundle lock --update",
                )
            return found
        if isinstance(source, UrlModel):
            return Url(source.url)
        return HubFile(model.id, model.commit or source.revision, file.path)

    def extra(self, file: LockedFile) -> Origin:
        """See ``assemble.Origins``."""
        return Url(self._urls[file.path])

    def _find_ranges(self, role: str) -> Mapping[Digest, LocalRange]:
        source, locked = self._images[role], self._locked[role]
        if isinstance(source, LayoutImage):
            return oci.blob_ranges(source, locked.config, locked.layers, self._base)
        assert isinstance(source, ArchiveImage)
        return docker_archive.blob_ranges(source, locked.config, locked.layers, self._base)

    def _open_folder(self, model_id: str) -> Folder:
        source = self._models[model_id]
        assert isinstance(source, FolderModel)
        return open_folder(source, self._base)
