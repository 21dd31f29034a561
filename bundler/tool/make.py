"""Making llm-bundle.pex with the program pex: the same versions give the same bytes, on every machine.

Rules: no network and nothing of this machine in the result. Modules are neither compiled (bytecode is of one version
of Python) nor compressed (what zlib makes of the same bytes depends on which zlib it is). Pex runs in a process of its
own, away from the user's settings and caches. It sorts the members and sets their times, but keeps who may run which
of its own files, and on some disks that is everybody: so the zip file is written once more, with our own headers.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from bundler.disk import guarded
from bundler.errors import MachineError
from bundler.tool.carried import Carried

_PREAMBLE: Final = Path(__file__).with_name("preamble.py")
_SECONDS: Final = 120
_SHEBANG: Final = "/usr/bin/env python3"
_OPTIONS: Final = (
    "--entry-point=bundler.cli.entry:run",
    f"--python-shebang={_SHEBANG}",
    "--no-compile",
    "--no-compress",
    "--no-use-system-time",
    "--no-pypi",
    "--no-emit-warnings",
    # Written as it stands, for whoever starts the file in pex's own way.
    "--runtime-pex-root=~/.cache/pex",
)


def make(carried: Carried) -> bytes:
    """The bytes of llm-bundle.pex. Raises: MachineError."""
    with guarded(Path(tempfile.gettempdir()), "write"), tempfile.TemporaryDirectory(prefix="llm-bundle-") as name:
        place = Path(name)
        for file in carried.files:
            _copy(file.source, place / "content" / file.path)
        _run_pex(place)
        return _plain(place / "made.pex")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())


def _run_pex(place: Path) -> None:
    command = [
        *(sys.executable, "-m", "pex", *_OPTIONS),
        *("--sources-directory", str(place / "content"), "--preamble-file", str(_PREAMBLE)),
        *("--pex-root", str(place / "root"), "--tmpdir", str(place), "--output-file", str(place / "made.pex")),
    ]
    settings = {name: value for name, value in os.environ.items() if not name.startswith("PEX_")}
    settings |= {"PEX_IGNORE_RCFILES": "1", "PYTHONWARNINGS": "ignore"}
    try:
        done = subprocess.run(
            command,
            cwd=place,
            env=settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise MachineError(
            f"pex did not make llm-bundle.pex in {_SECONDS} s", hint="Run the same command again."
        ) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise MachineError(
            f"pex could not make llm-bundle.pex: {said[0][:300] if said else f'exit code {done.returncode}'}",
            hint="Install it anew: pip install --force-reinstall pex",
        )


def _plain(made: Path) -> bytes:
    """The same members, with headers that follow from their names alone."""
    out = BytesIO()
    out.write(f"#!{_SHEBANG}\n".encode())
    with ZipFile(made) as old, ZipFile(out, "a", ZIP_STORED) as new:
        for name in old.namelist():
            info = ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3  # Unix
            info.external_attr = (0o40755 << 16 | 0x10) if info.is_dir() else (0o100644 << 16)
            new.writestr(info, old.read(name))
    return out.getvalue()
