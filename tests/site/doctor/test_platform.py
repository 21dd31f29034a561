"""A bundle for another processor is refused before anything is copied."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.layout.manifest import ImageEntry, Manifest
from bundler.site.doctor.interface import Wish
from bundler.site.doctor.platform import check_platform

D = Digest("0" * 64)


def wish(platform: str) -> Wish:
    images = (ImageEntry("engine", "x", platform, D, D, 1),)
    return Wish(Path(), manifest=Manifest("a", "1", platform, 0, "0", (), images))


@pytest.mark.parametrize(
    ("machine", "platform", "good"),
    [
        ("x86_64", "linux/amd64", True),
        ("x86_64", "linux/arm64", False),
        ("aarch64", "linux/arm64", True),
        ("aarch64", "linux/arm64/v8", True),
        ("aarch64", "linux/amd64", False),
        ("armv7l", "linux/arm/v7", True),
        ("aarch64", "linux/arm/v7", False),
        ("ppc64le", "linux/ppc64le", True),
        ("loongarch64", "linux/loong64", True),
    ],
)
def test_processors(monkeypatch: pytest.MonkeyPatch, machine: str, platform: str, good: bool) -> None:
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "host", "6.1", "#1", machine)))
    (row,) = check_platform(wish(platform))
    assert (row.check, row.state, row.expected) == ("platform", "ok" if good else "block", platform)
    assert machine in row.found
    assert row.fix.startswith("Build the bundle for this host: platform: linux/") is not good


def test_without_images_any_processor_does() -> None:
    made = wish("linux/s390x")
    assert made.manifest
    assert list(check_platform(replace(made, manifest=replace(made.manifest, images=())))) == []
    assert list(check_platform(Wish(Path()))) == []
