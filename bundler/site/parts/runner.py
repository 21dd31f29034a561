"""As whom containers run, and who on this host must own what they read and write.

Rules: nobody's number where that can be had; without root's rights on this host it is the user who installs, since
only root can give a file away.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from bundler.serving.container import NOBODY
from bundler.site.engines.interface import EngineInfo

ROOT: Final = "0:0"


@dataclass(frozen=True, slots=True)
class Runner:
    """``user`` is the one inside; ``uid`` and ``gid`` are the same one on this host."""

    user: str
    uid: int
    gid: int


def runner(info: EngineInfo, *, low_ports: bool = False) -> Runner:
    """Who runs containers of the engine ``info``; with ``low_ports`` one who may listen on the host's below 1024."""
    uid, gid = os.geteuid(), os.getegid()
    if info.rootless:
        return Runner(ROOT, uid, gid)
    if uid:
        return Runner(f"{uid}:{gid}", uid, gid)
    if low_ports:
        return Runner(ROOT, 0, 0)
    inside = NOBODY.partition(":")
    return Runner(NOBODY, int(inside[0]), int(inside[2]))
