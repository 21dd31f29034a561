"""Reading a source to its end, as a build does."""

from __future__ import annotations

from bundler.sources.interface import Reader


def read_all(reader: Reader, step: int = 64 * 1024) -> bytes:
    """All that ``reader`` gives, in pieces of at most ``step`` bytes."""
    buffer = memoryview(bytearray(step))
    pieces = []
    try:
        while count := reader.readinto(buffer):
            pieces.append(bytes(buffer[:count]))
    finally:
        reader.close()
    return b"".join(pieces)


class Heard:
    """A progress that remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def begin(self, title: str, total: int) -> None: ...
    def advance(self, count: int) -> None: ...
    def end(self) -> None: ...

    def say(self, text: str) -> None:
        self.said.append(text)
