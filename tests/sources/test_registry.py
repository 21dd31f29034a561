"""Images in a real registry, also through a proxy that damages what it passes on."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable

import pytest

from bundler.digest import Digest
from bundler.errors import IntegrityError, SourceError, SpecError, TransientError
from bundler.sources.credentials import Keychain
from bundler.sources.interface import RegistryBlob, Url
from bundler.sources.registry import Registry
from bundler.spec.model import Platform, RegistryAccess, RegistryImage
from tests.counterparts.faulty import Fault, FaultyServer, Route, Seen
from tests.counterparts.images import Pushable, make_image, make_index, make_layer, push
from tests.counterparts.registry import RegistryServer
from tests.sources.reading import Heard, read_all

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
SHARED = make_layer({"etc/os-release": b"ID=test\n"})
IMAGE = make_image([SHARED, {"app": b"1"}, make_layer({"model": b"2" * 5000}, packing="zstd")])
OTHER = make_image([SHARED, make_layer({"app": b"3"}, packing="none")], platform="linux/arm64/v8")
INDEX = make_index(IMAGE, OTHER, attestation=True)


def registry(host: str, nobody: Keychain, *, progress: Heard | None = None) -> Registry:
    access = {host: RegistryAccess(plain_http=True)}
    return Registry(access, keychain=nobody, timeouts=(2.0, 2.0), attempts=1, progress=progress or Heard())


def image(host: str, repository: str, tag: str | None = "1", digest: str | None = None) -> RegistryImage:
    return RegistryImage(host, repository, tag, Digest.parse(digest) if digest else None, repository)


def before(upstream: RegistryServer, change: Callable[[Seen, Route], None]) -> Callable[[Seen], Route]:
    """Passes a request on to ``upstream`` and lets ``change`` spoil the answer."""

    def answer(seen: Seen) -> Route:
        connection = http.client.HTTPConnection(upstream.host, timeout=5)
        connection.request("GET", seen.path, headers={"Accept": seen.headers["Accept"] or ""})
        response = connection.getresponse()
        kept = ("Content-Type", "Docker-Content-Digest")
        headers = {name: response.headers[name] for name in kept if name in response.headers}
        route = Route(response.read(), response.status, headers)
        connection.close()
        change(seen, route)
        return route

    return answer


@pytest.mark.parametrize(("platform", "expected"), [(AMD64, IMAGE), (ARM64, OTHER)])
@pytest.mark.parametrize("by", ["tag", "digest"])
def test_resolves_an_index_for_a_platform(
    open_registry: RegistryServer, nobody: Keychain, platform: Platform, expected: Pushable, by: str
) -> None:
    digest = push(open_registry, "team/index:1", INDEX)
    asked = image(open_registry.host, "team/index", "1", digest if by == "digest" else None)
    found = registry(open_registry.host, nobody).resolve(asked, platform)
    assert found.manifest.encode() == expected.manifest
    assert str(found.source_digest) == expected.digest
    listed = [one["digest"] for one in json.loads(expected.manifest)["layers"]]
    assert [str(layer.digest) for layer in found.layers] == listed


@pytest.mark.parametrize("docker", [False, True])
def test_every_blob_opens_at_any_offset(open_registry: RegistryServer, nobody: Keychain, docker: bool) -> None:
    made = make_image([SHARED, {"app": b"x" * 9000}, SHARED], docker=docker)
    name = f"team/blobs-{docker}".lower()
    push(open_registry, f"{name}:1", made)
    source = registry(open_registry.host, nobody)
    found = source.resolve(image(open_registry.host, name), AMD64)
    assert found.layers[0] == found.layers[2]
    assert str(found.source_digest) == made.digest
    assert (Digest.of(found.manifest.encode()) == found.source_digest) is not docker
    for blob in (found.config, *found.layers):
        data = made.blobs[str(blob.digest)]
        assert blob.size == len(data)
        for offset in (0, 1, len(data) - 1):
            reader = source.open(RegistryBlob(open_registry.host, name, blob.digest), offset)
            assert (reader.offset, read_all(reader)) == (offset, data[offset:])


def test_a_docker_list_is_an_index(open_registry: RegistryServer, nobody: Keychain) -> None:
    amd, arm = make_image([SHARED], docker=True), make_image([SHARED], platform="linux/arm64/v8", docker=True)
    push(open_registry, "team/list:1", make_index(amd, arm, docker=True))
    found = registry(open_registry.host, nobody).resolve(image(open_registry.host, "team/list"), ARM64)
    assert (str(found.source_digest), str(found.platform)) == (arm.digest, "linux/arm64/v8")


def test_a_platform_that_is_lacking_is_answered_with_those_there(
    open_registry: RegistryServer, nobody: Keychain
) -> None:
    push(open_registry, "team/lacking:1", INDEX)
    push(open_registry, "team/single:1", OTHER)
    source = registry(open_registry.host, nobody)
    with pytest.raises(SpecError, match=r"no image for linux/s390x; it has linux/amd64, linux/arm64/v8$"):
        source.resolve(image(open_registry.host, "team/lacking"), Platform("linux", "s390x"))
    with pytest.raises(SpecError, match=r"no image for linux/amd64; it has linux/arm64/v8$"):
        source.resolve(image(open_registry.host, "team/single"), AMD64)


def test_an_index_that_its_image_contradicts_is_said(open_registry: RegistryServer, nobody: Keychain) -> None:
    heard, index = Heard(), make_index(OTHER)
    lying = json.loads(index.manifest)
    lying["manifests"][0]["platform"] = {"os": "linux", "architecture": "amd64"}
    spoilt = type(index)(json.dumps(lying).encode(), index.media_type, index.images)
    push(open_registry, "team/lying:1", spoilt)
    source = registry(open_registry.host, nobody, progress=heard)
    assert source.resolve(image(open_registry.host, "team/lying"), AMD64).platform == AMD64
    assert "its index says linux/amd64, the image itself linux/arm64/v8" in heard.said[0]


def test_an_unknown_tag_names_near_ones(open_registry: RegistryServer, nobody: Keychain) -> None:
    for number in range(12):
        push(open_registry, f"team/tags:v0.9.{number}", IMAGE)
    source = registry(open_registry.host, nobody)
    with pytest.raises(SourceError, match=r"team/tags has no tag 'v0\.9\.99'") as caught:
        source.resolve(image(open_registry.host, "team/tags", "v0.9.99"), AMD64)
    assert caught.value.hint.startswith("Near ones are v0.9.9,")
    assert caught.value.hint.count("v0.9.") == 10


def test_an_unknown_repository_is_told_from_an_unknown_tag(open_registry: RegistryServer, nobody: Keychain) -> None:
    source = registry(open_registry.host, nobody)
    with pytest.raises(SourceError, match="has no repository team/nowhere"):
        source.resolve(image(open_registry.host, "team/nowhere"), AMD64)


def test_an_unknown_digest_and_an_unknown_blob(open_registry: RegistryServer, nobody: Keychain) -> None:
    push(open_registry, "team/known:1", IMAGE)
    source, gone = registry(open_registry.host, nobody), Digest("0" * 64)
    with pytest.raises(SourceError, match="answered 404: it is not there") as caught:
        source.resolve(image(open_registry.host, "team/known", None, str(gone)), AMD64)
    assert "lock --update" in caught.value.hint
    with pytest.raises(SourceError, match=r"blob 000000000000 of team/known.*404"):
        source.open(RegistryBlob(open_registry.host, "team/known", gone), 0)


@pytest.mark.parametrize("part", ["manifests/1", "manifests/sha256", "blobs/sha256"])
def test_wrong_bytes_from_a_proxy_are_found(
    open_registry: RegistryServer, nobody: Keychain, server: FaultyServer, part: str
) -> None:
    push(open_registry, "team/damaged:1", INDEX)

    def damage(seen: Seen, route: Route) -> None:
        if part in seen.path:
            route.always = Fault(flip=30)

    server.fallback = before(open_registry, damage)
    with pytest.raises(IntegrityError, match=f"expected sha256:.*{part}.* sent sha256:") as caught:
        registry(server.host, nobody).resolve(image(server.host, "team/damaged"), AMD64)
    assert "proxy" in caught.value.hint


def test_another_size_than_promised_is_found(
    open_registry: RegistryServer, nobody: Keychain, server: FaultyServer
) -> None:
    index = json.loads(INDEX.manifest)
    index["manifests"][0]["size"] += 1
    server.fallback = before(open_registry, lambda seen, route: None)
    server.routes["/v2/team/size/manifests/1"] = Route(json.dumps(index).encode())
    push(open_registry, "team/size:1", INDEX)
    with pytest.raises(IntegrityError, match=r"expected sha256:.* bytes"):
        registry(server.host, nobody).resolve(image(server.host, "team/size"), AMD64)


def test_a_manifest_above_4_mib_is_refused(server: FaultyServer, nobody: Keychain) -> None:
    server.fallback = lambda seen: Route(b" " * (4 * 1024 * 1024 + 1))
    with pytest.raises(SourceError, match="at most 4194304 bytes"):
        registry(server.host, nobody).resolve(image(server.host, "team/large"), AMD64)


def test_a_config_above_4_mib_is_not_fetched(server: FaultyServer, nobody: Keychain) -> None:
    document = json.loads(IMAGE.manifest)
    document["config"]["size"] = 5_000_000
    server.fallback = lambda seen: Route(json.dumps(document).encode())
    with pytest.raises(SourceError, match=r"config .* expected at most 4 MiB"):
        registry(server.host, nobody).resolve(image(server.host, "team/config"), AMD64)
    assert len(server.requests) == 1


def test_an_index_of_indexes_ends(server: FaultyServer, nobody: Keychain) -> None:
    inner = make_index(IMAGE)
    levels = [inner.manifest]
    for _ in range(5):
        entry = {"mediaType": inner.media_type, "digest": str(Digest.of(levels[-1])), "size": len(levels[-1])}
        document = {"schemaVersion": 2, "mediaType": inner.media_type, "manifests": [entry]}
        levels.append(json.dumps(document).encode())
    for level in levels:
        server.routes[f"/v2/team/deep/manifests/{Digest.of(level)}"] = Route(level)
    server.routes["/v2/team/deep/manifests/1"] = Route(levels[-1])
    with pytest.raises(SourceError, match="an index within an index, 3 deep"):
        registry(server.host, nobody).resolve(image(server.host, "team/deep"), AMD64)
    assert len(server.requests) == 4


def test_answers_that_are_no_registry_s(server: FaultyServer, nobody: Keychain) -> None:
    server.fallback = lambda seen: Route(b"<html>Sign in to the guest network</html>")
    with pytest.raises(SourceError, match="expected JSON"):
        registry(server.host, nobody).resolve(image(server.host, "team/portal"), AMD64)


def test_https_to_a_plain_registry_says_how_to_allow_it(open_registry: RegistryServer, nobody: Keychain) -> None:
    source = Registry({}, keychain=nobody, attempts=1)
    with pytest.raises(SourceError, match="does not speak TLS") as caught:
        source.resolve(image(open_registry.host, "team/app"), AMD64)
    assert f"registries: {{'{open_registry.host}': {{plain_http: true}}}}" in caught.value.hint


def test_opening_is_one_attempt(server: FaultyServer, nobody: Keychain) -> None:
    server.fallback = lambda seen: Route(status=503, headers={"Retry-After": "9"})
    with pytest.raises(TransientError, match="503") as caught:
        registry(server.host, nobody).open(RegistryBlob(server.host, "team/app", Digest("0" * 64)), 0)
    assert caught.value.retry_after == 9
    assert len(server.requests) == 1


def test_another_kind_of_origin_is_our_own_fault(nobody: Keychain) -> None:
    with pytest.raises(TypeError):
        Registry({}, keychain=nobody).open(Url("https://example.com/a"), 0)
