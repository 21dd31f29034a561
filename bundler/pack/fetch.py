"""One member: from its origin to its final offset, hashed on the way.

What an earlier run wrote is hashed again from disk and continued with a range request. A server that ignores the
range starts the member again. A wrong digest throws the member away; if part of it was older than this run, it is
fetched once more from its start, else the source is at fault and the build ends.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from threading import Event

from bundler.crew import Stopped
from bundler.digest import Digest
from bundler.errors import IntegrityError, TransientError
from bundler.layout.arrangement import Slot
from bundler.pack.journal import Journal
from bundler.pack.target import Target
from bundler.progress import Progress
from bundler.sources.interface import Origin, Reader, Source
from bundler.sources.retry import ATTEMPTS, Backoff

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Workplace:
    """What all fetches of a build share. ``sleep`` waits between attempts, in seconds."""

    source: Source
    target: Target
    journal: Journal
    progress: Progress
    stop: Event
    attempts: int = ATTEMPTS
    sleep: Callable[[float], None] = time.sleep


class Fetch:
    """The fetching of one member; ``fetched`` counts the bytes that came from its source."""

    def __init__(self, place: Workplace, index: int, slot: Slot, origin: Origin, buffer: memoryview) -> None:
        self._place = place
        self._index, self._slot, self._origin, self._buffer = index, slot, origin, buffer
        self._hash = hashlib.sha256()
        self._done = 0
        self.fetched = 0

    def run(self) -> None:
        """Fetch the member until its digest is right. Raises: BundleError; Stopped."""
        resumed = self._recall()
        while True:
            self._receive()
            found = Digest(self._hash.hexdigest())
            if found == self._slot.member.digest:
                self._place.journal.note(self._index, self._done, final=True)
                return
            self._restart()
            if not resumed:
                raise self._wrong(found)
            self._place.progress.say(
                f"{self._slot.member.path}: what an earlier run left is damaged; fetching it again"
            )
            resumed = False

    def _recall(self) -> bool:
        """Hash again what an earlier run wrote; whether there was any."""
        noted = self._place.journal[self._index]
        if noted > self._slot.member.size:
            return False
        while self._done < noted:
            view = self._buffer[: min(len(self._buffer), noted - self._done)]
            count = self._place.target.read(self._slot.data + self._done, view)
            self._took(view[:count])
            if count < len(view):
                break
        return self._done > 0

    def _receive(self) -> None:
        """Bring the member to its full size, over as many connections as that takes."""
        backoff = Backoff(self._place.attempts, progress=self._place.progress, sleep=self._place.sleep)
        furthest = self._done
        while self._done < self._slot.member.size:
            try:
                with closing(self._place.source.open(self._origin, self._done)) as reader:
                    if reader.offset != self._done:
                        self._restart()
                    self._drain(reader)
            except TransientError as error:
                # Only new ground counts as success, or a server that always cuts at one place is asked for ever.
                if self._done > furthest:
                    furthest = self._done
                    backoff.reset()
                backoff.wait(error)

    def _drain(self, reader: Reader) -> None:
        """Write what ``reader`` brings, up to the member's size."""
        member, journal = self._slot.member, self._place.journal
        while self._done < member.size:
            if self._place.stop.is_set():
                raise Stopped
            count = reader.readinto(self._buffer[: min(len(self._buffer), member.size - self._done)])
            if count == 0:
                raise TransientError(f"{member.path}: the source ended at byte {self._done:,} of {member.size:,}")
            view = self._buffer[:count]
            self._place.target.write(self._slot.data + self._done, view)
            self.fetched += count
            self._took(view)
            journal.note(self._index, self._done)

    def _took(self, view: memoryview) -> None:
        self._hash.update(view)
        self._done += len(view)
        self._place.progress.advance(len(view))
        if self._place.stop.is_set():
            raise Stopped

    def _restart(self) -> None:
        """Take the member back to its first byte."""
        self._place.progress.advance(-self._done)
        self._hash = hashlib.sha256()
        self._done = 0
        self._place.journal.note(self._index, 0, final=True)

    def _wrong(self, found: Digest) -> IntegrityError:
        member = self._slot.member
        return IntegrityError(
            f"{member.path}: expected {member.digest}, its source gave {found}",
            hint="The source or something on the way (a proxy, a mirror) changed it. If it was changed on purpose,"
            " run `llm-bundle lock --update`; else try another network or mirror.",
        )
