"""What a verification found, as values: the same for a tar, volumes and an unpacked folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bundler.digest import Digest
from bundler.layout.manifest import Manifest
from bundler.layout.member import SIGNATURE
from bundler.trust.keys import KeyName
from bundler.trust.signature import SignatureRefused, State


@dataclass(frozen=True, slots=True)
class Damage:
    """A member that is not as promised: its path, the volume it lies in (None outside volumes), a sentence."""

    path: str
    volume: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome. ``members`` and ``bytes`` count what is good; ``manifest`` is None when it is damaged.

    ``refused``: keys were given and none of them made the signature; nothing else was looked at then.
    """

    members: int
    bytes: int
    signature: State
    damaged: tuple[Damage, ...]
    manifest: Manifest | None = None
    manifest_digest: Digest | None = None
    signed_by: KeyName | None = None
    refused: bool = False

    @property
    def ok(self) -> bool:
        """Whether everything is as promised."""
        return not self.damaged

    def with_damage(self, whole: Iterable[Damage], parts: Iterable[Damage]) -> Report:
        """This report with the damage of the bundle as a whole first, then that of its members by path."""
        rows = (*whole, *sorted((*self.damaged, *parts), key=_by_place))
        return replace(self, damaged=tuple(dict.fromkeys(rows)))


def refusal(error: SignatureRefused) -> Report:
    """The report on a bundle that was not read any further."""
    return Report(0, 0, error.state, (Damage(SIGNATURE, None, error.reason),), refused=True)


def _by_place(damage: Damage) -> tuple[str, str, str]:
    return damage.path, damage.volume or "", damage.reason
