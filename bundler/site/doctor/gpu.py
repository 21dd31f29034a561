"""GPUs: how many there are, whether they hold the model, and whether their driver runs the image's CUDA.

Sources: `nvidia-smi --help-query-gpu`; CUDA's table of minor version compatibility
(https://docs.nvidia.com/deploy/cuda-compatibility/), by which a driver runs every minor version of its CUDA.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bundler.disk import size_text
from bundler.site.doctor.interface import Finding, Wish
from bundler.site.doctor.program import ask

_QUERY: Final = ("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits")
_OLDEST_DRIVER: Final = {11: (450, 80), 12: (525, 60), 13: (580, 65)}
_CDI: Final = (Path("/etc/cdi"), Path("/var/run/cdi"))


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as nvidia-smi lists it; ``memory`` in bytes."""

    name: str
    memory: int
    driver: tuple[int, int]


def check_gpus(wish: Wish) -> Iterator[Finding]:
    """The GPUs and their driver against the model and the engine's image."""
    if wish.gpus == 0:
        yield Finding("GPUs", "ok", "none wanted")
        return
    answer = ask(*_QUERY)
    if answer is None or answer.code != 0:
        found = "no nvidia-smi" if answer is None else (answer.output.strip() or "nvidia-smi did not answer")[:200]
        fix = "Install NVIDIA's driver, and reboot; for a try on the CPU, a vLLM image for CPUs, and --gpus none."
        expected = f"{wish.gpus} NVIDIA GPU{'s' if wish.gpus > 1 else ''}"
        yield Finding("GPUs", "block" if wish.gpu_bytes else "warn", found, expected, fix)
        return
    gpus = parse(answer.output)
    yield _count(gpus, wish)
    yield from _memory(gpus, wish)
    yield from _driver(gpus, wish)
    # LM Studio runs in no container.
    if wish.manifest is None or any(image.role == "engine" for image in wish.manifest.images):
        yield _toolkit()


def parse(output: str) -> tuple[Gpu, ...]:
    """The lines of ``nvidia-smi --format=csv,noheader,nounits`` (MiB, ``570.86.15``); others are passed over."""
    rows = (re.fullmatch(r"\s*(.+?), (\d+), (\d+)\.(\d+)[\d.]*\s*", line) for line in output.splitlines()[:64])
    return tuple(Gpu(row[1], int(row[2]) << 20, (int(row[3]), int(row[4]))) for row in rows if row)


def cuda_version(wish: Wish) -> tuple[int, int] | None:
    """The CUDA that the engine's image was made with, by the environment that NVIDIA's base images set."""
    config = wish.image_config.get("config")
    env = config.get("Env") if isinstance(config, dict) else None
    for entry in env if isinstance(env, list) else ():
        match = re.fullmatch(r"CUDA_VERSION=(\d{1,3})\.(\d{1,3})[\d.]*", entry) if isinstance(entry, str) else None
        if match:
            return int(match[1]), int(match[2])
    return None


def _count(gpus: tuple[Gpu, ...], wish: Wish) -> Finding:
    names = ", ".join(f"{sum(g.name == name for g in gpus)} x {name}" for name in dict.fromkeys(g.name for g in gpus))
    if len(gpus) >= wish.gpus:
        return Finding("GPUs", "ok", names)
    fix = f"Let serve.gpus times serve.replicas in bundle.yml be {max(1, len(gpus))}, and build again; or add GPUs."
    return Finding("GPUs", "block", names or "none", f"at least {wish.gpus}", fix)


def _memory(gpus: tuple[Gpu, ...], wish: Wish) -> Iterator[Finding]:
    used = gpus[: wish.gpus]
    if not used or not wish.gpu_bytes:
        return
    total = sum(gpu.memory for gpu in used)
    expected = f"about {size_text(wish.gpu_bytes)} on {len(used)} of them"
    if total >= wish.gpu_bytes:
        yield Finding("GPU memory", "ok", size_text(total), expected)
    else:
        fix = "Use more GPUs (serve.gpus), fewer replicas, a shorter context (serve.context), or a quantised model."
        yield Finding("GPU memory", "block", size_text(total), expected, fix)


def _driver(gpus: tuple[Gpu, ...], wish: Wish) -> Iterator[Finding]:
    cuda = cuda_version(wish)
    if not gpus:
        return
    found = ".".join(map(str, gpus[0].driver))
    oldest = _OLDEST_DRIVER.get(cuda[0]) if cuda else None
    if cuda is None or oldest is None:
        yield Finding("GPU driver", "ok", found, "the image does not say which CUDA it was made with")
        return
    expected = f"{oldest[0]}.{oldest[1]} or newer, for the image's CUDA {cuda[0]}.{cuda[1]}"
    if gpus[0].driver >= oldest:
        yield Finding("GPU driver", "ok", found, expected)
    else:
        yield Finding("GPU driver", "block", found, expected, "Install a newer driver, or an image of an older vLLM.")


def _toolkit() -> Finding:
    """Either of the two ways by which a container gets at a GPU."""
    specs = [path for folder in _CDI if folder.is_dir() for path in folder.glob("nvidia*.*")]
    if specs:
        return Finding("GPUs in containers", "ok", f"CDI: {specs[0]}")
    answer = ask("nvidia-ctk", "--version")
    if answer and answer.code == 0:
        return Finding(
            "GPUs in containers", "ok", answer.output.splitlines()[0][:100] if answer.output else "nvidia-ctk"
        )
    fix = "Install the NVIDIA Container Toolkit; then: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"
    return Finding("GPUs in containers", "block", "neither CDI nor the NVIDIA Container Toolkit", "one of them", fix)
