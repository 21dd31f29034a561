"""What the GPU host has to collect: as inputs of a package policy, and as settings for files without Fleet.

Rules: of the package's streams those are on whose source the host has; what is not named keeps the package's default.
Metrics are read on the port that ``llm-bundle install --monitor-port`` opened, since vLLM itself is not published;
without that port there are none. The bundle's proxy runs in a container and writes UTC, whatever the host's zone is.
Source of the form: Fleet's simplified inputs, ``<policy template>-<input>`` → streams by dataset → vars by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, Literal

from kibana_assets.errors import UsageError

Json = dict[str, Any]
ROOT: Final = PurePosixPath("/var/lib/llm-bundle")
FILES: Final = "local_llm-filestream"
METRICS: Final = "local_llm-prometheus/metrics"
_LOGS: Final = ("proxy_access", "proxy_error", "audit", "vllm", "lmstudio")
_ZONE: Final = re.compile(
    r"local|UTC|[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,31}){1,2}|[+-]\d\d:\d\d", re.ASCII
)
_PATH: Final = re.compile(r"/[^\x00-\x1f\x7f*?\[\]{}\\]{0,1000}")
Engine = Literal["vllm", "lmstudio"]


@dataclass(frozen=True, slots=True)
class Host:
    """The host: where llm-bundle is installed, what serves, where metrics are, in which zones logs are written.

    ``proxy``: whether the bundle's proxy is in front, which writes logs.
    """

    engine: Engine = "vllm"
    root: PurePosixPath = ROOT
    monitor_port: int | None = None
    time_zone: str = "local"
    proxy_time_zone: str = "UTC"
    proxy: bool = True

    def __post_init__(self) -> None:
        """Raises: UsageError for what no agent could use."""
        if not _PATH.fullmatch(str(self.root)):
            hint = f"The folder that `llm-bundle install` was given, as {ROOT}."
            raise UsageError(
                f"--host-root: expected a whole path without wildcards, found {str(self.root)[:80]!r}", hint=hint
            )
        for option, zone in (("--time-zone", self.time_zone), ("--proxy-time-zone", self.proxy_time_zone)):
            if not _ZONE.fullmatch(zone):
                hint = "local (the agent's), UTC, a name as Europe/Berlin, or an offset as +02:00."
                raise UsageError(f"{option}: expected a time zone, found {zone[:40]!r}", hint=hint)
        if self.monitor_port is not None and not 0 < self.monitor_port < 65536:
            raise UsageError(
                "--monitor-port: expected a port from 1 to 65535", hint="As given to `llm-bundle install`."
            )

    @property
    def reads_metrics(self) -> bool:
        """Whether there is something to read: LM Studio has no metrics."""
        return self.engine == "vllm" and self.monitor_port is not None

    def settings(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Stream → variable → its values, of the streams that are on."""
        made: dict[str, dict[str, tuple[str, ...]]] = {}
        if self.proxy:
            made["proxy_access"] = {"paths": (f"{self.root}/logs/access.json.log*",)}
            made["proxy_error"] = {
                "paths": (f"{self.root}/logs/error.log*",),
                "tz_offset": (self.proxy_time_zone,),
            }
        made["audit"] = {"paths": (f"{self.root}/audit.log*",)}
        made[self.engine] = {"tz_offset": (self.time_zone,)}
        if self.reads_metrics:
            made["vllm_metrics"] = {
                "hosts": (f"http://127.0.0.1:{self.monitor_port}",),
                "metrics_path": ("/metrics",),
            }
        return made

    def inputs(self) -> Json:
        """The inputs of the package policy."""
        on = {stream: _on(variables) for stream, variables in self.settings().items()}
        return {
            FILES: {"enabled": True, "streams": {f"local_llm.{name}": on.get(name, _OFF) for name in _LOGS}},
            METRICS: {
                "enabled": self.reads_metrics,
                "streams": {"local_llm.vllm_metrics": on.get("vllm_metrics", _OFF)},
            },
        }


_OFF: Final[Json] = {"enabled": False}
_LISTS: Final = ("paths", "hosts")


def _on(variables: Mapping[str, tuple[str, ...]]) -> Json:
    found = {name: list(values) if name in _LISTS else values[0] for name, values in variables.items()}
    return {"enabled": True, "vars": found}
