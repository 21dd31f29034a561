"""Docker archives: those of skopeo and podman, those of Docker's old and new form, and hostile ones."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bundler.digest import Digest
from bundler.errors import BundleError, IntegrityError, SourceError, SpecError
from bundler.sources import docker_archive
from bundler.sources.image import Resolved
from bundler.sources.local import read_range
from bundler.spec.model import ArchiveImage, Platform
from tests.counterparts.images import Image, Packing, make_image, make_layer, write_layout
from tests.counterparts.need import need
from tests.sources.disk_images import blob_form, folder_form, image_parts, skopeo, write_archive
from tests.sources.tars import END, entry

AMD64 = Platform("linux", "amd64")
Form = Callable[..., tuple[bytes, dict[str, Any]]]


def _archive(path: str, tag: str | None = None) -> ArchiveImage:
    return ArchiveImage(path, tag, f"docker-archive:{path}" + (f":{tag}" if tag else ""))


def _image(packing: Packing = "none", platform: str = "linux/amd64") -> Image:
    shared = make_layer({"etc/shared": b"shared"}, packing=packing)
    return make_image([shared, make_layer({"bin": b"1"}, packing=packing), shared], platform=platform)


def _bytes(image: ArchiveImage, found: Resolved, base: Path) -> dict[str, bytes]:
    ranges = docker_archive.blob_ranges(image, found.config, found.layers, base)
    return {str(digest): read_range(origin, 1 << 20, "blob") for digest, origin in ranges.items()}


@pytest.mark.parametrize("form", [folder_form, blob_form])
@pytest.mark.parametrize("packing", ["none", "gzip", "zstd"])
def test_both_forms_of_docker(tmp_path: Path, form: Form, packing: Packing) -> None:
    made = _image(packing)
    data, item = form(made, "nginx:1.29", "example.org/nginx:1")
    write_archive(tmp_path / "saved.tar", data, [item])
    image = _archive("saved.tar")
    found = docker_archive.resolve(image, AMD64, tmp_path)
    assert found.name == "docker.io/library/nginx:1.29" and found.platform == AMD64
    assert _bytes(image, found, tmp_path) == dict(made.blobs)
    written, original = json.loads(found.manifest), json.loads(made.manifest)
    assert (written["config"], written["layers"]) == (original["config"], original["layers"])
    assert found.source_digest == Digest.of(found.manifest.encode())


def test_the_name_of_an_image_without_one(tmp_path: Path) -> None:
    data, item = folder_form(_image())
    write_archive(tmp_path / "My_Image.tar", data, [item])
    assert docker_archive.resolve(_archive("My_Image.tar"), AMD64, tmp_path).name == "localhost/my-image:latest"


def test_several_images_are_chosen_by_name(tmp_path: Path) -> None:
    one, two = _image(), make_image([make_layer({"z": b"z"}, packing="none")])
    (data, first), (more, second) = folder_form(one, "nginx:1.29"), blob_form(two, "vllm/vllm-openai:v0.9.1")
    write_archive(tmp_path / "two.tar", data + more, [first, second])
    for tag in ("nginx:1.29", "docker.io/library/nginx:1.29"):
        found = docker_archive.resolve(_archive("two.tar", tag), AMD64, tmp_path)
        assert _bytes(_archive("two.tar", tag), found, tmp_path) == dict(one.blobs)
    chosen = docker_archive.resolve(_archive("two.tar", "vllm/vllm-openai:v0.9.1"), AMD64, tmp_path)
    assert len(chosen.layers) == 1
    listed = "docker.io/library/nginx:1.29, docker.io/vllm/vllm-openai:v0.9.1"
    with pytest.raises(SpecError, match=f"expected one image, found 2: {listed}") as caught:
        docker_archive.resolve(_archive("two.tar"), AMD64, tmp_path)
    assert "docker-archive:two.tar:NAME:TAG" in caught.value.hint
    with pytest.raises(SpecError, match=f"no image 'nginx:2'; there is {listed}"):
        docker_archive.resolve(_archive("two.tar", "nginx:2"), AMD64, tmp_path)


def test_the_platform_must_fit(tmp_path: Path) -> None:
    data, item = folder_form(_image(platform="linux/arm64"), "x:1")
    write_archive(tmp_path / "arm.tar", data, [item])
    with pytest.raises(SpecError, match="no image for linux/amd64; it has linux/arm64"):
        docker_archive.resolve(_archive("arm.tar"), AMD64, tmp_path)


def test_what_skopeo_wrote(tmp_path: Path) -> None:
    made = _image("gzip")
    write_layout(tmp_path / "lay", {"v1": made})
    skopeo(f"oci:{tmp_path}/lay:v1", f"docker-archive:{tmp_path}/saved.tar:example.org/app:v1")
    image = _archive("saved.tar")
    found = docker_archive.resolve(image, AMD64, tmp_path)
    assert found.name == "example.org/app:v1"
    blobs = _bytes(image, found, tmp_path)
    assert {digest: str(Digest.of(data)) for digest, data in blobs.items()} == {d: d for d in blobs}
    config = json.loads(blobs[str(found.config.digest)])
    assert [str(layer.digest) for layer in found.layers] == config["rootfs"]["diff_ids"]
    assert str(found.config.digest) == json.loads(made.manifest)["config"]["digest"]


@pytest.fixture
def podman() -> Iterator[Callable[..., str]]:
    """Podman with a storage of its own. Its run folder must have a short path, so pytest's will not do."""
    program = need("podman", "podman")
    with tempfile.TemporaryDirectory(prefix="pod", dir="/tmp", ignore_cleanup_errors=True) as storage:

        def call(*words: str) -> str:
            own = ("--root", f"{storage}/store", "--runroot", f"{storage}/run", "--storage-driver", "vfs")
            done = subprocess.run([program, *own, *words], check=True, capture_output=True, text=True, timeout=60)
            return str(done.stdout).strip()

        yield call


def test_what_podman_saved(tmp_path: Path, podman: Callable[..., str]) -> None:
    write_layout(tmp_path / "lay", {"v1": _image("gzip")})
    identity = podman("pull", "--quiet", f"oci:{tmp_path}/lay:v1")
    podman("tag", identity, "example.org/app:v1")
    podman("save", "--quiet", "--output", f"{tmp_path}/saved.tar", "example.org/app:v1")
    found = docker_archive.resolve(_archive("saved.tar", "example.org/app:v1"), AMD64, tmp_path)
    assert found.name == "example.org/app:v1" and found.config.digest.hex == identity
    assert len(_bytes(_archive("saved.tar"), found, tmp_path)) == 3


def _named(item: dict[str, Any], **changes: object) -> list[object]:
    return [{**item, **changes}]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"Layers": ["a/layer.tar"] * 3}, "names 'a/layer.tar', which is not there", id="no-such-layer"),
        pytest.param({"Layers": ["../../etc/passwd"] * 3}, "'../../etc/passwd', which is not", id="layer-escapes"),
        pytest.param({"Layers": ["/etc/passwd"] * 3}, "'/etc/passwd', which is not there", id="layer-absolute"),
        pytest.param({"Layers": []}, "lists 0 layers, its config 3", id="too-few-layers"),
        pytest.param({"Layers": {}}, "manifest.json lists 0 layers", id="layers-empty-object"),
        pytest.param({"Layers": "abc"}, "Layers: expected a list of texts", id="layers-text"),
        pytest.param({"Layers": [1, 2, 3]}, "Layers: expected a list of texts", id="layers-numbers"),
        pytest.param({"Config": "gone.json"}, "gone.json is missing", id="no-such-config"),
        pytest.param({"Config": None}, "Config: expected a text", id="config-null"),
        pytest.param({"Config": "manifest.json"}, "expected a JSON object", id="config-is-a-list"),
        pytest.param({"RepoTags": ["UPPER CASE"]}, "RepoTags: expected names of images", id="bad-name"),
        pytest.param({"RepoTags": 7}, "RepoTags: expected a list of texts", id="tags-number"),
    ],
)
def test_a_manifest_that_lies(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    data, item = folder_form(_image(), "x:1")
    write_archive(tmp_path / "bad.tar", data, _named(item, **changes))
    with pytest.raises(SourceError, match=words) as caught:
        docker_archive.resolve(_archive("bad.tar"), AMD64, tmp_path)
    assert str(tmp_path / "bad.tar") in caught.value.message


@pytest.mark.parametrize("document", [b"{}", b"[]", b"[1]", b"nonsense", b"[" * 100_000, b"\xff"])
def test_a_manifest_that_is_none(tmp_path: Path, document: bytes) -> None:
    (tmp_path / "bad.tar").write_bytes(entry("manifest.json", document) + END)
    with pytest.raises(SourceError, match=r"bad\.tar: manifest\.json.*: expected"):
        docker_archive.resolve(_archive("bad.tar"), AMD64, tmp_path)


def test_damaged_content_is_noticed(tmp_path: Path) -> None:
    made = _image()
    config, layers = image_parts(made)
    for victim, words in ((config, r"\.json: expected content of sha256:"), (layers[1], r"layer\.tar: expected cont")):
        data, item = folder_form(made, "x:1")
        flipped = victim[1].replace(b"linux", b"Linux") if victim is config else victim[1].replace(b"bin", b"bon")
        assert flipped != victim[1]
        write_archive(tmp_path / "bad.tar", data.replace(victim[1], flipped), [item])
        with pytest.raises(IntegrityError, match=words):
            docker_archive.resolve(_archive("bad.tar"), AMD64, tmp_path)


def test_a_blob_whose_name_is_not_its_diff_id(tmp_path: Path) -> None:
    """Of a layer below blobs/sha256 only the name is looked at here; the build hashes it."""
    made = _image()
    data, item = blob_form(made, "x:1")
    item["Layers"] = [item["Layers"][1], item["Layers"][0], item["Layers"][0]]
    write_archive(tmp_path / "bad.tar", data, [item])
    with pytest.raises(IntegrityError, match="expected content of sha256:"):
        docker_archive.resolve(_archive("bad.tar"), AMD64, tmp_path)


def test_configs_without_sound_diff_ids(tmp_path: Path) -> None:
    for rootfs, words in ((None, "rootfs: expected an object"), ({"diff_ids": ["md5:1"]}, "expected SHA-256 digests")):
        config = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": rootfs}).encode()
        item: dict[str, Any] = {"Config": "c.json", "RepoTags": None, "Layers": []}
        write_archive(tmp_path / "bad.tar", entry("c.json", config), [item])
        with pytest.raises(SourceError, match=words):
            docker_archive.resolve(_archive("bad.tar"), AMD64, tmp_path)


def test_a_layer_packed_with_something_else(tmp_path: Path) -> None:
    diff_id = "sha256:" + "0" * 64
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [diff_id]}}
    data = entry("c.json", json.dumps(config).encode()) + entry("l.tar", b"BZh91AY&SY")
    write_archive(tmp_path / "bad.tar", data, [{"Config": "c.json", "Layers": ["l.tar"]}])
    with pytest.raises(SourceError, match=r"l\.tar: expected a layer that is plain or packed with gzip or zstd"):
        docker_archive.resolve(_archive("bad.tar"), AMD64, tmp_path)


def test_an_archive_replaced_after_the_lock(tmp_path: Path) -> None:
    data, item = folder_form(_image(), "x:1")
    write_archive(tmp_path / "x.tar", data, [item])
    found = docker_archive.resolve(_archive("x.tar"), AMD64, tmp_path)
    other = make_image([make_layer({"b": b"2" * n}, packing="none") for n in (1, 20_000, 3)])
    for replacement, words in ((other, r"expected \d+ bytes, found"), (make_image([]), "expected 3 layers, found 0")):
        data, item = folder_form(replacement, "x:1")
        write_archive(tmp_path / "x.tar", data, [item])
        with pytest.raises(IntegrityError, match=words) as caught:
            docker_archive.blob_ranges(_archive("x.tar"), found.config, found.layers, tmp_path)
        assert "lock again" in caught.value.hint


def test_a_layout_or_a_folder_instead(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(entry("oci-layout", b"{}") + END)
    with pytest.raises(SourceError, match=r"manifest\.json is missing") as caught:
        docker_archive.resolve(_archive("x.tar"), AMD64, tmp_path)
    assert f"oci:{tmp_path / 'x.tar'}" in caught.value.hint
    with pytest.raises(BundleError, match="expected a plain file"):
        docker_archive.resolve(_archive("."), AMD64, tmp_path)
