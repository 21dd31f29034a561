"""The ``nginx`` of this host: asked, tested, reloaded, started; never stopped, for it serves others too.

Rules: a reload is believed only when new workers are there, since Nginx itself reports a reload that failed (a port
that is taken, a file that this user could read and its service may not) to nobody but its error log. What it says is
shown without anything that could be a token.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from bundler.disk import is_there, read_bounded
from bundler.errors import EngineError, MachineError
from bundler.serving.nginx.version import NginxVersion
from bundler.site.engines.process import Done, Program
from bundler.site.engines.words import clean
from bundler.site.nginx.directives import pid_path
from bundler.site.nginx.processes import master_of, wait_for_new, workers_of

_FOLDERS: Final = "/usr/sbin:/sbin:/usr/local/sbin"
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{32,}")
_MAIN: Final = re.compile(r"configuration file (/[^\n]*?)(?: syntax is ok| test (?:is successful|failed))")
_BUILT: Final = re.compile(r"--([a-z_-]+?)(?:=(\S+))?(?=\s|$)")
_MOST: Final = 4 << 20
_PATIENCE: Final = 10.0
_UNIT: Final = "nginx.service"
SYSTEMD: Final = Path("/run/systemd/system")
_REFUSED: Final = (
    "What ran goes on. Its error log says why: often another program has the port (ss -ltnp), or SELinux keeps Nginx "
    "from the files (ausearch -m avc -ts recent)."
)


@dataclass(frozen=True, slots=True)
class Main:
    """Nginx's main file, what stands in it, and where its master writes its pid."""

    path: Path
    text: str
    pid: Path


class HostNginx:
    """The program at the path ``program``. ``systemd`` is a folder that is there only where systemd runs.

    It lives for one verb of a part: what it was told once about program and main file it does not ask again.
    """

    def __init__(self, program: str, systemd: Path = SYSTEMD) -> None:
        self.program = program
        self._systemd = systemd
        self._nginx = Program("Nginx", (program,))
        self._systemctl = Program("systemd", ("systemctl",))

    @classmethod
    def here(cls) -> HostNginx:
        """That of this host. Raises: MachineError when there is none."""
        program = shutil.which("nginx") or shutil.which("nginx", path=_FOLDERS)
        if program is None:
            hint = "Install the distribution's package nginx, or pack a bundle with proxy: {run: container}."
            raise MachineError("the program nginx is not here, and this bundle's proxy is the host's own", hint=hint)
        return cls(program)

    @cached_property
    def version(self) -> NginxVersion:
        """Raises: MachineError for one that is older than we can do with, or no Nginx at all."""
        return NginxVersion.parse(_text(self._nginx.ask(["-v"], "asking its version", seconds=20)))

    def has(self, module: str) -> bool:
        """Whether it was built ``--with-`` that."""
        return f"with-{module}" in self._built

    @cached_property
    def main(self) -> Main:
        """Its main file, also of a configuration that is broken. Raises: EngineError; MachineError."""
        said = _text(self._nginx.ask(["-t"], "testing its configuration", seconds=60))
        found = _MAIN.search(said)
        if found is None:
            raise EngineError(f"Nginx did not say where its configuration is: {_said(said)}", hint="Try: nginx -t")
        path = Path(found[1])
        text = read_bounded(path, _MOST).decode("utf-8", "replace")
        pid = Path(self._built.get("prefix", "/")) / (pid_path(text) or self._built.get("pid-path", "/run/nginx.pid"))
        return Main(path, text, pid)

    def test(self, *options: str) -> None:
        """Raises: EngineError, with Nginx's own words, when it would not start with its configuration."""
        done = self._nginx.ask(["-t", "-q", *options], "testing its configuration", seconds=60)
        if done.status:
            raise EngineError(f"nginx -t: {_said(_text(done))}", hint="Nothing was reloaded; what ran goes on.")

    def dump(self) -> str:
        """All of its configuration as ``nginx -T`` prints it, or nothing where that fails."""
        done = self._nginx.ask(["-T", "-q"], "reading its configuration", seconds=60)
        return "" if done.status else done.out.decode("utf-8", "replace")

    def master(self) -> int | None:
        """The pid of its master process, None where it does not run. Raises: as ``main``."""
        return master_of(self.main.pid)

    def reload(self) -> None:
        """Make it read its configuration anew; streams go on. Raises: EngineError when it does not take it."""
        master = self.master()
        if master is None:
            raise EngineError("Nginx does not run", hint="Start it: systemctl start nginx, or nginx.")
        before = workers_of(master)
        self._tell("reload", ["-s", "reload"])
        if not wait_for_new(master, before):
            raise EngineError("Nginx did not take its new configuration", hint=_REFUSED)

    def start(self) -> None:
        """Start it. Raises: EngineError when it is not there afterwards."""
        self._tell("start", [])
        if not _soon(lambda: self.master() is not None):
            raise EngineError("Nginx does not run after its start", hint="Its error log says why.")

    def starts_at_boot(self) -> bool:
        """Whether systemd starts it, as far as there is one."""
        if not is_there(self._systemd):
            return True
        return self._systemctl.ask(["is-enabled", "--quiet", _UNIT], "asking for its unit", seconds=20).status == 0

    def _tell(self, verb: str, options: list[str]) -> None:
        """By systemd where it keeps Nginx running, else by Nginx itself."""
        if self._kept_by_systemd(verb):
            done = self._systemctl.ask([verb, _UNIT], f"{verb} of {_UNIT}", seconds=90)
            name = f"systemctl {verb} {_UNIT}"
        else:
            done = self._nginx.ask(options, verb, seconds=60)
            name = " ".join(["nginx", *options])
        if done.status:
            raise EngineError(f"{name}: {_said(_text(done)) or f'exit status {done.status}'}", hint=_REFUSED)

    def _kept_by_systemd(self, verb: str) -> bool:
        if not is_there(self._systemd) or shutil.which("systemctl") is None:
            return False
        # A master that somebody started by hand is none that systemd could reload.
        question = ["is-active", "--quiet", _UNIT] if verb == "reload" else ["cat", _UNIT]
        return self._systemctl.ask(question, f"asking for {_UNIT}", seconds=20).status == 0

    @cached_property
    def _built(self) -> dict[str, str]:
        said = _text(self._nginx.ask(["-V"], "asking how it was built", seconds=20))
        return {found[1]: found[2] or "" for found in _BUILT.finditer(said)}


def _soon(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def _text(done: Done) -> str:
    return (done.err + b"\n" + done.out).decode("utf-8", "replace")


def _said(text: str) -> str:
    """The lines that name a fault."""
    lines = [line for line in text.splitlines() if "[emerg]" in line] or text.strip().splitlines()[-3:]
    return clean(_SECRET.sub("…", " ".join(lines)))
