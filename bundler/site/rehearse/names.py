"""How what a rehearsal makes is called: after digits of its own, never those of the bundle.

So the same bundle may serve on this machine meanwhile, and what a killed rehearsal left is told from what serves. The
digits take the place of the release's, and have as many characters. No I/O.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from typing import Final

from bundler.site.state import EngineKind, Release
from bundler.spec.upstream import MOST_REPLICAS

_DIGITS: Final = "[0-9a-f]{6}-trial"
_NETWORK: Final = re.compile(rf"llm-bundle-({_DIGITS})(?:-front)?")
_FOLDER: Final = re.compile(rf"\.llm-bundle-rehearsal-(docker|podman)-({_DIGITS})")


def new_digits() -> str:
    """Digits that nothing bears yet."""
    return f"{secrets.token_hex(3)}-trial"


def under(digits: str, release: Release) -> Release:
    """``release`` as the parts are to see it: they take their names from the digits of its manifest."""
    return replace(release, manifest=f"sha256:{digits}")


def folder_name(kind: EngineKind, digits: str) -> str:
    """The folder of a rehearsal with this engine."""
    return f".llm-bundle-rehearsal-{kind}-{digits}"


def of_folder(name: str) -> tuple[EngineKind, str] | None:
    """Engine and digits of a rehearsal's folder; None for any other."""
    found = _FOLDER.fullmatch(name)
    if found is None:
        return None
    return ("docker" if found[1] == "docker" else "podman"), found[2]


def of_network(name: str) -> str | None:
    """The digits of a rehearsal's network; None for any other."""
    found = _NETWORK.fullmatch(name)
    return found[1] if found else None


def probe_name(digits: str) -> str:
    """The container that looks for a way out."""
    return f"llm-probe-{digits}"


def single(digits: str) -> tuple[str, ...]:
    """The containers of which there is one at most."""
    return probe_name(digits), f"llm-proxy-{digits}-check", f"llm-proxy-{digits}"


def engines(digits: str) -> tuple[str, ...]:
    """The containers of engines, as many as there can be."""
    return tuple(f"llm-engine-{digits}-{number}" for number in range(1, MOST_REPLICAS + 1))


def networks(digits: str) -> tuple[str, ...]:
    """The network with ports, and the private one last: it shows that there is something left."""
    return f"llm-bundle-{digits}-front", f"llm-bundle-{digits}"
