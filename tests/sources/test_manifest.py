"""The rules of manifests, without I/O."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bundler.digest import Digest
from bundler.errors import SourceError
from bundler.sources import media
from bundler.sources.image import Blob, Index, Manifest
from bundler.sources.manifest import config_platform, oci_manifest, parse_manifest
from bundler.spec.model import Platform
from tests.counterparts.images import Layer, make_image, make_index, make_layer

PLAIN = {"a": b"1"}


def document(**changes: Any) -> dict[str, Any]:
    """An OCI manifest as a document, with ``changes``; None takes a key out."""
    found: dict[str, Any] = json.loads(make_image([PLAIN]).manifest)
    found.update(changes)
    return {key: value for key, value in found.items() if value is not None}


def layer(**changes: Any) -> dict[str, Any]:
    """A manifest whose layer has ``changes``."""
    found = document()
    found["layers"][0].update(changes)
    return found


def parse(found: object, media_type: str = "") -> Index | Manifest:
    return parse_manifest(json.dumps(found).encode(), media_type, place="IMAGE")


def test_an_oci_manifest_is_kept_byte_for_byte() -> None:
    image = make_image([PLAIN, make_layer(PLAIN, packing="zstd"), make_layer(PLAIN, packing="none")])
    parsed = parse_manifest(image.manifest, image.media_type)
    assert isinstance(parsed, Manifest)
    assert parsed.text.encode() == image.manifest
    assert [one.media_type.rpartition(".")[2] for one in parsed.layers] == ["tar+gzip", "tar+zstd", "tar"]
    assert {str(blob.digest) for blob in (parsed.config, *parsed.layers)} == set(image.blobs)


def test_a_docker_manifest_is_rewritten_with_oci_types() -> None:
    packings: tuple[Layer, ...] = tuple(make_layer(PLAIN, packing=one) for one in ("gzip", "zstd", "none"))
    image = make_image(packings, docker=True)
    parsed = parse_manifest(image.manifest, image.media_type)
    assert isinstance(parsed, Manifest)
    assert "docker" not in parsed.text
    assert parsed.text == oci_manifest(parsed.config, parsed.layers)
    assert [one.media_type for one in parsed.layers] == [
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+zstd",
        "application/vnd.oci.image.layer.v1.tar",
    ]
    again = parse_manifest(parsed.text.encode(), media.MANIFEST)
    assert again == parsed


def test_docker_types_in_an_oci_manifest_are_rewritten() -> None:
    parsed = parse(layer(mediaType="application/vnd.docker.image.rootfs.diff.tar.gzip"))
    assert isinstance(parsed, Manifest)
    assert "docker" not in parsed.text


def test_a_rewritten_manifest_is_compact_and_sorted() -> None:
    config = Blob(media.DOCKER_CONFIG, Digest("0" * 64), 5)
    assert oci_manifest(config, []) == (
        '{"config":{"digest":"sha256:' + "0" * 64 + '","mediaType":"application/vnd.oci.image.config.v1+json",'
        '"size":5},"layers":[],"mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2}'
    )


@pytest.mark.parametrize("docker", [False, True])
def test_reads_an_index(docker: bool) -> None:
    amd, arm = make_image([PLAIN]), make_image([PLAIN], platform="linux/arm64/v8")
    index = parse_manifest(make_index(amd, arm, docker=docker, attestation=True).manifest)
    assert isinstance(index, Index)
    assert [str(one.platform) for one in index.manifests[:2]] == ["linux/amd64", "linux/arm64/v8"]
    assert [one.attached for one in index.manifests] == [False, False, True, True]


@pytest.mark.parametrize("said", ["", "application/json", "text/plain; charset=utf-8", media.MANIFEST + ";a=b"])
def test_knows_a_manifest_by_its_shape(said: str) -> None:
    assert isinstance(parse(document(mediaType=None), said), Manifest)


@pytest.mark.parametrize(
    ("found", "said", "words"),
    [
        (document(), media.INDEX, "ambiguous"),
        (document(), media.DOCKER_MANIFEST, "ambiguous"),
        (document(manifests=[]), "", "ambiguous"),
        (document(manifests=[], mediaType=None), "", "ambiguous"),
        (document(layers=None, config=None), "", "ambiguous"),
        (document(mediaType="application/zip"), "", "expected an image, found 'application/zip'"),
        (document(mediaType=["x"]), "", "expected an image"),
        (document(mediaType={"x": 1}), "", "expected an image"),
        (document(schemaVersion=1, mediaType=None), "", "schema 1"),
        (document(), "application/vnd.docker.distribution.manifest.v1+prettyjws", "schema 1"),
        (document(layers={}), "", "layers: expected a list"),
        (document(layers=["x"]), "", r"layers\[0\]: expected a descriptor"),
        (document(config=None), "", "config: expected a descriptor"),
        (layer(size=-1), "", r"layers\[0\].size: expected a number of bytes"),
        (layer(size=True), "", "size: expected"),
        (layer(size=1.5), "", "size: expected"),
        (layer(size=1 << 60), "", "size: expected"),
        (layer(digest="sha512:" + "0" * 128), "", r"layers\[0\].digest: expected sha256"),
        (layer(digest="sha256:../../etc/passwd"), "", "digest: expected sha256"),
        (layer(digest=5), "", "expected a descriptor"),
        (layer(urls=["https://example.com/layer"]), "", "foreign layer"),
        (layer(mediaType="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"), "", "foreign layer"),
        (layer(mediaType="application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"), "", "foreign layer"),
        (layer(mediaType="application/vnd.oci.image.layer.v1.tar+gzip+encrypted"), "", "tar layer.*encrypted"),
        ([], "", "expected a JSON object"),
    ],
)
def test_refuses(found: object, said: str, words: str) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        parse(found, said)
    assert caught.value.message.startswith("IMAGE")


def test_refuses_an_artifact_that_is_no_image() -> None:
    found = document()
    found["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json"
    with pytest.raises(SourceError, match=r"expected a container image, found an artifact.*helm"):
        parse(found)


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}", b"<html>"],
)
def test_refuses_what_is_no_json(body: bytes) -> None:
    with pytest.raises(SourceError, match="IMAGE: expected JSON"):
        parse_manifest(body, place="IMAGE")


@pytest.mark.parametrize(
    "platform",
    [
        {},
        [],
        "linux/amd64",
        {"os": "linux"},
        {"os": "linux", "architecture": 5},
        {"os": "l\x1b[2J", "architecture": "a"},
    ],
)
def test_refuses_an_index_entry_of_a_broken_platform(platform: object) -> None:
    found = json.loads(make_index(make_image([PLAIN])).manifest)
    found["manifests"][0]["platform"] = platform
    with pytest.raises(SourceError, match=r"manifests\[0\].platform: expected os and architecture"):
        parse(found)


def test_reads_the_platform_of_a_config() -> None:
    assert config_platform(b'{"os":"linux","architecture":"arm64","variant":"v8"}') == Platform("linux", "arm64", "v8")
    for body in (b"{}", b'{"os":"linux"}', b'{"os":"linux","architecture":"arm","variant":7}'):
        with pytest.raises(SourceError, match="no image's config"):
            config_platform(body)
