"""What the tests of signatures share: keys by name, and what a verification with them ends in."""

from __future__ import annotations

from pathlib import Path

from bundler.layout.arrangement import Slot
from bundler.layout.member import MANIFEST, SUMS
from bundler.pack.plan import inline
from bundler.site.medium import find
from bundler.site.unpack import unpack
from bundler.site.verify import verify
from bundler.trust.keys import PublicKey
from tests.pack.plans import built_in, plan_of
from tests.site.bundles import MIB, small_bundle, small_plan
from tests.trust.stage import key_called

ALICE = key_called("alice")


def keys(*names: str) -> tuple[PublicKey, ...]:
    """The public keys of these names."""
    return tuple(key_called(name).public for name in names)


def state(target: Path, *names: str) -> tuple[str, bool]:
    """Signature and outcome of a verification with the keys of these names."""
    report = verify([target], keys=keys(*names))
    return report.signature, report.ok


def slots(folder: Path) -> dict[str, Slot]:
    """The members of the small bundle, unsigned, by path."""
    return {slot.member.path: slot for slot in small_plan(folder).arrangement.slots}


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def unpacked(folder: Path) -> Path:
    """The small bundle, unpacked."""
    with find([small_bundle(folder)]) as medium:
        root = unpack(medium, folder / "out").path
    assert root
    return root


def many_members(folder: Path) -> list[Path]:
    """Volumes of 1 MiB whose first border lies in the middle of what signing writes."""
    items = [inline(f"models/{number:05d}/{'x' * 90}", b"", "model") for number in range(6143)]
    plan = plan_of(items)
    found = {slot.member.path: slot for slot in plan.arrangement.slots}
    assert found[SUMS].end < MIB < found[MANIFEST].data, (found[SUMS], found[MANIFEST])
    return list(built_in(folder, plan, volume_size=MIB).volumes)
