"""The real OpenAI client through the real Nginx to LM Studio's stand-in; nothing else of LM Studio can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx2 as httpx
import openai
import pytest

from bundler.serving.nginx.config import Limits
from bundler.site.place import Place
from tests.counterparts.certificates import Authority, Certificate
from tests.counterparts.lms import LmStudio
from tests.counterparts.port import free_port
from tests.serving.nginx.running import NAME, TOKEN, Running, client_context, make_config
from tests.serving.nginx.test_client import ToLoopback
from tests.site.lmstudio.stage import MODEL, Site


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Authority(tmp_path_factory.mktemp("authority")).server(NAME)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose model is served, for all tests: none of them changes it."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "root").mkdir()
    with LmStudio(folder) as lmstudio, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(lmstudio.user_home))
        found = Site(Place(folder / "root"), lmstudio, free_port())
        part = found.part()
        part.prepare()
        part.start()
        yield found


@pytest.fixture(scope="module")
def proxy(site: Site, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("nginx")
    config = make_config(folder, certificate, (site.part().upstream,), "debian")
    config = replace(config, engine="lmstudio", upstream_key=None, limits=Limits(60000, 60000, 60000))
    with Running(folder, config, "debian") as running:
        yield running


@pytest.fixture
def web(certificate: Certificate) -> Iterator[httpx.Client]:
    with httpx.Client(transport=ToLoopback(verify=client_context(certificate)), timeout=20) as client:
        yield client


def test_a_client_of_openai(proxy: Running, web: httpx.Client, site: Site) -> None:
    client = openai.OpenAI(base_url=proxy.url, api_key=TOKEN, http_client=web, max_retries=0)
    answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "marked-prompt"}])
    assert answer.choices[0].message.content == "ready"
    assert answer.usage and answer.usage.total_tokens == 11
    stream = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "marked-prompt"}], stream=True
    )
    assert "".join(event.choices[0].delta.content or "" for event in stream) == "ready"
    assert MODEL in [model.id for model in client.models.list()]
    with pytest.raises(openai.NotFoundError, match="not found"):
        client.chat.completions.create(model="other", messages=[{"role": "user", "content": "x"}])
    assert TOKEN not in site.lmstudio.log()


@pytest.mark.parametrize(
    "target",
    ["/api/v1/models/load", "/api/v1/models/unload", "/api/v1/models/download", "/api/v0/models", "//v1/models", "/x"],
)
def test_what_changes_lm_studio_is_not_let_through(proxy: Running, web: httpx.Client, site: Site, target: str) -> None:
    before = site.lmstudio.log()
    answer = web.post(proxy.url.removesuffix("/v1") + target, headers={"Authorization": f"Bearer {TOKEN}"}, json={})
    assert answer.status_code == 404
    assert site.lmstudio.log() == before


def test_without_a_token(proxy: Running, web: httpx.Client, site: Site) -> None:
    before = site.lmstudio.log()
    assert web.get(f"{proxy.url}/models").status_code == 401
    assert site.lmstudio.log() == before


def test_health_is_its_greeting(proxy: Running, web: httpx.Client) -> None:
    answer = web.get(proxy.url.removesuffix("/v1") + "/health")
    assert (answer.status_code, answer.json()) == (200, {"lmstudio": True})
