"""GPUs, by an nvidia-smi that answers as the real one does."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.site.doctor import gpu
from bundler.site.doctor.interface import Finding, Wish

GB = 10**9
H200 = "NVIDIA H200, 143771, 570.86.15"
A100 = "NVIDIA A100-SXM4-80GB, 81920, 470.57.02"
CUDA_12_8 = {"config": {"Env": ["PATH=/usr/bin", "CUDA_VERSION=12.8.1"]}}


def machine(folder: Path, monkeypatch: pytest.MonkeyPatch, *, smi: str | None, toolkit: bool = True) -> None:
    """A PATH with the programs of a GPU host; ``smi`` is a shell script's body."""
    programs = {
        "nvidia-smi": smi,
        "nvidia-ctk": "echo 'NVIDIA Container Toolkit CLI version 1.17.4'" if toolkit else None,
    }
    for name, body in programs.items():
        if body is not None:
            (folder / name).write_text(f"#!/bin/sh\n{body}\n")
            (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin")
    monkeypatch.setattr(gpu, "_CDI", (folder / "cdi",))


def found(wish: Wish) -> dict[str, Finding]:
    return {finding.check: finding for finding in gpu.check_gpus(wish)}


def test_all_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(tmp_path, monkeypatch, smi=f"echo '{H200}'; echo '{H200}'")
    rows = found(Wish(tmp_path, gpus=2, gpu_bytes=200 * GB, image_config=CUDA_12_8))
    assert {name: row.state for name, row in rows.items()} == {
        "GPUs": "ok",
        "GPU memory": "ok",
        "GPU driver": "ok",
        "GPUs in containers": "ok",
    }
    assert rows["GPUs"].found == "2 x NVIDIA H200"


@pytest.mark.parametrize(
    ("smi", "wish", "check", "words"),
    [
        (None, Wish(Path(), gpu_bytes=1), "GPUs", "no nvidia-smi"),
        ("echo 'NVIDIA-SMI has failed'; exit 9", Wish(Path(), gpu_bytes=1), "GPUs", "has failed"),
        ("echo 'No devices were found'", Wish(Path(), gpu_bytes=1), "GPUs", "none"),
        (f"echo '{H200}'", Wish(Path(), gpus=2), "GPUs", "1 x NVIDIA H200"),
        (f"echo '{H200}'", Wish(Path(), gpu_bytes=200 * GB), "GPU memory", "150.8 GB"),
        (f"echo '{A100}'", Wish(Path(), image_config=CUDA_12_8), "GPU driver", "470.57"),
    ],
)
def test_what_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, smi: str | None, wish: Wish, check: str, words: str
) -> None:
    machine(tmp_path, monkeypatch, smi=smi)
    row = found(wish)[check]
    assert (row.state, words in row.found) == ("block", True)
    assert row.fix
    assert row.expected


def test_a_toolkit_or_cdi_is_a_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(tmp_path, monkeypatch, smi=f"echo '{H200}'", toolkit=False)
    assert found(Wish(tmp_path))["GPUs in containers"].state == "block"
    (tmp_path / "cdi").mkdir()
    (tmp_path / "cdi" / "nvidia.yaml").touch()
    assert found(Wish(tmp_path))["GPUs in containers"].state == "ok"


@pytest.mark.parametrize("env", [None, "CUDA_VERSION=12.8", [7], ["CUDA_VERSION=x"], ["NVIDIA=1"]])
def test_an_image_that_does_not_say(env: object) -> None:
    assert gpu.cuda_version(Wish(Path(), image_config={"config": {"Env": env}})) is None
    assert gpu.cuda_version(Wish(Path(), image_config={"config": env})) is None


def test_where_none_is_wanted_none_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(tmp_path, monkeypatch, smi=f"echo '{A100}'", toolkit=False)
    assert {name: row.state for name, row in found(Wish(tmp_path, gpus=0, image_config=CUDA_12_8)).items()} == {
        "GPUs": "ok"
    }
