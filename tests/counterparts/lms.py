"""A stand-in for LM Studio's command line and its server, with a user's home of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILES = ("lms_program.py", "lms_server.py")


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the arguments, who called, from where, with which environment."""

    argv: tuple[str, ...]
    uid: int
    gid: int
    groups: tuple[int, ...]
    cwd: str
    environment: dict[str, str]

    @property
    def line(self) -> str:
        """The arguments with blanks between."""
        return " ".join(self.argv)


class LmStudio:
    """LM Studio as an operator would have installed it: ``program`` is lms, ``user_home`` the user's home.

    A context manager: afterwards its server does not run.
    """

    def __init__(self, folder: Path, *, uid: int | None = None) -> None:
        self.folder, self.user_home = folder / "lmstudio-program", folder / "user"
        self.home = self.user_home / ".lmstudio"
        self.program = self.folder / "lms"
        for made in (self.folder, self.user_home, self.home, self.home / "models"):
            made.mkdir(parents=True, exist_ok=True)
            if uid is not None and made != self.folder:
                os.chown(made, uid, uid)
        for name in _FILES:
            shutil.copy(Path(__file__).parent / name, self.folder / name)
        # LM Studio's user may not be let in where the tests' own Python lies.
        system = Path("/usr/bin/python3")
        python = system if system.exists() else Path(sys.executable).resolve()
        self.program.write_text(f'#!/bin/sh\nexec {python} -S {self.folder}/lms_program.py "$@"\n')
        self.program.chmod(0o755)
        (self.folder / "calls").touch()
        (self.folder / "calls").chmod(0o666)
        self.behave()

    def __enter__(self) -> LmStudio:
        return self

    def __exit__(self, *_: object) -> None:
        server = self.state.get("server")
        if server:
            try:
                os.kill(server, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def behave(self, **conduct: Any) -> None:
        """How it is to behave from now on; without words: well.

        ``daemon``, ``bind`` False: an older lms that does not know of them. ``hang``, ``fail``, ``say``: verbs, as in
        ``ps`` or ``server start``. ``noise``: a coloured warning before JSON. ``blind``: it sees no model on disk.
        ``listen``: the address it listens on, whatever was asked.
        """
        (self.folder / "conduct.json").write_text(json.dumps(conduct))

    @property
    def state(self) -> dict[str, Any]:
        """What LM Studio knows."""
        path = self.home / ".internal" / "stand-in.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"loaded": []}
        return found

    @property
    def loaded(self) -> list[str]:
        """The identifiers of the loaded models."""
        return [row["identifier"] for row in self.state["loaded"]]

    @property
    def calls(self) -> list[Call]:
        """All calls so far."""
        rows = map(json.loads, (self.folder / "calls").read_text().splitlines())
        return [Call(**{**row, "argv": tuple(row["argv"]), "groups": tuple(row["groups"])}) for row in rows]

    def lines(self, *verbs: str) -> list[str]:
        """The calls that begin with one of ``verbs``."""
        return [call.line for call in self.calls if call.line.startswith(verbs)]

    def forget(self) -> None:
        """Forget the calls."""
        (self.folder / "calls").write_text("")

    def files(self) -> list[str]:
        """What lies below its models folder."""
        folder = self.home / "models"
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())

    def log(self) -> str:
        """Its server's log."""
        return "".join(path.read_text() for path in sorted(self.home.glob("server-logs/*/*.log")))
