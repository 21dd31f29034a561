"""What the GPU host has to collect, as inputs of a package policy.

Rules: of the package's streams those are on whose source the host has; what is not named keeps the package's default.
Metrics are read on the port that ``llm-bundle install --monitor-port`` opened, since vLLM itself is not published;
without that port there are none. The bundle's proxy runs in a container and writes UTC, whatever the host's zone is.
Source of the form: Fleet's simplified inputs, ``<policy template>-<input>`` → streams by dataset → vars by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, Literal

from kibana_assets.errors import UsageError

Json = dict[str, Any]
ROOT: Final = PurePosixPath("/var/lib/llm-bundle")
FILES: Final = "local_llm-filestream"
METRICS: Final = "local_llm-prometheus/metrics"
_ZONE: Final = re.compile(
    r"local|UTC|[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,31}){1,2}|[+-]\d\d:\d\d", re.ASCII
)
_PATH: Final = re.compile(r"/[^\x00-\x1f\x7f*?\[\]{}\\]{0,1000}")
Engine = Literal["vllm", "lmstudio"]


@dataclass(frozen=True, slots=True)
class Host:
    """The host: where llm-bundle is installed, what serves, where metrics are, in which zones logs are written."""

    engine: Engine = "vllm"
    root: PurePosixPath = ROOT
    monitor_port: int | None = None
    time_zone: str = "local"
    proxy_time_zone: str = "UTC"

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

    def inputs(self) -> Json:
        """The inputs of the package policy."""
        files = {
            "proxy_access": _on(paths=[f"{self.root}/logs/access.json.log*"]),
            "proxy_error": _on(paths=[f"{self.root}/logs/error.log*"], tz_offset=self.proxy_time_zone),
            "audit": _on(paths=[f"{self.root}/audit.log*"]),
            "vllm": _on(tz_offset=self.time_zone) if self.engine == "vllm" else _OFF,
            "lmstudio": _on(tz_offset=self.time_zone) if self.engine == "lmstudio" else _OFF,
        }
        metrics = _on(hosts=[f"http://127.0.0.1:{self.monitor_port}"], metrics_path="/metrics")
        return {
            FILES: {"enabled": True, "streams": {f"local_llm.{name}": one for name, one in files.items()}},
            METRICS: {
                "enabled": self.reads_metrics,
                "streams": {"local_llm.vllm_metrics": metrics if self.reads_metrics else _OFF},
            },
        }


_OFF: Final[Json] = {"enabled": False}


def _on(**variables: object) -> Json:
    return {"enabled": True, "vars": variables}
