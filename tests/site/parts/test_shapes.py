"""Releases of other shapes: several engines, none in front, LM Studio behind a container, and what is no release."""

from __future__ import annotations

import http.client
import json
import re
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.serving import lmstudio, plan, proxy_plan
from bundler.serving.lmstudio import LmStudioPlan, ModelFile
from bundler.site.engines.docker import Docker
from bundler.site.parts.contents import read_contents
from bundler.site.parts.host_nginx import HostNginxPart
from bundler.site.parts.keys import engine_key
from bundler.site.parts.lmstudio import LmStudioPart
from tests.counterparts.model_server import Behaviour, ModelServer
from tests.site.parts.stage import MODEL, Site, ask, bring_up, chat, cleaned, connect, make_site, question, until


@pytest.fixture
def docker(docker_socket: Path) -> Docker:
    return Docker(docker_socket)


def test_several_engines_share_the_work(docker: Docker, tmp_path: Path) -> None:
    site = make_site(tmp_path, docker, replicas=2)
    digits = site.release.id[-12:]
    with cleaned(site):
        bring_up(site.parts)
        streams = []
        for _ in range(2):
            connection, headers = connect(site)
            connection.request("POST", "/v1/chat/completions", json.dumps(question(stream=True)), headers)
            streams.append((connection, connection.getresponse()))
        for connection, answer in streams:
            assert answer.read().rstrip().endswith(b"[DONE]")
            connection.close()
        asked = [docker.logs(f"llm-engine-{digits}-{number}").count("POST /v1/chat") for number in (1, 2)]
        assert asked == [1, 1]
        docker.stop(f"llm-engine-{digits}-1", 5)
        state = site.parts.engine.state()
        assert (state.running, state.healthy) == (False, False)
        assert state.detail == f"llm-engine-{digits}-1 is exited (exit status 0)"
        assert [chat(site)[0] for _ in range(3)] == [200] * 3
        site.parts.engine.start()
        until(site.parts.engine, lambda state: state.healthy is True)
        assert f"llm-engine-{digits}-2:\nINFO" in site.parts.engine.logs()


def test_without_a_proxy_this_host_alone_reaches_the_engine(docker: Docker, tmp_path: Path) -> None:
    site = make_site(tmp_path, docker, proxy=False)
    with cleaned(site):
        before = site.parts
        bring_up(before)
        parts = site.parts
        assert (parts.url, parts.connect, parts.proxy) == (before.url, before.connect, None)
        assert re.fullmatch(r"http://10\.219\.[0-9]+\.10:8000", parts.url)
        connection = http.client.HTTPConnection(*parts.connect, timeout=20)
        headers = {"Authorization": f"Bearer {engine_key(site.place)}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(question()), headers)
        assert connection.getresponse().status == 200
        connection.close()


def without_engine_image(site: Site, port: int) -> Site:
    """The same release with LM Studio as its engine, on ``port``."""
    folder = site.place.release(site.release.id)
    (folder / plan.PATH).unlink()
    file = ModelFile(f"models/{MODEL}/model.gguf", 1, Digest("0" * 64))
    studio = LmStudioPlan(MODEL, "org/tiny-000000000000", "model.gguf", (file,), 4096, port=port)
    (folder / lmstudio.PATH).write_bytes(studio.encode())
    return site


@pytest.mark.parametrize("low", [False, True])
def test_lm_studio_behind_a_container(docker: Docker, tmp_path: Path, low: bool) -> None:
    """On the host's own network, for LM Studio listens on the loopback alone; as root where a port is root's."""
    with ModelServer(Behaviour(token="", model=MODEL)) as server:
        site = without_engine_image(make_site(tmp_path, docker), int(server.host.rpartition(":")[2]))
        site = site.with_settings(http_port=981) if low else site
        proxy = site.parts.proxy
        assert proxy is not None and isinstance(site.parts.engine, LmStudioPart)
        try:
            proxy.prepare()
            proxy.start()
            until(proxy, lambda state: state.healthy is True)
            assert chat(site)[0] == 200
            assert ask(site, "GET", "/api/v1/models/load")[0] == 404
            proxy.reload()
            assert chat(site)[0] == 200
        finally:
            proxy.remove()
    assert site.engine.inspect(f"llm-proxy-{site.release.id[-12:]}") is None


def test_the_hosts_own_nginx(docker: Docker, tmp_path: Path) -> None:
    site = make_site(tmp_path, docker)
    folder = site.place.release(site.release.id)
    (folder / proxy_plan.PATH).write_bytes(proxy_plan.ProxyPlan("llm.example.internal", "host").encode())
    parts = site.with_settings(https_port=443).parts
    assert isinstance(parts.proxy, HostNginxPart)
    assert (parts.url, parts.server_name) == ("https://llm.example.internal", "llm.example.internal")


def test_what_is_no_release(tmp_path: Path, docker: Docker) -> None:
    site = make_site(tmp_path, docker)
    folder = site.place.release(site.release.id)
    studio = LmStudioPlan(MODEL, "org/tiny-0", "m.gguf", (ModelFile("models/m.gguf", 1, Digest("0" * 64)),), 1)
    (folder / lmstudio.PATH).write_bytes(studio.encode())
    with pytest.raises(IntegrityError, match="found both") as caught:
        read_contents(folder)
    assert "unpack the bundle again" in caught.value.hint
    (folder / lmstudio.PATH).unlink()
    (folder / plan.PATH).unlink()
    with pytest.raises(IntegrityError, match=r"expected one of config/serve\.json and config/lmstudio\.json"):
        assert site.parts


def test_an_image_that_is_damaged_shows_while_the_other_serves(docker: Docker, tmp_path: Path) -> None:
    site = make_site(tmp_path, docker)
    blob = site.images[1].layers[0]
    site.images[1].path(blob).write_bytes(b"")
    proxy = site.parts.proxy
    assert proxy is not None
    with pytest.raises(IntegrityError, match="expected a file of"):
        proxy.prepare()


def test_it_leaves_an_image_that_another_installation_runs(docker: Docker, tmp_path: Path) -> None:
    first, second = (make_site(tmp_path / name, docker) for name in ("first", "second"))
    with cleaned(first):
        first.parts.engine.prepare()
        first.parts.engine.start()
        # What still starts up hears no SIGTERM, and is waited for when it is stopped.
        until(first.parts.engine, lambda state: state.healthy is True)
        second.parts.engine.drop_images()
        assert docker.has(first.images[0])
