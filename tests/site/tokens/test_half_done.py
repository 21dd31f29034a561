"""A change of tokens that stopped half-way: the same command again finishes it, and nobody is told that it is done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import bundler.site.tokens.store
from bundler.errors import EngineError, MachineError, UsageError
from bundler.site.tokens.change import new, revoke
from bundler.site.tokens.store import TokenStore


class Proxy:
    """Lets in what it read last, as Nginx does."""

    def __init__(self, store: TokenStore) -> None:
        self.store = store
        self.known = ""
        self.broken = False

    def __call__(self) -> None:
        if self.broken:
            raise EngineError("no")
        self.known = self.store.include.read_text()


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "site")


def test_a_revocation_that_only_the_proxy_missed_reaches_it_by_the_same_command(store: TokenStore) -> None:
    proxy = Proxy(store)
    made = new(store, "kibana", reload=proxy).made
    assert made
    proxy.broken = True
    with pytest.raises(EngineError, match="until it is, it lets the old tokens in"):
        revoke(store, "kibana", reload=proxy)
    with pytest.raises(EngineError, match="until it is, it lets the old tokens in"):
        revoke(store, made.id, reload=proxy)
    proxy.broken = False
    with pytest.raises(UsageError, match="no token has this label or id"):
        revoke(store, "kibana", reload=proxy)
    assert made.secret not in proxy.known


def test_between_the_two_files_nobody_is_let_in_who_is_not_listed(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    new(store, "kibana")
    written: list[Path] = []
    real = bundler.site.tokens.store._write

    def write(path: Path, data: bytes) -> None:
        written.append(path)
        real(path, data)

    monkeypatch.setattr("bundler.site.tokens.store._write", write)
    new(store, "second")
    revoke(store, "second")
    assert written == [store.path, store.include, store.include, store.path]


def test_a_file_that_could_not_be_written_is_by_the_same_command(store: TokenStore) -> None:
    proxy = Proxy(store)
    made = new(store, "kibana", reload=proxy).made
    assert made
    blocked = store.include.with_name(f".tokens.conf.{os.getpid()}.new")
    blocked.mkdir()
    with pytest.raises(MachineError, match=r"tokens\.conf: cannot write"):
        revoke(store, "kibana", reload=proxy)
    blocked.rmdir()
    assert [token.id for token in revoke(store, "kibana", reload=proxy).removed] == [made.id]
    assert made.secret not in proxy.known


def test_whoever_was_killed_before_the_reload_is_heard_the_next_time(store: TokenStore) -> None:
    proxy = Proxy(store)
    made = new(store, "kibana", reload=proxy).made
    assert made

    def killed() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        revoke(store, "kibana", reload=killed)
    with pytest.raises(UsageError):
        revoke(store, "kibana", reload=proxy)
    assert made.secret not in proxy.known
