"""One engine, one authority, and a proxy of each version, for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.serving.nginx.config import Limits
from tests.counterparts.certificates import Authority, Certificate
from tests.counterparts.engine import Engine
from tests.serving.nginx.running import NAME, Running, make_config


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """That of the proxy."""
    return Authority(tmp_path_factory.mktemp("authority")).server(NAME)


@pytest.fixture(scope="session")
def shared_engine() -> Iterator[Engine]:
    with Engine() as engine:
        yield engine


@pytest.fixture
def engine(shared_engine: Engine) -> Engine:
    """An engine that has seen nothing yet."""
    shared_engine.reset()
    return shared_engine


@pytest.fixture(scope="module", params=["debian", "wheel"])
def proxy(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    certificate: Certificate,
    shared_engine: Engine,
) -> Iterator[Running]:
    """A proxy that nobody may monitor and whose limits no test meets."""
    which: str = request.param
    folder: Path = tmp_path_factory.mktemp(which)
    config = make_config(folder, certificate, (shared_engine.address,), which)
    config = replace(config, monitors=("192.0.2.1", "2001:db8::/32"), limits=Limits(60000, 60000, 60000))
    with Running(folder, config, which) as running:
        yield running
