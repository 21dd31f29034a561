"""Progress whose listener may go away: a closed pipe or a lost terminal must not stop a deed half-way."""

from __future__ import annotations

from collections.abc import Callable

from bundler.progress import SILENT, Progress


class Talk:
    """Tells ``listener`` until that fails, and nobody afterwards."""

    def __init__(self, listener: Progress) -> None:
        self._listener = listener

    def begin(self, title: str, total: int) -> None:
        """See ``Progress.begin``."""
        self._tell(lambda: self._listener.begin(title, total))

    def advance(self, count: int) -> None:
        """See ``Progress.advance``."""
        self._tell(lambda: self._listener.advance(count))

    def say(self, text: str) -> None:
        """See ``Progress.say``."""
        self._tell(lambda: self._listener.say(text))

    def end(self) -> None:
        """See ``Progress.end``."""
        self._tell(self._listener.end)

    def _tell(self, what: Callable[[], None]) -> None:
        try:
            what()
        except OSError:
            self._listener = SILENT
