"""Progress as an argument that defaults to silence. The command line brings one that draws bars."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told by library code how far it is. Methods may be called from any thread."""

    def begin(self, title: str, total: int) -> None:
        """A step of ``total`` bytes starts; the step before it, if any, is over."""

    def advance(self, count: int) -> None:
        """``count`` more bytes are done; negative when bytes are taken back to be fetched again."""

    def say(self, text: str) -> None:
        """One sentence that the user should see: a choice made for them, a retry, a warning."""

    def end(self) -> None:
        """The step is over, well or not."""


class Silent:
    """The progress that says nothing."""

    def begin(self, title: str, total: int) -> None: ...
    def advance(self, count: int) -> None: ...
    def say(self, text: str) -> None: ...
    def end(self) -> None: ...


SILENT = Silent()
