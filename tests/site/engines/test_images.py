"""Images loaded into real engines: nothing but the bundle's own bytes, under a name of ours."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.errors import EngineError, IntegrityError, MachineError
from bundler.progress import SILENT
from bundler.site.engines import archive
from bundler.site.engines.containerd import Containerd
from bundler.site.engines.docker import Docker
from bundler.site.engines.interface import Engine
from bundler.site.engines.podman import Podman
from bundler.site.engines.stored import StoredImage, read_image
from tests.counterparts.images import Image, make_image, make_layer, write_layout
from tests.counterparts.need import need

NAME = "docker.io/vllm/small:v1"
SMALL = make_image([{"etc/one": b"1" * 3000}, {"etc/two": b"2"}], says={"Entrypoint": ["/one"], "User": "101"})


def stored(folder: Path, image: Image = SMALL) -> StoredImage:
    write_layout(folder, {NAME: image})
    return read_image(folder, NAME, Digest.parse(image.digest))


@pytest.fixture
def image(tmp_path: Path, shared_engine: Engine) -> Iterator[StoredImage]:
    found = stored(tmp_path / "images")
    yield found
    shared_engine.remove_image(found.tag)


def test_info(shared_engine: Engine) -> None:
    info = shared_engine.info()
    assert info.kind in ("docker", "podman")
    assert info.version[0].isdigit()
    assert Path(info.root).is_dir()
    assert info.storage_driver
    assert not info.rootless


def test_load_and_remove(shared_engine: Engine, image: StoredImage) -> None:
    assert not shared_engine.has(image)
    assert shared_engine.load(image) in image.ids
    assert shared_engine.has(image)
    assert shared_engine.load(image) in image.ids
    assert shared_engine.remove_image(image.tag)
    assert not shared_engine.remove_image(image.tag)
    assert not shared_engine.has(image)


def test_names_that_the_site_uses_are_left_alone(shared_engine: Engine, image: StoredImage) -> None:
    assert image.tag == f"localhost/llm-bundle/small:{image.digest.short}"
    shared_engine.load(image)
    assert names(shared_engine) == {image.tag}


def names(engine: Engine) -> set[str]:
    """The names of all images that are called ``small``."""
    if isinstance(engine, Docker):
        found = engine._api.get("/images/json", "listing")
        every = [name for one in found for name in one["RepoTags"] or []]
    else:
        assert isinstance(engine, Podman)
        asked = [*engine._program.command, "images", "--format={{.Repository}}:{{.Tag}}"]
        every = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()
    return {name for name in every if "small" in name or "loading" in name}


def test_a_damaged_layer_is_refused(shared_engine: Engine, image: StoredImage) -> None:
    other = make_layer({"etc/one": b"X" * 3000}).data
    blob = image.layers[0]
    image.path(blob).write_bytes(
        other + bytes(blob.size - len(other)) if len(other) < blob.size else other[: blob.size]
    )
    with pytest.raises(EngineError, match=r"loading docker\.io/vllm/small:v1: "):
        shared_engine.load(image)
    assert not shared_engine.has(image)


def test_a_layer_that_is_cut_while_it_is_sent(docker_socket: Path, tmp_path: Path) -> None:
    image = stored(tmp_path / "images")
    with image.path(image.layers[0]).open("r+b") as file:
        file.truncate(20)
    with pytest.raises(IntegrityError, match=r"ended [0-9]+ bytes early"):
        Docker(docker_socket).load(image)
    assert not Docker(docker_socket).has(image)


def test_zstd(shared_engine: Engine, tmp_path: Path) -> None:
    image = stored(tmp_path / "zstd", make_image([make_layer({"etc/zstd": b"z" * 9000}, packing="zstd")]))
    if isinstance(shared_engine, Docker) and int(shared_engine.info().version.split(".")[0]) < 23:
        with pytest.raises(EngineError, match="reads no zstd layers") as caught:
            shared_engine.load(image)
        assert "Docker 23.0 or newer, or use Podman" in caught.value.hint
    else:
        assert shared_engine.load(image) in image.ids
        shared_engine.remove_image(image.tag)


def test_the_stream_is_as_long_as_it_says(tmp_path: Path) -> None:
    image = stored(tmp_path)
    assert sum(map(len, archive.stream(image, SILENT))) == archive.length(image)


def test_what_an_image_says_of_itself(tmp_path: Path) -> None:
    image = stored(tmp_path)
    assert (image.entrypoint, image.user) == (("/one",), "101")
    assert image.size == image.config.size + sum(layer.size for layer in image.layers)


@pytest.mark.parametrize("part", ["manifest", "config"])
def test_a_changed_document_is_refused(tmp_path: Path, part: str) -> None:
    image = stored(tmp_path)
    path = image.path(getattr(image, part))
    path.write_bytes(path.read_bytes().replace(b"101", b"000") + b" ")
    with pytest.raises(IntegrityError, match=f"{path.name}: expected content of sha256:"):
        read_image(tmp_path, NAME, image.digest)


def test_a_missing_layer_and_a_link_are_refused(tmp_path: Path) -> None:
    image = stored(tmp_path)
    path = image.path(image.layers[1])
    shutil.move(path, tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match="is missing"):
        read_image(tmp_path, NAME, image.digest)
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match="expected a file of"):
        read_image(tmp_path, NAME, image.digest)


def test_containerd(docker_socket: Path, tmp_path: Path) -> None:
    ctr = need("ctr", "containerd")
    sockets = [*docker_socket.parent.glob("exec/containerd/containerd.sock"), Path("/run/containerd/containerd.sock")]
    command = (ctr, f"--address={next(path for path in sockets if path.exists())}")
    engine = Containerd("llm-bundle-test", command)
    image = stored(tmp_path / "images")
    try:
        assert engine.info().version[0].isdigit()
        assert not engine.has(image)
        assert engine.load(image) == str(image.digest)
        assert engine.has(image)
    finally:
        assert engine.remove_image(image.tag)
    assert not engine.remove_image(image.tag)
    # Another image: containerd collects the blobs of a removed one later.
    image = stored(tmp_path / "other", make_image([{"etc/three": b"3" * 500}]))
    image.path(image.layers[0]).write_bytes(b"x" * image.layers[0].size)
    with pytest.raises(EngineError, match=r"containerd: loading docker\.io/vllm/small:v1"):
        engine.load(image)


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(MachineError, match="Podman: the program is not there"):
        Podman(("no-such-podman",)).info()
    with pytest.raises(MachineError, match="containerd: the program is not there"):
        Containerd(command=("no-such-ctr",)).info()
