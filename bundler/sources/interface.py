"""What a source is: it opens an origin at an offset and hands out bytes.

An *origin* says where the bytes of one member lie; it stands in the plan, holds no secret, and is a
frozen value. A *source* opens origins of one kind. Looking things up (tags, revisions, sizes) is done by
each kind's own functions at lock time; only opening is common, for that is all that a build needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from bundler.digest import Digest


@dataclass(frozen=True, slots=True)
class RegistryBlob:
    """A blob in an OCI registry. ``registry`` is host[:port] as in the reference, ``repository`` the path."""

    registry: str
    repository: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a Hugging Face model repository at a commit (40 hexadecimal digits)."""

    repository: str
    commit: str
    path: str


@dataclass(frozen=True, slots=True)
class Url:
    """A plain http or https address."""

    url: str


@dataclass(frozen=True, slots=True)
class LocalRange:
    """``size`` bytes at ``start`` of a file on this machine: a file of a folder, or an entry of an archive."""

    path: Path
    start: int
    size: int


Origin: TypeAlias = "RegistryBlob | HubFile | Url | LocalRange"


class Reader(Protocol):
    """Bytes of one origin from ``offset`` on, which is 0 when a server ignored the range asked for."""

    offset: int

    def readinto(self, buffer: memoryview) -> int:
        """Fill some or all of ``buffer`` and return how many bytes; 0 is the end.

        Raises: TransientError when the line is cut or stalls; SourceError or MachineError otherwise.
        """

    def close(self) -> None:
        """Let go of the connection or file; may be called twice."""


class Source(Protocol):
    """Opens origins of one kind. Safe to call from several threads."""

    def open(self, origin: Origin, offset: int) -> Reader:
        """Open ``origin`` at ``offset`` bytes. One attempt: retrying is ``retry.py``'s job.

        Raises: TransientError when it may pass (429, 5xx, time-out); SourceError with a hint when it
        will not (401, 403, 404, a wrong Content-Range).
        """
