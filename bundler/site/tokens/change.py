"""What can be done with tokens. Every change drops those that ended, writes what Nginx includes, and reloads it.

Rules: several tokens may live at once, one that is not replaced for each label. What lets more in is undone when the
proxy cannot be reloaded; what lets less in stays done, and the error says so. A secret is returned once, by whoever
made it, and is in no message.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from bundler.errors import BundleError, EngineError, UsageError
from bundler.serving.nginx.tokens import LABEL
from bundler.site.tokens.model import MOST, Token
from bundler.site.tokens.reload import Reload
from bundler.site.tokens.store import TokenStore

LONGEST = 100 * 365 * 86400


@dataclass(frozen=True, slots=True)
class Change:
    """What a command did: the tokens that there are now, those made and removed, and how the proxy knows of it.

    ``stale`` is True when what Nginx includes has changed and nobody reloaded it.
    """

    tokens: tuple[Token, ...]
    made: Token | None = None
    removed: tuple[Token, ...] = ()
    stale: bool = False


def fresh() -> str:
    """A new secret: 32 random bytes, 43 characters."""
    return secrets.token_urlsafe(32)


def new(
    store: TokenStore,
    label: str,
    *,
    secret: str | None = None,
    lifetime: int | None = None,
    reload: Reload | None = None,
) -> Change:
    """Make a token for ``label``; ``lifetime`` is in seconds.

    Raises: UsageError for a label that is none or is taken; MachineError; what ``reload`` raises, and then nothing
    has changed.
    """
    _check_label(label)
    with store.locked(create=True):
        before = store.read()
        now = int(time.time())
        alive = tuple(token for token in before if token.lives(now))
        if any(token.label == label and not token.replaced for token in alive):
            hint = f"Replace it: llm-bundle token rotate {label}. Or take another label."
            raise UsageError(f"{label}: there is a token of this label", hint=hint)
        if len(alive) >= MOST:
            raise UsageError(f"there are {MOST} tokens; there can be no more", hint="Revoke some first.")
        made = Token(label, secret or fresh(), now, None if lifetime is None else now + lifetime)
        return _write(store, before, (*alive, made), made, reload, keep=False)


def rotate(
    store: TokenStore, label: str, *, keep: int, secret: str | None = None, reload: Reload | None = None
) -> Change:
    """Make a new token for ``label``; the old one lives for another ``keep`` seconds.

    The new one lives as long as the old one was made for. Raises: as ``new``; UsageError when no token has the label.
    """
    with store.locked():
        before = store.read()
        now = int(time.time())
        alive = tuple(token for token in before if token.lives(now))
        old = next((token for token in alive if token.label == label and not token.replaced), None)
        if old is None:
            raise _unknown(label, alive)
        end = now + keep if old.expires is None else min(now + keep, old.expires)
        kept = tuple(replace(token, replaced=True, expires=end) if token == old else token for token in alive)
        expires = None if old.expires is None else now + old.expires - old.created
        made = Token(label, secret or fresh(), now, expires)
        return _write(store, before, tuple(t for t in (*kept, made) if t.lives(now)), made, reload, keep=False)


def revoke(store: TokenStore, name: str, *, reload: Reload | None = None) -> Change:
    """Remove a token by its id, or all of a label, at once. Raises: UsageError when there is none; as ``new``."""
    with store.locked():
        before = store.read()
        now = time.time()
        left = tuple(token for token in before if token.lives(now) and name not in (token.id, token.label))
        if not any(name in (token.id, token.label) for token in before):
            # It may be that of a command that was stopped before the proxy knew of it.
            _write(store, before, left, None, reload, keep=True, surely=True)
            raise _unknown(name, before)
        return _write(store, before, left, None, reload, keep=True)


def current(store: TokenStore, *, reload: Reload | None = None) -> Change:
    """The tokens that live; those that ended are dropped. Raises: as ``new``."""
    with store.locked():
        before = store.read()
        now = time.time()
        return _write(store, before, tuple(token for token in before if token.lives(now)), None, reload, keep=True)


def _write(
    store: TokenStore,
    before: tuple[Token, ...],
    after: tuple[Token, ...],
    made: Token | None,
    reload: Reload | None,
    *,
    keep: bool,
    surely: bool = False,
) -> Change:
    changed = store.write(after, less=keep)
    if (changed or surely) and reload:
        try:
            reload()
        except BundleError as error:
            raise _not_reloaded(error, keep, lambda: store.write(before)) from error
    removed = tuple(token for token in before if token.id not in {one.id for one in after})
    return Change(after, made, removed, stale=changed and reload is None)


def _not_reloaded(error: BundleError, keep: bool, undo: Callable[[], bool]) -> EngineError:
    if not keep:
        undo()
        return EngineError(f"the proxy was not reloaded, nothing has changed: {error.message}", hint=error.hint)
    text = "the files are written, but the proxy was not reloaded: until it is, it lets the old tokens in"
    return EngineError(f"{text}: {error.message}", hint=error.hint)


def _check_label(label: str) -> None:
    if not LABEL.fullmatch(label):
        raise UsageError(
            f"label: expected a-z, 0-9 and -, at most 32, found {label[:40]!r}",
            hint="Name who will use the token, as in kibana-prod: the access log shows it.",
        )


def _unknown(name: str, tokens: Iterable[Token]) -> UsageError:
    labels = ", ".join(sorted({token.label for token in tokens})) or "none"
    return UsageError(f"{name[:40]}: no token has this label or id", hint=f"There are: {labels}")
