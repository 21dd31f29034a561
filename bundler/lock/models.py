"""Looking models up: their files with digests, and what the weights say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bundler.lock.model import LockedFile, LockedModel
from bundler.models.facts import ModelFacts
from bundler.models.inspect import examine
from bundler.models.interface import ModelFiles
from bundler.progress import Progress
from bundler.sources import folder
from bundler.sources.interface import Url
from bundler.sources.kinds import Sources
from bundler.sources.listing import ListedFile, Listing
from bundler.sources.piece import read_piece
from bundler.spec.model import FolderModel, HubModel, ModelSource, Spec, UrlModel


def lock_model(model: ModelSource, spec: Spec, sources: Sources, progress: Progress) -> LockedModel:
    """Look one model up. Raises: BundleError."""
    listing, files = _look(model, spec, sources, progress)
    for note in listing.notes:
        progress.say(f"{model.id}: {note}")
    facts: ModelFacts = examine(files, allow_pickle=model.allow_pickle, where=f"model {model.id}")
    locked = tuple(LockedFile(file.path, file.size, file.digest) for file in listing.files)
    return LockedModel(model.id, _KINDS[type(model)], listing.commit, listing.license, locked, facts)


_KINDS: Mapping[type, str] = {HubModel: "hub", FolderModel: "folder", UrlModel: "http"}


def _look(model: ModelSource, spec: Spec, sources: Sources, progress: Progress) -> tuple[Listing, ModelFiles]:
    """The chosen files, and a way to read from them."""
    if isinstance(model, HubModel):
        listing = sources.hub.look(model, spec.serve.engine)
        return listing, sources.hub.files(model, listing)
    if isinstance(model, FolderModel):
        listing = folder.look(model, spec.base, spec.serve.engine, progress)
        return listing, _Chosen(folder.open_folder(model, spec.base), _sizes(listing))
    size = sources.http.look(model.url)
    listing = Listing(None, None, (ListedFile(model.path, size, model.digest),))
    return listing, _AtAddress(sources, model.url, _sizes(listing))


def _sizes(listing: Listing) -> Mapping[str, int]:
    return MappingProxyType({file.path: file.size for file in listing.files})


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The chosen ones of a folder's files."""

    files: ModelFiles
    paths: Mapping[str, int]

    def read(self, path: str, start: int, length: int) -> bytes:
        return self.files.read(path, start, length)


@dataclass(frozen=True, slots=True)
class _AtAddress:
    """The one file of a model at an address."""

    sources: Sources
    url: str
    paths: Mapping[str, int]

    def read(self, path: str, start: int, length: int) -> bytes:
        return read_piece(self.sources, Url(self.url), start, length)
