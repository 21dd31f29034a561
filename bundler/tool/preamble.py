"""The first thing that llm-bundle.pex runs: its text is put before pex's own start, in ``__main__.py``.

Rules: it must be readable to every Python since 2.7, so that an old one is told what is missing instead of seeing a
syntax error. Modules are read straight from the file: nothing is unpacked, nothing is written, no home folder or /tmp
is needed, and nobody else's cache is trusted. Of the machine only Python's own library is used, so that the tool is
the same everywhere. Pex's own start follows for those alone who ask for it by one of its variables.
"""

import importlib
import os
import subprocess
import sys

OLDEST = (3, 10)
NEWEST = (3, 14)
ENTRY = "bundler.cli.entry"
CANNOT = 6
FOR_PEX = ("PEX_INTERPRETER", "PEX_MODULE", "PEX_SCRIPT", "PEX_TOOLS")


def start(archive):  # type: (str) -> None
    """Run llm-bundle from ``archive``, by a newer Python where this one is too old."""
    if sys.version_info < OLDEST:
        newer = newer_python(os.environ.get("PATH") or os.defpath)
        if newer is None:
            sys.stderr.write(
                "llm-bundle: Python %d.%d or newer is needed, this is %d.%d (%s)\n"
                "  hint: Install a newer one beside it, and call it by its name: python3.%d %s\n"
                % (OLDEST + sys.version_info[:2] + (sys.executable, NEWEST[1], archive))
            )
            sys.exit(CANNOT)
        os.execv(newer, [newer, archive] + sys.argv[1:])
    sys.path[:] = [archive] + [path for path in sys.path if is_pythons_own(path)]
    importlib.import_module(ENTRY).run()


def newer_python(path):  # type: (str) -> str | None
    """The newest Python of those that will do on ``path``, or None; each is tried, for a name may be a mere shim."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        for folder in path.split(os.pathsep):
            program = os.path.join(folder, "python3.%d" % minor)
            if folder and os.access(program, os.X_OK) and runs(program):
                return program
    return None


def runs(program):  # type: (str) -> bool
    """Whether ``program`` is a Python that will do."""
    test = "import sys; sys.exit(sys.version_info < (%d, %d))" % OLDEST
    with open(os.devnull, "r+") as nothing:
        return not subprocess.call([program, "-c", test], stdin=nothing, stdout=nothing, stderr=nothing)


def is_pythons_own(path):  # type: (str) -> bool
    """Whether ``path`` holds modules of Python itself, not of whoever installed something beside it."""
    zipped = "python%d%d.zip" % sys.version_info[:2]
    return path == os.path.dirname(os.__file__) or os.path.basename(path) in ("lib-dynload", zipped)


if __name__ == "__main__" and not any(os.environ.get(name) for name in FOR_PEX):
    start(os.path.dirname(os.path.abspath(__file__)))
