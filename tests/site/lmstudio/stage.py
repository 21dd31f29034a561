"""A site with LM Studio on it, and releases with a small model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bundler.digest import Digest
from bundler.serving.lmstudio import LmStudioPlan, ModelFile
from bundler.site.parts.lmstudio import LmStudioPart
from bundler.site.place import Place
from bundler.site.state import Settings
from tests.counterparts.lms import LmStudio

MODEL = "example/Tiny-Instruct-GGUF"
FIRST, SECOND, EYES = "tiny-00001-of-00002.gguf", "tiny-00002-of-00002.gguf", "mmproj-tiny.gguf"
BYTES = {FIRST: b"GGUF first", SECOND: b"GGUF second part", EYES: b"GGUF eyes"}


def plan_of(contents: dict[str, bytes], port: int, folder: str = "example/Tiny-0123456789ab") -> LmStudioPlan:
    """A plan for ``contents`` (name → bytes)."""
    files = tuple(ModelFile(f"models/{MODEL}/{name}", len(data), Digest.of(data)) for name, data in contents.items())
    return LmStudioPlan(MODEL, folder, files[0].name, files, 64_000, port=port)


@dataclass(frozen=True, slots=True)
class Site:
    """The installation's place and its LM Studio."""

    place: Place
    lmstudio: LmStudio
    port: int

    def part(
        self,
        digits: str = "0123456789ab",
        contents: dict[str, bytes] | None = None,
        *,
        folder: str = "example/Tiny-0123456789ab",
        settings: Settings | None = None,
    ) -> LmStudioPart:
        """The part of a release that lies unpacked."""
        contents = BYTES if contents is None else contents
        release = self.place.release(f"demo-1.0-{digits}")
        for name, data in contents.items():
            path = release / "models" / MODEL / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        chosen = settings or Settings(lms=str(self.lmstudio.program))
        return LmStudioPart(self.place, release, plan_of(contents, self.port, folder), chosen)

    def models(self, names: Iterable[str], folder: str = "example/Tiny-0123456789ab") -> list[str]:
        """The paths of ``names`` as they are listed below the models folder."""
        return sorted(f"{folder}/{name}" for name in names)
