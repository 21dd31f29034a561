"""One engine runs a bundle once: its containers are called by the bundle's digits, wherever it is installed.

So a second installation of the same bundle, below another root, would replace the containers of the first, and take
them away when it goes.
"""

from __future__ import annotations

from bundler.errors import EngineError
from bundler.serving.container import LABEL
from bundler.site.parts.interface import Parts
from bundler.site.state import Release, State


def require_unclaimed(state: State, release: Release, parts: Parts) -> None:
    """Raises: EngineError when containers of ``release`` are there, and this installation never had it."""
    if state.release(release.id) is not None:
        return
    # What clients reach says whether it is in use; an engine alone may be all that is left of a folder that is gone.
    claimed = parts.proxy or parts.engine
    if claimed.state().image:
        digits, engine = release.manifest.partition(":")[2][:12], state.settings.engine
        gone = f"{engine} rm --force $({engine} ps --all --quiet --filter label={LABEL}={digits})"
        raise EngineError(
            f"the {claimed.name} of {release.id} is in {engine} already, for an installation below another root",
            hint=f"Name its folder: --root. Where that folder is no more, remove its containers first: {gone}",
        )
