"""The host's processor against the one that the bundle's images were made for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from bundler.site.doctor.interface import Finding, Wish

# What the kernel calls a processor (uname -m) → what images call it (OCI image-spec, GOARCH).
_ARCHITECTURE: Final = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv8l": "arm",
    "armv7l": "arm",
    "i686": "386",
    "loongarch64": "loong64",
}


def check_platform(wish: Wish) -> Iterator[Finding]:
    """Images run only on their own kind of processor; a bundle without images runs anywhere."""
    if wish.manifest is None or not wish.manifest.images:
        return
    machine = os.uname().machine
    here = f"linux/{_ARCHITECTURE.get(machine, machine)}"
    wanted = wish.manifest.platform
    good = wanted == here or wanted.startswith(f"{here}/")
    fix = f"Build the bundle for this host: platform: {here} in bundle.yml."
    yield Finding("platform", "ok" if good else "block", f"{here} ({machine})", wanted, "" if good else fix)
