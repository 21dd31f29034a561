"""Plans made in a test: members in memory, and members that come from a folder or a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bundler.digest import Digest
from bundler.layout.manifest import Manifest
from bundler.layout.member import Member, ordered
from bundler.pack.build import Built, Options, build
from bundler.pack.plan import Ingredient, Plan, inline, make_plan
from bundler.sources.interface import LocalRange, Origin, Reader
from bundler.sources.local import LocalSource

CREATED = 1_700_000_000


class Anywhere:
    """A source for plans without origins, and for those in files."""

    def open(self, origin: Origin, offset: int) -> Reader:
        return LocalSource().open(origin, offset)


def plan_of(ingredients: Sequence[Ingredient], *, name: str = "demo", version: str = "1.0") -> Plan:
    """The plan of a bundle with these ingredients, in whatever order they are given."""
    by_path = {item.member.path: item for item in ingredients}
    members = ordered(item.member for item in ingredients)
    manifest = Manifest(name, version, "linux/amd64", CREATED, "0.1.0", members)
    return make_plan(manifest, tuple(by_path[member.path] for member in members))


def ingredients_in(folder: Path, files: Mapping[str, bytes]) -> list[Ingredient]:
    """Model files written to ``folder`` and read from there."""
    folder.mkdir(parents=True, exist_ok=True)
    found = [inline("README.md", b"read me\n", "readme")]
    for number, (path, data) in enumerate(files.items()):
        place = folder / str(number)
        place.write_bytes(data)
        member = Member(f"models/{path}", len(data), Digest.of(data), "model")
        found.append(Ingredient(member, LocalRange(place, 0, len(data))))
    return found


def built_in(folder: Path, plan: Plan, *, volume_size: int | None = None, jobs: int = 2) -> Built:
    """Build ``plan`` into ``folder``."""
    return build(plan, Anywhere(), Options(folder, volume_size=volume_size, jobs=jobs, force=True))
