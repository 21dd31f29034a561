"""The systemd unit that keeps LM Studio serving over a boot.

Rules: it is a oneshot that remains, for ``lms`` only talks to a daemon that goes on by itself; it runs as LM Studio's
user with that user's home, by which lms finds its files; it waits for no network, since there may be none. What is
loaded under our name from before is unloaded first, so that a start may be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass

from bundler.serving.lmstudio import LmStudioPlan, load_args, server_args
from bundler.serving.unit_text import argument, line, word


@dataclass(frozen=True, slots=True)
class UnitChoices:
    """What only the site knows: ``lms`` is the program's path; ``daemon``, ``bind``: its lms knows of them.

    ``load_seconds`` is how long the model may take to load.
    """

    user: str
    home: str
    lms: str
    gpu: bool = True
    daemon: bool = True
    bind: bool = True
    load_seconds: int = 1800


def unit(plan: LmStudioPlan, choices: UnitChoices) -> str:
    """The text of the unit."""
    down = ("daemon", "down") if choices.daemon else ("server", "stop")
    unload = ("unload", plan.identifier)
    rows = [
        "[Unit]",
        f"Description=LM Studio serves {line(plan.identifier)}",
        "",
        "[Service]",
        "Type=oneshot",
        "RemainAfterExit=yes",
        f"User={line(choices.user)}",
        f"Environment={word(f'HOME={choices.home}')}",
        f"WorkingDirectory={line(choices.home)}",
        *([f"ExecStartPre={_command(choices, 'daemon', 'up')}"] if choices.daemon else []),
        f"ExecStartPre=-{_command(choices, *unload)}",
        f"ExecStartPre={_command(choices, *load_args(plan, gpu=choices.gpu))}",
        f"ExecStart={_command(choices, *server_args(plan, bind=choices.bind))}",
        f"ExecStop=-{_command(choices, *unload)}",
        f"ExecStop={_command(choices, *down)}",
        f"TimeoutStartSec={choices.load_seconds + 120}",
        "TimeoutStopSec=120",
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "".join(f"{row}\n" for row in rows)


def _command(choices: UnitChoices, *args: str) -> str:
    # In the program's own path systemd puts no variable.
    return " ".join((word(choices.lms), *map(argument, args)))
