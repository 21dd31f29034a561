"""Opening a bundle: its sums and its manifest read and compared, and every offset rebuilt from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.layout.arrangement import Arrangement, arrange
from bundler.layout.manifest import MAX_BYTES, Manifest, decode
from bundler.layout.member import MANIFEST, SIGNATURE, SIGNATURE_BYTES, SUMS, Member
from bundler.site.header import Found, read_header
from bundler.site.medium import Fault, Medium
from bundler.site.unfinished import require_finished
from bundler.trust import sums
from bundler.trust.choice import seal
from bundler.trust.keys import PublicKey
from bundler.trust.signature import Seal


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle whose sums and manifest agree: nothing else of it has been read yet."""

    manifest: Manifest
    manifest_digest: Digest
    arrangement: Arrangement
    seal: Seal


@dataclass(frozen=True, slots=True)
class Head:
    """The first members as they stand, not believed but for ``seal``; ``rest`` is where the next one starts."""

    top: str
    sums: bytes
    manifest: bytes
    signature: bytes | None
    seal: Seal
    rest: int


def read_head(medium: Medium, keys: Sequence[PublicKey] | None = None) -> Head:
    """Read SHA256SUMS, the signature if any, and the manifest; with ``keys`` no manifest that none of them signed.

    Raises: IntegrityError, which is a SignatureRefused where the keys are the reason; MachineError.
    """
    require_finished(medium)
    top, first, listing = read_sums(medium)
    second = _header(medium, first.next)
    signature = None
    if second.name == f"{top}/{SIGNATURE}":
        signature = _data(medium, second, SIGNATURE_BYTES)
    found = seal(listing, signature, keys)
    if signature is not None:
        second = _header(medium, second.next)
    if second.name != f"{top}/{MANIFEST}":
        raise IntegrityError(f"{medium.place}: expected {top}/{MANIFEST}, found {second.name[:80]!r}")
    return Head(top, listing, _data(medium, second, MAX_BYTES), signature, found, second.next)


def read_sums(medium: Medium) -> tuple[str, Found, bytes]:
    """The top folder, and SHA256SUMS: its header and its bytes. Raises: IntegrityError."""
    first = _header(medium, 0)
    top, _, name = first.name.rpartition("/")
    if name != SUMS or not top or "/" in top:
        raise IntegrityError(f"{medium.place}: expected {SUMS} first, found {first.name[:80]!r}", hint=_NOT_OURS)
    return top, first, _data(medium, first, MAX_BYTES)


def open_bundle(medium: Medium, keys: Sequence[PublicKey] | None = None) -> Opened:
    """Read the head and compare it with itself. Raises: as ``read_head``; IntegrityError when it does not agree."""
    return settle(medium, read_head(medium, keys))


def settle(medium: Medium, head: Head) -> Opened:
    """What ``head`` says when all of it agrees. Raises: IntegrityError, naming the member."""
    listed = sums.decode(head.sums)
    digest = Digest.of(head.manifest)
    if listed.get(MANIFEST) != digest:
        raise IntegrityError(f"{MANIFEST}: does not match its line in {SUMS}")
    manifest = decode(head.manifest)
    described = Member(MANIFEST, len(head.manifest), digest, "manifest")
    if sums.encode([described, *manifest.members]) != head.sums:
        raise IntegrityError(f"{SUMS}: does not list what {MANIFEST} lists: {_difference(listed, manifest)}")
    if manifest.top != head.top:
        raise IntegrityError(f"{MANIFEST}: names {manifest.top!r}, but the top folder is {head.top!r}")
    first = [Member(SUMS, len(head.sums), Digest.of(head.sums), "sums")]
    if head.signature is not None:
        first.append(Member(SIGNATURE, len(head.signature), Digest.of(head.signature), "signature"))
    arrangement = arrange(head.top, [*first, described, *manifest.members], manifest.created)
    return Opened(manifest, digest, arrangement, head.seal)


def _difference(listed: Mapping[str, Digest], manifest: Manifest) -> str:
    promised = {member.path: member.digest for member in manifest.members}
    for path, digest in promised.items():
        if listed.get(path) != digest:
            return path if path in listed else f"{path} is not listed"
    additional = sorted(set(listed) - set(promised) - {MANIFEST})
    return f"{additional[0]} is additional" if additional else "the lines stand in another order"


_NOT_OURS = "Is it a bundle of llm-bundle, whole and not compressed? `file` may tell what it is."


def _header(medium: Medium, position: int) -> Found:
    found = read_header(medium, position)
    if isinstance(found, Found):
        return found
    if isinstance(found, Fault):
        raise IntegrityError(f"{found.volume}: {found.reason}", hint=_NOT_OURS)
    place = medium.folder / medium.names(position, 1)[0]
    raise IntegrityError(f"{place}: no header of a bundle at byte {position:,}", hint=_NOT_OURS)


def _data(medium: Medium, found: Found, limit: int) -> bytes:
    if found.size > limit:
        raise IntegrityError(f"{found.name[:200]}: expected at most {limit:,} bytes, its header says {found.size:,}")
    data = bytearray(found.size)
    fault = medium.read(found.data, memoryview(data))
    if fault:
        raise IntegrityError(f"{fault.volume}: {fault.reason}")
    return bytes(data)
