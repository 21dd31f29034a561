"""What a check takes and gives.

A check looks at the machine and never changes it. It yields a finding for whatever a person would want to know, also
when all is well: the table says what was looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from bundler.errors import BundleError
from bundler.layout.manifest import Manifest
from bundler.site.engines.interface import EngineInfo

State = Literal["ok", "warn", "block"]

Engines: TypeAlias = "tuple[tuple[EngineInfo | None, BundleError | None], ...]"
"""Each engine's own word, or why it gives none."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it stands, what was found and expected, and what to do (empty when ``ok``)."""

    check: str
    state: State
    found: str
    expected: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be installed where. Sizes in bytes; ``image_config`` is the engine image's own configuration.

    The proxy listens on ``ports`` of ``addresses``, of all where none is named; ``own_ports`` are those of the release
    that serves now. ``engine`` is the container engine that was chosen, None for whichever answers; ``engines`` what
    they said, None where they have not been asked yet. ``lms`` and ``lmstudio_user`` are LM Studio's command and user,
    as in the settings.
    """

    root: Path
    manifest: Manifest | None = None
    bundle: Path | None = None
    server_name: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    ports: tuple[int, ...] = (443,)
    addresses: tuple[str, ...] = ()
    own_ports: frozenset[int] = frozenset()
    image_config: Mapping[str, object] = field(default_factory=dict)
    gpu_bytes: int = 0
    gpus: int = 1
    engine: str | None = None
    engines: Engines | None = None
    lms: str = "lms"
    lmstudio_user: str | None = None


Check: TypeAlias = "Callable[[Wish], Iterable[Finding]]"
