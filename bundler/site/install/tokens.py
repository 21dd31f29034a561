"""What every command about tokens has around it: the proxy that serves here is reloaded, and the audit log tells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bundler.disk import is_folder
from bundler.site.audit import audited
from bundler.site.install.signals import led_back
from bundler.site.parts.assemble import assemble
from bundler.site.place import Place
from bundler.site.store import StateStore
from bundler.site.tokens.reload import Reload


@contextmanager
def token_deed(place: Place, action: str, name: str, chosen: Reload | None) -> Iterator[Reload | None]:
    """Give ``chosen``, or what reloads the proxy of this installation, or None where none serves.

    ``name`` is the token's label or id. Raises: MachineError, IntegrityError when the installation cannot be read.
    """
    if not is_folder(place.root):
        # Nothing is installed yet: the first token may make the folder, and nobody serves who could be told.
        yield chosen
        return
    with led_back(), audited(place, action, {"token": name}):
        yield chosen or proxy_reload(place)


def proxy_reload(place: Place) -> Reload | None:
    """What makes the proxy that serves here read its tokens anew; None where none serves."""
    state = StateStore(place).read()
    release = state.release(state.current)
    if release is None:
        return None
    proxy = assemble(place, state, release).proxy
    return proxy.reload if proxy else None
