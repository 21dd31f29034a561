"""The bundle without our tool: coreutils, tar and openssl alone; skopeo and podman; the real safetensors library."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.counterparts.images import Image, digest_of
from tests.counterparts.need import need
from tests.counterparts.weights import tensors
from tests.end_to_end.conftest import Journey
from tests.end_to_end.stage import ENGINE_AMD64, HANDBOOK, MODEL, PROXY, TOP

# What Debian's coreutils, tar and openssl bring and README.md of a bundle uses. No shell: `sh` is dash's.
BARE = ("tar", "sha256sum", "cat", "openssl", "env")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PATH with nothing but these programs."""
    folder = tmp_path_factory.mktemp("bare")
    for name in BARE:
        (folder / name).symlink_to(need(name, "openssl" if name == "openssl" else "coreutils tar"))
    return folder


@dataclass(frozen=True, slots=True)
class Podman:
    """How podman is called: the program with its store, and its environment."""

    command: tuple[str, ...]
    environment: dict[str, str]

    def run(self, *arguments: str) -> str:
        line = [*self.command, *arguments]
        done = subprocess.run(line, env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


def bare_run(bare: Path, place: Path, *command: str, code: int = 0) -> str:
    """Run a program in an empty environment whose PATH is ``bare``."""
    line = ["/usr/bin/env", "-i", f"PATH={bare}", *command]
    done = subprocess.run(line, cwd=place, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def unpacked(bare: Path, journey: Journey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle as plain ``tar -xf`` unpacks it."""
    place = tmp_path_factory.mktemp("by-hand")
    bare_run(bare, place, "tar", "-xf", str(journey.bundle))
    return place / TOP


def test_tar_and_sha256sum_are_enough(bare: Path, unpacked: Path, journey: Journey) -> None:
    checked = bare_run(bare, unpacked, "sha256sum", "-c", "--strict", "SHA256SUMS").splitlines()
    files = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert {line.removesuffix(": OK") for line in checked} == files - {"SHA256SUMS"}
    assert all(line.endswith(": OK") for line in checked)
    assert (unpacked / "extra" / "handbook.txt").read_bytes() == HANDBOOK


def test_openssl_gives_the_digest_that_build_printed(bare: Path, unpacked: Path, journey: Journey) -> None:
    printed = bare_run(bare, unpacked, "openssl", "dgst", "-sha256", "-r", "manifest.json")
    assert printed.split()[0] == journey.runs["build"].json["manifest_sha256"]


def test_sha256sum_finds_a_flipped_bit(bare: Path, journey: Journey, tmp_path: Path) -> None:
    bare_run(bare, tmp_path, "tar", "-xf", str(journey.bundle))
    place = tmp_path / TOP / "extra" / "handbook.txt"
    place.write_bytes(bytes([HANDBOOK[0] ^ 1]) + HANDBOOK[1:])
    said = bare_run(bare, tmp_path / TOP, "sha256sum", "-c", "--quiet", "SHA256SUMS", code=1)
    assert said.splitlines() == ["extra/handbook.txt: FAILED"]


def test_our_unpacking_and_that_of_tar_are_the_same(unpacked: Path, journey: Journey) -> None:
    def seen(root: Path) -> dict[str, tuple[int, int, bytes]]:
        rows = ((path, path.stat()) for path in root.rglob("*") if path.is_file())
        return {str(path.relative_to(root)): (s.st_mode, int(s.st_mtime), path.read_bytes()) for path, s in rows}

    assert seen(unpacked) == seen(journey.root)


def test_the_weights_open_with_the_real_library(unpacked: Path) -> None:
    found = load_file(unpacked / "models" / MODEL / "consolidated.safetensors")
    wanted = tensors()
    assert found.keys() == wanted.keys()
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)


def names_of(root: Path) -> dict[str, str]:
    """Role → name, as images/index.json has them, in the order of the manifest."""
    index = json.loads((root / "images" / "index.json").read_bytes())
    names = [entry["annotations"]["org.opencontainers.image.ref.name"] for entry in index["manifests"]]
    return dict(zip(("engine", "proxy"), names, strict=True))


CASES = [pytest.param("engine", ENGINE_AMD64, id="engine"), pytest.param("proxy", PROXY, id="proxy")]


@pytest.mark.parametrize(("role", "source"), CASES)
def test_skopeo_reads_the_layout_by_name(unpacked: Path, tmp_path: Path, role: str, source: Image) -> None:
    skopeo = need("skopeo", "skopeo")
    reference = f"oci:{unpacked}/images:{names_of(unpacked)[role]}"
    raw = _json_of([skopeo, "inspect", "--raw", reference])
    assert _layers(raw) == _layers(json.loads(source.manifest))
    assert raw["config"]["digest"] == json.loads(source.manifest)["config"]["digest"]
    assert _json_of([skopeo, "inspect", reference])["Architecture"] == "amd64"
    subprocess.run(
        [skopeo, "--insecure-policy", "copy", "--preserve-digests", reference, f"dir:{tmp_path}/copy"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    copied = {digest_of(path.read_bytes()) for path in (tmp_path / "copy").iterdir()}
    assert set(source.blobs) <= copied


@pytest.fixture
def podman(tmp_path: Path) -> Iterator[Podman]:
    """Podman with a store of its own, which has to have a short name."""
    limits = tmp_path / "containers.conf"
    limits.write_text('[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n')
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CONTAINERS_CONF": str(limits)}
    with TemporaryDirectory(prefix="pod") as place:
        store = ["--root", f"{place}/root", "--runroot", f"{place}/run", "--storage-driver", "vfs"]
        yield Podman((need("podman", "podman"), *store), environment)


@pytest.mark.parametrize(("role", "source"), CASES)
def test_podman_pulls_from_the_layout(unpacked: Path, podman: Podman, role: str, source: Image) -> None:
    pulled = podman.run("pull", "--quiet", f"oci:{unpacked}/images:{names_of(unpacked)[role]}").strip()
    config = json.loads(source.manifest)["config"]["digest"]
    assert f"sha256:{pulled}" == config  # an image's id is its config's digest
    image = json.loads(podman.run("image", "inspect", pulled))[0]
    assert image["RootFS"]["Layers"] == json.loads(source.blobs[config])["rootfs"]["diff_ids"]


def test_the_volumes_own_sums_files_check_out(bare: Path, journey: Journey, tmp_path: Path) -> None:
    journey.desk.run("build", "--volume-size", "7MiB", "--output", str(tmp_path))
    sums = sorted(path.name for path in tmp_path.glob("*.sha256"))
    assert len(sums) == 3
    bare_run(bare, tmp_path, "sha256sum", "-c", *sums)
    volumes = [name.removesuffix(".sha256") for name in sums]
    joined = subprocess.run(["cat", *volumes], cwd=tmp_path, capture_output=True, check=True).stdout
    assert hashlib.sha256(joined).digest() == hashlib.sha256(journey.bundle.read_bytes()).digest()


def _json_of(command: Sequence[str]) -> Any:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _layers(manifest: dict[str, Any]) -> list[tuple[str, int]]:
    return [(layer["digest"], layer["size"]) for layer in manifest["layers"]]
