"""Counterparts that the tests of sources share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.sources.credentials import Keychain
from tests.counterparts.faulty import FaultyServer
from tests.counterparts.registry import RegistryServer


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own proxies would come between a test and its server."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    """A server that misbehaves on demand."""
    with FaultyServer() as started:
        yield started


@pytest.fixture
def elsewhere() -> Iterator[FaultyServer]:
    """A second server under another host, as blob stores are."""
    with FaultyServer("127.0.0.2") as started:
        yield started


@pytest.fixture(scope="session")
def open_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    """A registry without a login, kept for all tests: each uses repositories of its own."""
    with RegistryServer(tmp_path_factory.mktemp("registry")) as started:
        yield started


@pytest.fixture
def nobody(tmp_path: Path) -> Keychain:
    """A keychain without any credentials."""
    return Keychain({"HOME": str(tmp_path)})
