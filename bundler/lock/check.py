"""Does a lock belong to a bundle.yml? No I/O."""

from __future__ import annotations

from bundler.errors import LockError
from bundler.lock.model import Lock
from bundler.spec.model import Spec
from bundler.spec.request import differences, request_of

_SHOWN = 5


def require_match(lock: Lock, spec: Spec, *, where: str = "bundle.lock") -> None:
    """Raises: LockError when ``lock`` was made for another bundle.yml; the message names the parts."""
    found = differences(lock.request, request_of(spec))
    if found:
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise LockError(
            f"{where}: does not match bundle.yml: {'; '.join(found[:_SHOWN])}{more}",
            hint="Look everything up again: llm-bundle lock --update",
        )
