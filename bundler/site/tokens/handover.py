"""A new token on its way to whoever will use it: printed once, or in a file that only its owner may read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bundler.disk import is_there, write_whole
from bundler.errors import MachineError
from bundler.site.tokens.change import fresh


@contextmanager
def handed_over(output: Path | None) -> Iterator[str]:
    """A new secret; it lies in ``output`` before it is let in anywhere, and no more when that fails."""
    secret = fresh()
    if output is None:
        yield secret
        return
    if is_there(output):
        raise MachineError(f"{output}: is there already", hint="Name a new file, or move that one away.")
    write_whole(output, f"{secret}\n".encode(), 0o600)
    try:
        yield secret
    except BaseException:
        output.unlink(missing_ok=True)
        raise
