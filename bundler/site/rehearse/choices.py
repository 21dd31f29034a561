"""What the user chose for a rehearsal, and what this machine has."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

from bundler.errors import MachineError, UsageError
from bundler.site.doctor.gpu import check_gpus
from bundler.site.doctor.interface import Wish
from bundler.site.place import DEFAULT
from bundler.site.state import EngineKind, Gpus, Settings
from bundler.spec.wording import holds_token, secret_option


@dataclass(frozen=True, slots=True)
class Choices:
    """``gpus`` None: all where there are any. ``start_period`` in seconds: how long the model may take to load.

    ``engine_args`` follow the bundle's own, for the rehearsal alone; ``outside`` are addresses with ports that the
    engine must not reach. Raises: UsageError, on creation, for an argument with a secret or a control character.
    """

    engine: EngineKind
    gpus: Gpus | None = None
    start_period: int = 1800
    engine_args: tuple[str, ...] = ()
    outside: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        for arg in self.engine_args:
            if secret_option(arg) or holds_token(arg):
                hint = "The rehearsal makes its own key, and the report shows the arguments."
                raise UsageError("--engine-arg: what stands there carries a secret", hint=hint)
            if not arg or not arg.isprintable():
                raise UsageError("--engine-arg: expected a text of one line, without control characters")

    def settings(self, gpus: Gpus) -> Settings:
        """As of an installation that this machine alone reaches, on a port that is free. Raises: MachineError."""
        return Settings(
            engine=self.engine,
            https_port=free_port(),
            http_port=None,
            addresses=("127.0.0.1",),
            monitors=(),
            gpus=gpus,
            start_period=self.start_period,
        )

    def document(self, gpus: Gpus) -> dict[str, Any]:
        """For the report."""
        return {
            "gpus": gpus,
            "start_period": self.start_period,
            "engine_args": list(self.engine_args),
            "outside": [f"{address}:{port}" for address, port in self.outside],
        }


def gpus_here() -> tuple[str, ...]:
    """The GPUs and their driver in doctor's words; none where it found none."""
    found = tuple(check_gpus(Wish(DEFAULT)))
    if not any(finding.check == "GPUs" and finding.state == "ok" for finding in found):
        return ()
    return tuple(f"{one.check}: {one.found}" for one in found if one.check in ("GPUs", "GPU driver"))


def free_port() -> int:
    """A port of the loopback that nobody listens on now. Raises: MachineError."""
    try:
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            port: int = holder.getsockname()[1]
            return port
    except OSError as error:
        raise MachineError(f"this machine gives no port of 127.0.0.1: {error.strerror}") from error
