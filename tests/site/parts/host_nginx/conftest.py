"""The site that the tests in this folder stand on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.site.place import Place
from bundler.site.state import Settings
from bundler.site.tls.place import place_certificate
from bundler.site.tokens.change import new
from bundler.site.tokens.store import TokenStore
from tests.counterparts.certificates import Authority, Certificate
from tests.counterparts.engine import KEY, Engine
from tests.counterparts.host_nginx import Host
from tests.counterparts.port import free_port
from tests.site.parts.host_nginx.stage import NAME, Site


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Authority(tmp_path_factory.mktemp("authority")).server(NAME, days=90)


@pytest.fixture
def site(tmp_path: Path, certificate: Certificate) -> Iterator[Site]:
    place = Place(tmp_path / "site")
    settings = Settings(https_port=free_port(), http_port=free_port(), addresses=("127.0.0.1",))
    place_certificate(place, certificate.certificate, certificate.key, NAME)
    place.engine_env.write_text(f"VLLM_API_KEY={KEY}\n")
    place.engine_env.chmod(0o600)
    made = new(TokenStore(place.root), "kibana").made
    assert made
    with Engine() as engine, Host(tmp_path / "host") as host:
        yield Site(host, place, settings, engine, certificate, made.secret)
