"""The names in ``<root>/releases``: of releases, and of what an interrupted run has left. Rules alone, no I/O.

A name that is none of these belongs to somebody else and is left alone.
"""

from __future__ import annotations

import re
from typing import Final

from bundler.digest import Digest
from bundler.errors import IntegrityError, MachineError
from bundler.layout.manifest import Manifest
from bundler.site.writing import PARTIAL

REMOVED: Final = ".removed"
# Names and versions as bundle.yml may have them.
_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}-[A-Za-z0-9][A-Za-z0-9._+-]{0,63}-[0-9a-f]{12}")
_LEFT: Final = re.compile(rf"\.{_ID.pattern}\.[a-z0-9_]{{8}}({re.escape(PARTIAL)}|{re.escape(REMOVED)})")


def release_id(manifest: Manifest, digest: Digest) -> str:
    """The id of the release of the bundle with that manifest. Raises: IntegrityError for a name that no bundle has."""
    name = f"{manifest.top}-{digest.short}"
    if not is_release(name):
        raise IntegrityError(
            f"manifest.json: expected a name and version of letters, digits and ._+-, found {manifest.top[:140]!r}",
            hint="`llm-bundle build` makes no such bundle: ask where it comes from.",
        )
    return name


def is_release(name: str) -> bool:
    """Whether ``name`` is that of a release's folder."""
    return _ID.fullmatch(name) is not None


def is_leftover(name: str) -> bool:
    """Whether a run of ours that was killed left a folder of that ``name``."""
    return _LEFT.fullmatch(name) is not None


def require_release(name: str) -> None:
    """Raises: MachineError unless ``name`` can be that of a release's folder."""
    if not is_release(name):
        raise MachineError(f"{name[:200]!r} is not the name of a release", hint="`llm-bundle status` lists them.")
