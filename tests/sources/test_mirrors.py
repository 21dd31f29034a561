"""Mirrors before a registry: tried first, failures said, credentials kept apart."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.errors import SourceError, TransientError
from bundler.sources.credentials import Keychain
from bundler.sources.endpoints import Endpoint, Endpoints
from bundler.sources.interface import RegistryBlob
from bundler.sources.registry import Registry
from bundler.spec.model import Platform, RegistryAccess, RegistryImage
from tests.counterparts.faulty import FaultyServer, Route
from tests.counterparts.images import digest_of, make_image, push
from tests.counterparts.registry import PASSWORD, USER, RegistryServer
from tests.sources.reading import Heard, read_all

AMD64 = Platform("linux", "amd64")
IMAGE = make_image([{"app": b"1"}])
BLOB = next(iter(IMAGE.blobs))


def behind(mirror: str, registry: str, heard: Heard, keychain: Keychain) -> Registry:
    """A registry with a mirror (host[:port][/prefix]) before it."""
    access = {
        registry: RegistryAccess(plain_http=True, mirrors=(mirror,)),
        mirror.partition("/")[0]: RegistryAccess(plain_http=True),
    }
    return Registry(access, progress=heard, keychain=keychain, timeouts=(2.0, 2.0), attempts=1)


def image(host: str, repository: str) -> RegistryImage:
    return RegistryImage(host, repository, "1", None, repository)


def test_a_mirror_is_asked_first_below_its_prefix(
    open_registry: RegistryServer, server: FaultyServer, nobody: Keychain
) -> None:
    push(open_registry, "hub/team/mirrored:1", IMAGE)
    heard = Heard()
    source = behind(f"{open_registry.host}/hub", server.host, heard, nobody)
    found = source.resolve(image(server.host, "team/mirrored"), AMD64)
    assert str(found.source_digest) == IMAGE.digest
    data = read_all(source.open(RegistryBlob(server.host, "team/mirrored", found.config.digest), 0))
    assert digest_of(data) == str(found.config.digest)
    assert (server.requests, heard.said) == ([], [])


@pytest.mark.parametrize("status", [404, 403, 401, 500])
def test_a_mirror_that_fails_gives_way_and_is_said_once(
    open_registry: RegistryServer, server: FaultyServer, nobody: Keychain, status: int
) -> None:
    push(open_registry, "team/origin:1", IMAGE)
    server.fallback = lambda seen: Route(b"", status)
    heard = Heard()
    source = behind(server.host, open_registry.host, heard, nobody)
    found = source.resolve(image(open_registry.host, "team/origin"), AMD64)
    for blob in (found.config, *found.layers):
        read_all(source.open(RegistryBlob(open_registry.host, "team/origin", blob.digest), 0))
    passed = [text for text in heard.said if text.startswith(f"mirror {server.host} passed over: ")]
    assert len(passed) == 1
    manifests = [path for path in server.paths() if "/manifests/" in path]
    assert len(manifests) == (2 if status == 500 else 1)


def test_a_mirror_with_wrong_bytes_gives_way(
    open_registry: RegistryServer, server: FaultyServer, nobody: Keychain
) -> None:
    push(open_registry, "team/wrong:1", IMAGE)
    server.fallback = lambda seen: Route(IMAGE.manifest, headers={"Docker-Content-Digest": f"sha256:{'0' * 64}"})
    heard = Heard()
    source = behind(server.host, open_registry.host, heard, nobody)
    assert str(source.resolve(image(open_registry.host, "team/wrong"), AMD64).source_digest) == IMAGE.digest
    assert "passed over" in heard.said[0]


def test_the_registry_s_own_error_is_the_last_word(
    open_registry: RegistryServer, server: FaultyServer, nobody: Keychain
) -> None:
    source = behind(server.host, open_registry.host, Heard(), nobody)
    with pytest.raises(SourceError, match=f"{open_registry.host} has no repository team/neither"):
        source.resolve(image(open_registry.host, "team/neither"), AMD64)


def test_a_mirror_is_tried_again_when_the_registry_is_not_reachable(server: FaultyServer, nobody: Keychain) -> None:
    with FaultyServer() as gone:
        pass
    source = behind(server.host, gone.host, Heard(), nobody)
    origin = RegistryBlob(gone.host, "team/app", Digest.parse(BLOB))
    server.fallback = lambda seen: Route(b"", 503)
    for _ in range(2):
        with pytest.raises(TransientError, match="Connection refused"):
            source.open(origin, 0)
    server.fallback = lambda seen: Route(IMAGE.blobs[BLOB])
    assert read_all(source.open(origin, 0)) == IMAGE.blobs[BLOB]


def test_the_login_of_the_registry_never_goes_to_a_mirror(server: FaultyServer, tmp_path: Path) -> None:
    with RegistryServer(tmp_path / "registry", basic=True) as locked:
        push(locked, "team/app:1", IMAGE)
        auth = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        (tmp_path / ".docker").mkdir()
        (tmp_path / ".docker" / "config.json").write_text(json.dumps({"auths": {locked.host: {"auth": auth}}}))
        server.fallback = lambda seen: Route(b"", 401, {"WWW-Authenticate": f'Basic realm="{locked.host}"'})
        heard = Heard()
        source = behind(server.host, locked.host, heard, Keychain({"HOME": str(tmp_path)}))
        source.resolve(image(locked.host, "team/app"), AMD64)
    assert server.requests
    assert all("Authorization" not in seen.headers and auth not in seen.text for seen in server.requests)
    assert auth not in "".join(heard.said) and PASSWORD not in "".join(heard.said)


def test_docker_hub_answers_under_another_name() -> None:
    access = {"docker.io": RegistryAccess(ca="/ca.pem", mirrors=("mirror.example/hub",))}
    endpoints = Endpoints(access, Heard())
    asked: list[str] = []

    def refuse(endpoint: Endpoint) -> None:
        asked.append(endpoint.url("manifests", "1"))
        raise SourceError("no")

    with pytest.raises(SourceError):
        endpoints.first_good("docker.io", "library/nginx", refuse)
    assert asked == [
        "https://mirror.example/v2/hub/library/nginx/manifests/1",
        "https://registry-1.docker.io/v2/library/nginx/manifests/1",
    ]
    assert endpoints.authorities() == {"registry-1.docker.io": "/ca.pem"}
