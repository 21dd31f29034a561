"""The Hugging Face hub: looking models up with its own client, fetching their bytes by plain HTTP.

Rules: the endpoint is HF_ENDPOINT, else https://huggingface.co. The token goes to that origin only; storage
that the hub redirects to (LFS, Xet) is reached by signed addresses, which are asked for anew at each
opening, and again when the storage calls one expired. An endpoint that the user wrote as http:// may
redirect to http:// as well: no token travels there, and every byte is checked against the lock. One that is
https may not. Files that are not LFS have no SHA-256 on the hub: they are fetched once, small ones only,
and checked against their git blob id, so that the lock holds what the commit holds.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote, urlsplit

from bundler.digest import Digest
from bundler.errors import IntegrityError, SourceError, UsageError
from bundler.progress import SILENT, Progress
from bundler.relpath import path_fault
from bundler.sources import address, hub_client
from bundler.sources.hub_listing import HubEntry, is_commit, read_revision
from bundler.sources.hub_refusal import Asked, refused
from bundler.sources.interface import HubFile, Origin, Reader
from bundler.sources.listing import ListedFile, Listing
from bundler.sources.piece import piece
from bundler.sources.retry import retrying
from bundler.sources.selection import select
from bundler.sources.transport import StatusError, Transport
from bundler.spec.model import Engine, HubModel

ENDPOINT = "https://huggingface.co"
LARGEST_SMALL_FILE = 64 * 1024 * 1024
_RENEWALS = 2
_AT_ONCE = 6
_PIECE = 256 * 1024
_REPOSITORY = re.compile(r"[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)?", re.ASCII)


class Hub:
    """A hub, and the source of ``HubFile`` origins. Safe to use from several threads.

    ``token`` None means the one that the user set for the client; "" means none. ``timeouts`` are those of
    ``Transport``, ``sleep`` waits between attempts. Raises: UsageError for an endpoint that is no address.
    """

    def __init__(
        self,
        progress: Progress = SILENT,
        *,
        endpoint: str | None = None,
        token: str | None = None,
        timeouts: tuple[float, float] = (15.0, 60.0),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.endpoint = _endpoint(endpoint or os.environ.get("HF_ENDPOINT") or ENDPOINT)
        self._progress = progress
        self._sleep = sleep
        self._silence = timeouts[1]
        self._token = None if token is None else (hub_client.checked_token(token) or "")
        self._lock = threading.Lock()
        plain = ("*",) if self.endpoint.startswith("http://") else ()
        self._transport = Transport(plain_http=plain, timeouts=timeouts, progress=progress, sleep=sleep)

    def look(self, model: HubModel, engine: Engine) -> Listing:
        """The files that ``model`` chooses, with sizes and digests, at the commit of its revision.

        Raises: SourceError or TransientError when the hub refuses or fails; SpecError when the id or a pattern
        is wrong; IntegrityError when a small file is not what its commit says.
        """
        asked = self._asked(model.id, model.revision)
        info = retrying(
            lambda: hub_client.model_info(asked, self._secret_token(), self._silence),
            progress=self._progress,
            sleep=self._sleep,
        )
        found = read_revision(info, asked.where)
        if is_commit(model.revision) and found.commit != model.revision:
            hint = "Check HF_ENDPOINT: this is not what a Hugging Face hub does."
            raise SourceError(f"{asked.where}: asked for {model.revision}, got {found.commit}", hint=hint)
        entries = {entry.path: entry for entry in found.files}
        sizes = {path: entry.size for path, entry in entries.items()}
        chosen = select(sizes, model.files, engine=engine, where=f"model {model.id}", allow_pickle=model.allow_pickle)
        files = self._digested(model, found.commit, [entries[path] for path in chosen.paths])
        moved = found.name.lower() != model.id.lower() and _REPOSITORY.fullmatch(found.name)
        notes = (f"the hub now calls this model {found.name}",) if moved else ()
        return Listing(found.commit, found.license, files, (*chosen.notes, *notes))

    def files(self, model: HubModel, listing: Listing) -> HubFiles:
        """The files of ``listing`` to read from in ranges, as ``bundler.models`` wants them."""
        sizes = {file.path: file.size for file in listing.files}
        return HubFiles(self, model.id, listing.commit or "", MappingProxyType(sizes))

    def open(self, origin: Origin, offset: int) -> Reader:
        """Open a file at ``offset`` bytes, see ``interface.Source``."""
        if not isinstance(origin, HubFile):
            raise TypeError(f"expected a HubFile, got {origin!r}")
        return self._open(origin, offset, None)

    def read(self, origin: HubFile, start: int, length: int, *, size: int | None = None) -> bytes:
        """Exactly ``length`` bytes from ``start`` on; ``size`` is that of the whole file, where it is known.

        Raises: SourceError when they cannot be had, also when the file is shorter.
        """

        def attempt() -> bytes:
            reader = self._open(origin, start, size)
            try:
                return piece(reader, start, length, f"{origin.repository} {origin.path}")
            finally:
                reader.close()

        return retrying(attempt, progress=self._progress, sleep=self._sleep) if length else b""

    def _open(self, origin: HubFile, offset: int, size: int | None) -> Reader:
        url = self._address(origin)
        asked = self._asked(origin.repository, origin.commit, origin.path)
        for _ in range(_RENEWALS + 1):
            try:
                return self._transport.open(url, offset=offset, size=size, secret=self._secret())
            except StatusError as error:
                last = error
                if not self._from_storage(error):
                    raise refused(asked, error.status, error.headers) from error
                if error.status not in (400, 401, 403):
                    break
        raise SourceError(
            f"{asked.where}: the storage answers {last.status} to the hub's signed address: {last.url}",
            hint="Check this machine's clock, and that no proxy changes the addresses.",
        ) from last

    def _from_storage(self, error: StatusError) -> bool:
        return address.origin(error.url) != address.origin(self.endpoint)

    def _digested(self, model: HubModel, commit: str, entries: list[HubEntry]) -> tuple[ListedFile, ...]:
        """``entries`` with digests: those without one are fetched, several at once."""
        small = [entry for entry in entries if entry.digest is None]
        for entry in small:
            if entry.size > LARGEST_SMALL_FILE:
                raise SourceError(
                    f"{model.id} {entry.path}: the hub gives no SHA-256 for it, and {entry.size} bytes are "
                    f"more than the {LARGEST_SMALL_FILE} that are fetched to learn it",
                    hint="Leave it out with files.exclude.",
                )
        self._progress.begin(f"reading small files of {model.id}", sum(entry.size for entry in small))
        pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="hub")
        try:
            fetched = pool.map(lambda entry: self._fetch_digest(model, commit, entry), small)
            digests = dict(zip((entry.path for entry in small), fetched, strict=True))
        finally:
            pool.shutdown(cancel_futures=True)
            self._progress.end()
        return tuple(ListedFile(one.path, one.size, one.digest or digests[one.path]) for one in entries)

    def _fetch_digest(self, model: HubModel, commit: str, entry: HubEntry) -> Digest:
        origin = HubFile(model.id, commit, entry.path)
        found = retrying(
            lambda: _hash(self._open(origin, 0, entry.size), entry, model.id),
            progress=self._progress,
            sleep=self._sleep,
        )
        self._progress.advance(entry.size)
        return found

    def _address(self, origin: HubFile) -> str:
        """Raises: SourceError for an origin that could lead elsewhere than to its file."""
        good = _REPOSITORY.fullmatch(origin.repository) and is_commit(origin.commit) and not path_fault(origin.path)
        if not good:
            where = f"{origin.repository} {origin.commit} {origin.path}"
            raise SourceError(f"{where!r}: not a file of a model at a commit", hint="Lock again.")
        return f"{self.endpoint}/{origin.repository}/resolve/{origin.commit}/{quote(origin.path)}"

    def _asked(self, repository: str, revision: str, path: str = "") -> Asked:
        return Asked(self.endpoint, repository, revision, path, bool(self._secret_token()))

    def _secret(self) -> dict[str, str]:
        token = self._secret_token()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _secret_token(self) -> str:
        with self._lock:
            if self._token is None:
                self._token = hub_client.find_token() or ""
            return self._token


@dataclass(frozen=True, slots=True)
class HubFiles:
    """The chosen files of a model at a commit, path to size in bytes, read in ranges."""

    hub: Hub
    repository: str
    commit: str
    paths: Mapping[str, int]

    def read(self, path: str, start: int, length: int) -> bytes:
        """See ``bundler.models.interface.ModelFiles``."""
        origin = HubFile(self.repository, self.commit, path)
        return self.hub.read(origin, start, length, size=self.paths.get(path))


def _endpoint(written: str) -> str:
    """The address without a trailing slash. Raises: UsageError."""
    try:
        parts = urlsplit(written.strip())
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            f"HF_ENDPOINT: expected an http:// or https:// address, found {address.safe(written)!r}",
            hint="Write it as https://huggingface.co: no user name, no query. A token goes into HF_TOKEN.",
        )
    return written.strip().rstrip("/")


def _hash(reader: Reader, entry: HubEntry, repository: str) -> Digest:
    """Read all of a file. Raises: IntegrityError when it is not the git blob that the hub listed."""
    sha256, blob = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % entry.size, usedforsecurity=False)
    buffer = memoryview(bytearray(min(_PIECE, entry.size or 1)))
    try:
        while count := reader.readinto(buffer):
            sha256.update(buffer[:count])
            blob.update(buffer[:count])
    finally:
        reader.close()
    if blob.hexdigest() != entry.blob:
        raise IntegrityError(
            f"{repository} {entry.path}: expected the git blob {entry.blob}, the hub sent {blob.hexdigest()}",
            hint="Try again without proxies and mirrors in between.",
        )
    return Digest(sha256.hexdigest())
