"""File systems of every kind, made and mounted for a test; needs root, else a loud skip."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.counterparts.need import need

_MAKERS = {
    "vfat": ("mkfs.vfat", "dosfstools", []),
    "xfs": ("mkfs.xfs", "xfsprogs", ["-q"]),
    "ext4": ("mkfs.ext4", "e2fsprogs", ["-q"]),
    "btrfs": ("mkfs.btrfs", "btrfs-progs", ["-q"]),
}


@contextmanager
def mounted(kind: str, place: Path, *, size: int, options: str = "") -> Iterator[Path]:
    """A new file system of ``size`` bytes at ``place``: tmpfs, vfat, xfs, ext4 or btrfs (in a sparse file)."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", "-q", kind], check=False, capture_output=True)
    if f"\t{kind}\n" not in Path("/proc/filesystems").read_text():
        pytest.skip(f"this kernel cannot mount {kind}, and no package changes that")
    place.mkdir(parents=True)
    if kind == "tmpfs":
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
    else:
        image = place.with_suffix(".img")
        with image.open("wb") as file:
            file.truncate(size)
        program, package, arguments = _MAKERS[kind]
        subprocess.run([need(program, package), *arguments, str(image)], check=True, capture_output=True)
        command = ["mount", "-o", f"loop{options and ',' + options}", str(image), str(place)]
    subprocess.run(command, check=True, capture_output=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True, capture_output=True)
