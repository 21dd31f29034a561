"""What an unpacked release says that it is: the plans in its ``config/``. Read as hostile input."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bundler.disk import is_there, read_bounded
from bundler.errors import IntegrityError
from bundler.serving import lmstudio, plan, proxy_plan
from bundler.serving.lmstudio import LmStudioPlan
from bundler.serving.plan import ServePlan
from bundler.serving.proxy_plan import ProxyPlan

_HINT = "Verify the release (llm-bundle verify DIR), and unpack the bundle again."


@dataclass(frozen=True, slots=True)
class Contents:
    """The engine's plan, and the proxy's where there is one."""

    engine: ServePlan | LmStudioPlan
    proxy: ProxyPlan | None


def read_contents(folder: Path) -> Contents:
    """The plans in ``folder``. Raises: IntegrityError when none or two say what the engine is; MachineError."""
    serve, studio, proxy = folder / plan.PATH, folder / lmstudio.PATH, folder / proxy_plan.PATH
    found = [path for path in (serve, studio) if is_there(path)]
    if len(found) != 1:
        expected = f"one of {plan.PATH} and {lmstudio.PATH}"
        raise IntegrityError(f"{folder}: expected {expected}, found {'both' if found else 'neither'}", hint=_HINT)
    engine: ServePlan | LmStudioPlan
    if found == [serve]:
        engine = plan.decode(read_bounded(serve, plan.MAX_BYTES), where=str(serve))
    else:
        engine = lmstudio.decode(read_bounded(studio, lmstudio.MAX_BYTES), where=str(studio))
    if not is_there(proxy):
        return Contents(engine, None)
    return Contents(engine, proxy_plan.decode(read_bounded(proxy, proxy_plan.MAX_BYTES), where=str(proxy)))
