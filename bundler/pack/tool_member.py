"""llm-bundle.pex as a member: made here, and put into the bundle only when it is the one that the lock names."""

from __future__ import annotations

from typing import Final

from bundler.errors import LockError
from bundler.layout.member import Member
from bundler.lock.model import LockedTool
from bundler.pack.plan import Ingredient
from bundler.tool.site_tool import SiteTool, site_tool

PATH: Final = "llm-bundle.pex"
_SHOWN: Final = 4


def tool_member(locked: LockedTool) -> Ingredient:
    """The tool. Raises: LockError when this machine makes another than the lock names; MachineError."""
    made = site_tool()
    if made.digest != locked.digest or len(made.data) != locked.size:
        raise _other(made, locked)
    return Ingredient(Member(PATH, locked.size, locked.digest, "tool"), made.data)


def _other(made: SiteTool, locked: LockedTool) -> LockError:
    here = dict(made.versions)
    names = [name for name in sorted({*here, *locked.versions}) if here.get(name) != locked.versions.get(name)]
    rows = [f"{name} is {here.get(name, 'absent')} here, {locked.versions.get(name, 'absent')} there" for name in names]
    reason = "; ".join(rows[:_SHOWN]) + (f"; and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else "")
    wanted = " ".join(f"{name}=={locked.versions[name]}" for name in names if name in locked.versions)
    install = f"Install what the lock was made with: pip install {wanted}. Or make the lock anew"
    return LockError(
        f"bundle.lock: {PATH}: expected {locked.digest}, but this machine makes {made.digest}: "
        + (reason or "the versions are the same, so some file of them differs"),
        hint=f"{install if wanted else 'Make the lock anew'}: llm-bundle lock --update",
    )
