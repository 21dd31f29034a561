"""LM Studio, which the operator brings: is it here, in which version, and where would the model go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bundler.disk import guarded, size_text
from bundler.errors import BundleError
from bundler.serving.lmstudio import PATH
from bundler.site.doctor.host import existing
from bundler.site.doctor.interface import Finding, Wish
from bundler.site.engines.words import clean
from bundler.site.lmstudio.account import Account, account, models_folder
from bundler.site.lmstudio.lms import Lms, find_lms

_SECONDS: Final = 20.0
_EXPECTED: Final = "LM Studio or its headless llmster, started once"


def check_lmstudio(wish: Wish) -> Iterator[Finding]:
    """Only for a bundle that LM Studio serves."""
    if wish.manifest is None or all(member.path != PATH for member in wish.manifest.members):
        return
    try:
        who = account(wish.lmstudio_user)
        yield _version(find_lms(wish.lms, who))
        yield _models(wish, who)
    except BundleError as error:
        yield Finding("LM Studio", "block", error.message, _EXPECTED, error.hint)


def _version(lms: Lms) -> Finding:
    said = lms.ask(("version", "--json"), "asking for its version", seconds=_SECONDS)
    try:
        document = json.loads(said.out) if said.status == 0 else None
    except (ValueError, RecursionError):
        document = None
    version = document.get("version") if isinstance(document, dict) else None
    if not isinstance(version, str):
        found = f"{lms.program} does not say its version: {said.words[:100]}"
        return Finding("LM Studio", "warn", found, "a version", f"As {lms.who.name}: lms version --json")
    return Finding("LM Studio", "ok", f"lms {clean(version)[:40]}, as user {lms.who.name}")


def _models(wish: Wish, who: Account) -> Finding:
    """A hard link needs no room; a copy, on another disk, needs all of it once more."""
    folder = models_folder(who)
    with guarded(folder, "look at"):
        linked = existing(folder).stat().st_dev == existing(wish.root).stat().st_dev
    if linked:
        return Finding("LM Studio's models", "ok", f"{folder}, by hard links")
    found = f"{folder}, on another disk than {wish.root}"
    fix = f"The model ({size_text(_size(wish))}) will be copied. With --root on the same disk it is stored once."
    return Finding("LM Studio's models", "warn", found, "the same disk", fix)


def _size(wish: Wish) -> int:
    members = wish.manifest.members if wish.manifest else ()
    return sum(one.size for one in members if Path(one.path).suffix.lower() == ".gguf")
