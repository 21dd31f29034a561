"""A bundle around the test images, an engine that is there, and a look at what is left in both."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bundler.digest import Digest
from bundler.layout.member import Member
from bundler.pack.plan import Ingredient, inline
from bundler.progress import SILENT
from bundler.site.engines.docker import Docker
from bundler.site.engines.interface import Engine
from bundler.site.engines.podman import Podman
from bundler.site.engines.stored import StoredImage, read_image
from bundler.site.place import Place
from bundler.site.rehearse.choices import Choices
from bundler.site.rehearse.rehearse import rehearse
from bundler.site.rehearse.report import Check, Rehearsal
from bundler.site.state import EngineKind
from bundler.sources.interface import LocalRange
from tests.counterparts.engine_image import engine_image
from tests.counterparts.proxy_image import proxy_image
from tests.pack.plans import built_in, plan_of
from tests.site.parts.stage import ENGINE_IMAGE, PROXY_IMAGE, add_release

Images = tuple[StoredImage, ...]

_ROLES = {"config": "config", "images": "image", "models": "model"}


def make_bundle(folder: Path, *, proxy: bool = True, **plan: Any) -> Path:
    """The bundle tiny-1.0 in a folder of its own; ``plan`` changes how its engine is started."""
    place = Place(folder / "sources")
    release = add_release(place, "0" * 12, proxy=proxy, **plan)
    root = place.release(release.id)
    found = [inline("README.md", b"read me\n", "readme")]
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_file() and name != "manifest.json":
            size = path.stat().st_size
            member = Member(name, size, Digest.of(path.read_bytes()), _ROLES[name.partition("/")[0]])
            found.append(Ingredient(member, LocalRange(path, 0, size)))
    return built_in(folder / "bundle", plan_of(found, name="tiny")).bundle


def stored_images(folder: Path) -> Images:
    """Those of the bundle, in a release in ``folder``."""
    place = Place(folder)
    layout = place.release(add_release(place, "0" * 12).id) / "images"
    pairs = ((ENGINE_IMAGE, engine_image()), (PROXY_IMAGE, proxy_image()))
    return tuple(read_image(layout, name, Digest.parse(image.digest)) for name, image in pairs)


@dataclass(frozen=True, slots=True)
class Stage:
    """An engine, and a folder with two bundles in it: ``bundle`` and one without a proxy."""

    engine: Engine
    kind: EngineKind
    bundle: Path
    bare: Path
    environment: dict[str, str]

    def rehearse(self, *args: str, bundle: Path | None = None, **choices: Any) -> Rehearsal:
        """A rehearsal on the CPU; ``args`` are further ones of the engine."""
        chosen = Choices(self.kind, "none", 120, args, **choices)
        return rehearse(bundle or self.bundle, chosen, SILENT, engine_of=lambda kind: self.engine)

    def fill(self, images: Images) -> None:
        """Give the engine the images of the bundle, so that rehearsals need not load them."""
        for image in images:
            if not self.engine.has(image):
                self.engine.load(image)

    def empty(self, images: Images) -> None:
        """Take them away, with what killed runs of other tests left half made of them; a rehearsal brings them."""
        for image in images:
            if self.engine.has(image):
                self.ask("image", "rm", "--force", image.tag)

    def left(self) -> list[str]:
        """What there is of ours: containers, networks, images, folders."""
        listed = [
            *self.ask("ps", "--all", "--format={{.Names}}"),
            *self.ask("network", "ls", "--format={{.Name}}"),
            *self.ask("images", "--format={{.Repository}}"),
        ]
        ours = [name for name in listed if "llm-" in name]
        folders = [path.name for one in (self.bundle, self.bare) for path in one.parent.glob(".llm-bundle-*")]
        return sorted([*ours, *folders])

    def ask(self, *args: str) -> list[str]:
        """The words that the engine's program prints."""
        program = self.engine._program.command if isinstance(self.engine, Podman) else ("docker",)
        environment = {**os.environ, **self.environment}
        done = subprocess.run([*program, *args], capture_output=True, text=True, check=True, env=environment)
        return done.stdout.split()


def on_docker(socket: Path, bundles: tuple[Path, Path]) -> Stage:
    return Stage(Docker(socket), "docker", *bundles, {"DOCKER_HOST": f"unix://{socket}"})


def on_podman(command: tuple[str, ...], bundles: tuple[Path, Path], folder: Path) -> Stage:
    """The command line finds this very podman, with its options, in PATH."""
    shim = folder / "podman"
    shim.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    shim.chmod(0o755)
    return Stage(Podman(command), "podman", *bundles, {"PATH": f"{folder}:{os.environ['PATH']}"})


def rows(done: Rehearsal) -> dict[str, Check]:
    """The checks by name."""
    return {check.name: check for check in done.checks}


def text(done: Rehearsal) -> str:
    """The report as it is written."""
    return json.dumps(done.document())
