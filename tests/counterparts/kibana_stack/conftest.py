"""A stand-in for each test, a session that may everything there, and our package's zip file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import requests

from kibana_assets.package.build import Built, build
from kibana_assets.package.tree import load
from tests.counterparts.kibana import KEY
from tests.counterparts.kibana_stack.server import KibanaStack
from tests.counterparts.kibana_stack.state import Stack

HEADERS = {"Authorization": f"ApiKey {KEY}", "kbn-xsrf": "true"}
Upload = Callable[[bytes], requests.Response]


@pytest.fixture(scope="session")
def built() -> Built:
    """Our package, as ``llm-bundle assets build`` writes it."""
    return build(load())


@pytest.fixture
def kibana() -> Iterator[KibanaStack]:
    with KibanaStack(Stack(upload_pause=0)) as server:
        yield server


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(HEADERS)
        yield session


@pytest.fixture
def upload(kibana: KibanaStack, http: requests.Session) -> Upload:
    """Upload a zip file to the default space."""

    def send(data: bytes) -> requests.Response:
        kind = {"Content-Type": "application/zip"}
        return http.post(f"{kibana.url}/api/fleet/epm/packages", data=data, headers=kind)

    return send
