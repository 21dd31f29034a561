"""OCI layouts on disk, made by ourselves and by skopeo and podman, whole and broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bundler.digest import Digest
from bundler.errors import BundleError, IntegrityError, SourceError, SpecError
from bundler.sources import oci
from bundler.sources.image import Resolved
from bundler.sources.local import read_range
from bundler.spec.model import LayoutImage, Platform
from tests.counterparts.images import Image, digest_of, make_image, make_index, make_layer, write_layout
from tests.sources.disk_images import pack, skopeo

AMD64 = Platform("linux", "amd64")
ARM64 = Platform("linux", "arm64")


def _layout(path: str, tag: str | None = None) -> LayoutImage:
    return LayoutImage(path, tag, f"oci:{path}:{tag}" if tag else f"oci:{path}")


def _image(platform: str = "linux/amd64") -> Image:
    shared = make_layer({"etc/shared": b"shared"})
    return make_image([shared, make_layer({"bin": b"1"}, packing="zstd"), shared], platform=platform)


def _same_bytes(image: LayoutImage, found: Resolved, made: Image, base: Path) -> None:
    """The ranges lead to the very blobs that were put in."""
    ranges = oci.blob_ranges(image, found.config, found.layers, base)
    blobs = {str(digest): read_range(origin, 1 << 20, "blob") for digest, origin in ranges.items()}
    assert blobs == dict(made.blobs)


@pytest.mark.parametrize("packed", [False, True])
def test_a_layout_as_folder_and_as_archive(tmp_path: Path, packed: bool) -> None:
    made = _image()
    folder = write_layout(tmp_path / "My Images", {"v1": made})
    path = pack(folder, tmp_path / "packed.tar") if packed else folder
    image = _layout(path.name)
    found = oci.resolve(image, AMD64, tmp_path)
    assert found.manifest.encode() == made.manifest
    assert str(found.source_digest) == made.digest
    assert found.platform == AMD64
    assert found.name == ("localhost/packed:v1" if packed else "localhost/my-images:v1")
    assert found.layers[0] == found.layers[2] and found.layers[1].media_type.endswith("tar+zstd")
    _same_bytes(image, found, made, tmp_path)


def test_the_platform_is_chosen_from_an_index(tmp_path: Path) -> None:
    amd, arm = _image(), _image("linux/arm64/v8")
    write_layout(tmp_path / "all", {"v1": make_index(amd, arm, attestation=True)})
    assert str(oci.resolve(_layout("all", "v1"), ARM64, tmp_path).source_digest) == arm.digest
    assert str(oci.resolve(_layout("all"), AMD64, tmp_path).source_digest) == amd.digest
    with pytest.raises(SpecError, match=r"no image for linux/s390x; it has linux/amd64, linux/arm64/v8"):
        oci.resolve(_layout("all", "v1"), Platform("linux", "s390x"), tmp_path)


def test_a_docker_manifest_is_rewritten(tmp_path: Path) -> None:
    made = make_image([{"a": b"1"}], docker=True)
    write_layout(tmp_path / "docker", {"v1": made})
    found = oci.resolve(_layout("docker"), AMD64, tmp_path)
    assert str(found.source_digest) == made.digest
    assert "docker" not in found.manifest and found.source_digest != Digest.of(found.manifest.encode())
    _same_bytes(_layout("docker"), found, made, tmp_path)


def test_the_config_must_fit_when_no_index_names_the_platform(tmp_path: Path) -> None:
    write_layout(tmp_path / "arm", {"v1": _image("linux/arm64")})
    with pytest.raises(SpecError, match="no image for linux/amd64; it has linux/arm64"):
        oci.resolve(_layout("arm"), AMD64, tmp_path)


def test_several_images_need_a_tag_and_are_listed(tmp_path: Path) -> None:
    one, two = _image(), make_image([{"x": b"2"}])
    write_layout(tmp_path / "two", {"v1": one, "v2": two})
    with pytest.raises(SpecError, match="expected one image, found 2: v1, v2") as caught:
        oci.resolve(_layout("two"), AMD64, tmp_path)
    assert "oci:two:TAG" in caught.value.hint
    with pytest.raises(SpecError, match="no image 'v3'; there is v1, v2"):
        oci.resolve(_layout("two", "v3"), AMD64, tmp_path)
    assert str(oci.resolve(_layout("two", "v2"), AMD64, tmp_path).source_digest) == two.digest


def _edit(path: Path, change: Callable[[Any], None]) -> None:
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("annotations", "tag", "name"),
    [
        (
            {"io.containerd.image.name": "docker.io/library/x:v1", "org.opencontainers.image.ref.name": "v1"},
            "v1",
            "docker.io/library/x:v1",
        ),
        ({"io.containerd.image.name": "docker.io/library/x:v1"}, "docker.io/library/x:v1", "docker.io/library/x:v1"),
        ({"org.opencontainers.image.ref.name": "quay.io/team/x:2"}, "quay.io/team/x:2", "quay.io/team/x:2"),
        ({"org.opencontainers.image.ref.name": "nginx:1.29"}, None, "docker.io/library/nginx:1.29"),
        ({"org.opencontainers.image.ref.name": "not a/name"}, None, "localhost/lay:latest"),
        ({"org.opencontainers.image.ref.name": 5}, None, "localhost/lay:latest"),
        ({}, None, "localhost/lay:latest"),
    ],
)
def test_names_of_other_tools(tmp_path: Path, annotations: dict[str, Any], tag: str | None, name: str) -> None:
    write_layout(tmp_path / "lay", {"t": _image()})
    _edit(tmp_path / "lay/index.json", lambda index: index["manifests"][0].update(annotations=annotations))
    assert oci.resolve(_layout("lay", tag), AMD64, tmp_path).name == name


def test_several_entries_of_one_tag_are_its_platforms(tmp_path: Path) -> None:
    amd, arm = _image(), _image("linux/arm64")
    write_layout(tmp_path / "lay", {"v1": amd, "other": arm})

    def join(index: Any) -> None:
        for entry, architecture in zip(index["manifests"], ("amd64", "arm64"), strict=True):
            entry["annotations"] = {"org.opencontainers.image.ref.name": "v1"}
            entry["platform"] = {"os": "linux", "architecture": architecture}

    _edit(tmp_path / "lay/index.json", join)
    assert str(oci.resolve(_layout("lay"), ARM64, tmp_path).source_digest) == arm.digest
    assert str(oci.resolve(_layout("lay", "v1"), AMD64, tmp_path).source_digest) == amd.digest


def test_what_is_attached_to_an_image_is_no_second_image(tmp_path: Path) -> None:
    made = _image()
    write_layout(tmp_path / "lay", {"v1": made, "proof": make_image([{"proof": b""}])})
    proof = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    _edit(tmp_path / "lay/index.json", lambda index: index["manifests"][1].update(proof))
    assert str(oci.resolve(_layout("lay"), AMD64, tmp_path).source_digest) == made.digest


def test_indexes_nest_but_not_for_ever(tmp_path: Path) -> None:
    made = _image()
    write_layout(tmp_path / "lay", {"v1": made})
    blobs = tmp_path / "lay/blobs/sha256"
    body, kind = made.manifest, made.media_type
    for depth in range(1, 5):
        platform = {"os": "linux", "architecture": "amd64"}
        entry = {"mediaType": kind, "digest": digest_of(body), "size": len(body), "platform": platform}
        kind = "application/vnd.oci.image.index.v1+json"
        body = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": [entry]}).encode()
        (blobs / digest_of(body).partition(":")[2]).write_bytes(body)
        top = {"mediaType": kind, "digest": digest_of(body), "size": len(body)}
        (tmp_path / "lay/index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [top]}))
        if depth < 4:
            assert str(oci.resolve(_layout("lay"), AMD64, tmp_path).source_digest) == made.digest
    with pytest.raises(SourceError, match="an index within an index, 4 deep"):
        oci.resolve(_layout("lay"), AMD64, tmp_path)


@pytest.mark.parametrize("form", ["oci", "oci-archive"])
def test_what_skopeo_wrote(tmp_path: Path, form: str) -> None:
    made = _image()
    write_layout(tmp_path / "lay", {"v1": made})
    target = tmp_path / ("out" if form == "oci" else "out.tar")
    skopeo(f"oci:{tmp_path}/lay:v1", f"{form}:{target}:example.org/team/app:v1")
    image = _layout(target.name, "example.org/team/app:v1")
    found = oci.resolve(image, AMD64, tmp_path)
    assert found.name == "example.org/team/app:v1" and str(found.source_digest) == made.digest
    _same_bytes(image, found, made, tmp_path)


def _lose_blob(layout: Path, made: Image) -> None:
    (layout / "blobs/sha256" / json.loads(made.manifest)["layers"][1]["digest"][7:]).unlink()


def _cut_blob(layout: Path, made: Image) -> None:
    blob = layout / "blobs/sha256" / json.loads(made.manifest)["layers"][0]["digest"][7:]
    blob.write_bytes(blob.read_bytes()[:-1])


def _flip(layout: Path, digest: str) -> None:
    blob = layout / "blobs/sha256" / digest[7:]
    data = bytearray(blob.read_bytes())
    data[-3] ^= 1
    blob.write_bytes(data)


def _flip_manifest(layout: Path, made: Image) -> None:
    _flip(layout, made.digest)


def _flip_config(layout: Path, made: Image) -> None:
    _flip(layout, json.loads(made.manifest)["config"]["digest"])


def _index(text: str) -> Callable[[Path, Image], None]:
    def write(layout: Path, made: Image) -> None:
        (layout / "index.json").write_text(text)

    return write


def _marker(text: str) -> Callable[[Path, Image], None]:
    def write(layout: Path, made: Image) -> None:
        (layout / "oci-layout").write_text(text)

    return write


def _blob_is_folder(layout: Path, made: Image) -> None:
    _lose_blob(layout, made)
    (layout / "blobs/sha256" / json.loads(made.manifest)["layers"][1]["digest"][7:]).mkdir()


def _escaping(layout: Path, made: Image) -> None:
    _edit(layout / "index.json", lambda index: index["manifests"][0].update(digest="sha256:../../../etc/passwd"))


@pytest.mark.parametrize(
    ("damage", "kind", "words"),
    [
        pytest.param(_lose_blob, SourceError, r"blobs/sha256/[0-9a-f]{64} is missing", id="blob-missing"),
        pytest.param(_cut_blob, IntegrityError, r"blobs/sha256/.*expected \d+ bytes, found \d+", id="blob-cut"),
        pytest.param(_flip_manifest, IntegrityError, "its content has the digest sha256:", id="manifest-flipped"),
        pytest.param(_flip_config, IntegrityError, "its content has the digest sha256:", id="config-flipped"),
        pytest.param(_blob_is_folder, SourceError, "expected a plain file", id="blob-is-folder"),
        pytest.param(_escaping, SourceError, r"manifests\[0\]\.digest: expected sha256:", id="digest-escapes"),
        pytest.param(_index("[]"), SourceError, "index.json: expected a JSON object", id="index-list"),
        pytest.param(_index("{"), SourceError, "index.json: expected JSON", id="index-no-json"),
        pytest.param(_index("[" * 100_000), SourceError, "index.json: expected JSON", id="index-deep"),
        pytest.param(_index(" " * (5 << 20)), SourceError, "expected at most 4194304 bytes", id="index-huge"),
        pytest.param(_index('{"manifests": []}'), SourceError, "names no image", id="index-empty"),
        pytest.param(_marker('{"imageLayoutVersion": "2.0"}'), SourceError, "found '2.0'", id="future-version"),
        pytest.param(_marker("[]"), SourceError, "imageLayoutVersion 1.0.0, found 'None'", id="odd-marker"),
    ],
)
def test_broken_layouts(
    tmp_path: Path, damage: Callable[[Path, Image], None], kind: type[BundleError], words: str
) -> None:
    made = _image()
    layout = write_layout(tmp_path / "lay", {"v1": made})
    damage(layout, made)
    with pytest.raises(BundleError, match=words) as caught:
        oci.resolve(_layout("lay"), AMD64, tmp_path)
    assert type(caught.value) is kind
    assert "lay" in caught.value.message


def test_a_blob_that_changed_its_size_after_the_lock(tmp_path: Path) -> None:
    made = _image()
    layout = write_layout(tmp_path / "lay", {"v1": made})
    found = oci.resolve(_layout("lay"), AMD64, tmp_path)
    _cut_blob(layout, made)
    with pytest.raises(IntegrityError, match=r"expected \d+ bytes, found \d+"):
        oci.blob_ranges(_layout("lay"), found.config, found.layers, tmp_path)


def test_a_docker_archive_or_nothing_instead_of_a_layout(tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    with pytest.raises(SourceError, match="oci-layout is missing"):
        oci.resolve(_layout("saved"), AMD64, tmp_path)
    (tmp_path / "saved/manifest.json").write_text("[]")
    with pytest.raises(SourceError, match="oci-layout is missing") as caught:
        oci.resolve(_layout(pack(tmp_path / "saved", tmp_path / "saved.tar").name), AMD64, tmp_path)
    assert "docker-archive:" in caught.value.hint
    (tmp_path / "saved/version").write_text("Directory Transport Version: 1.1\n")
    with pytest.raises(SourceError, match="oci-layout is missing") as caught:
        oci.resolve(_layout("saved"), AMD64, tmp_path)
    assert "skopeo copy dir:" in caught.value.hint
    with pytest.raises(SourceError, match="gone: no such file or folder"):
        oci.resolve(_layout("gone"), AMD64, tmp_path)
