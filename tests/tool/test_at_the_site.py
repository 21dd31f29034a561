"""llm-bundle.pex at a bare site, run by Debian's own Python and every other one that is here."""

from __future__ import annotations

import json
import resource
import stat
import subprocess
from pathlib import Path

import pytest

from bundler.cli.main import COMMANDS
from kibana_assets.package.build import build
from kibana_assets.package.tree import load
from tests.counterparts.need import need
from tests.tool.conftest import Medium
from tests.tool.pythons import fit, too_old
from tests.tool.site import MEDIUM, Ran, at_site

TOOL = f"{MEDIUM}/tiny-1.0.0/llm-bundle.pex"
BUNDLE = f"{MEDIUM}/tiny-1.0.0.tar"
SECONDS_OF_START = 2.0
"""Of the processor: some 0.3 to 0.5 on a machine of today, which a test does not rely on."""


@pytest.fixture(params=fit())
def python(request: pytest.FixtureRequest) -> str:
    """An interpreter."""
    path = request.param
    assert isinstance(path, str)
    return path


def run(medium: Medium, work: Path, *command: str) -> Ran:
    return at_site(medium.folder, work, *command)


def test_it_names_its_commands(medium: Medium, tmp_path: Path, python: str) -> None:
    done = run(medium, tmp_path, python, TOOL, "--help")
    assert (done.code, done.err) == (0, "")
    assert [name for name in COMMANDS if f"\n  {name} " not in done.out] == []


def test_it_verifies_with_a_key(medium: Medium, tmp_path: Path, python: str) -> None:
    path = f"PATH={Path(need('openssl', 'openssl')).parent}"
    done = run(medium, tmp_path, path, python, TOOL, "verify", "--json", "--key", f"{MEDIUM}/signing.pub", BUNDLE)
    assert (done.code, json.loads(done.out)["signature"]) == (0, "valid")
    assert "Traceback" not in done.err


def test_it_unpacks(medium: Medium, tmp_path: Path, python: str) -> None:
    done = run(medium, tmp_path, python, TOOL, "unpack", "-q", BUNDLE, "out")
    assert (done.code, done.err) == (0, "")
    unpacked = tmp_path / "out" / "tiny-1.0.0" / "llm-bundle.pex"
    assert unpacked.read_bytes() == medium.tool.read_bytes()
    assert stat.S_IMODE(unpacked.stat().st_mode) == 0o755


def test_it_examines_the_machine(medium: Medium, tmp_path: Path, python: str) -> None:
    done = run(medium, tmp_path, python, TOOL, "doctor", "--json", BUNDLE)
    assert done.code in (0, 8), done.err
    assert "Traceback" not in done.err
    assert {finding["state"] for finding in json.loads(done.out)["findings"]} <= {"ok", "warn", "block"}


def test_it_builds_the_integration_package(medium: Medium, tmp_path: Path, python: str) -> None:
    done = run(medium, tmp_path, python, TOOL, "assets", "build")
    assert (done.code, done.err) == (0, "")
    built = build(load())
    assert (tmp_path / built.name).read_bytes() == built.data


@pytest.mark.parametrize("command", [["lock"], ["lock", "--update"], ["plan"], ["build"]])
def test_what_only_the_connected_side_can_is_said(medium: Medium, tmp_path: Path, command: list[str]) -> None:
    spec = Path(__file__).parent.parent.parent / "examples" / "tiny" / "bundle.yml"
    (tmp_path / "bundle.yml").write_text(spec.read_text())
    done = run(medium, tmp_path, fit()[0], TOOL, *command)
    assert done.code in (3, 6), done.err
    assert "Traceback" not in done.err
    if command != ["build"]:  # which asks for the lock first
        assert "it can neither lock, plan nor build" in done.err
        assert "pip install elastic-llm-bundle" in done.err


def test_it_runs_by_its_own_name(medium: Medium, tmp_path: Path) -> None:
    done = run(medium, tmp_path, "PATH=/usr/bin:/bin", TOOL, "--version")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("llm-bundle, version ")


def test_nothing_beside_python_itself_is_used(medium: Medium, tmp_path: Path, python: str) -> None:
    """Neither PYTHONPATH nor what is installed on the machine decides what runs."""
    for name in ("click", "bundler", "requests", "cryptography"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('taken from the machine')")
    told = ("PYTHONPATH=/srv", f"PATH={Path(need('openssl', 'openssl')).parent}")
    done = run(medium, tmp_path, *told, python, TOOL, "verify", "-q", "--key", f"{MEDIUM}/signing.pub", BUNDLE)
    assert (done.code, done.err) == (0, "")
    assert "signature: valid" in done.out


def test_every_module_that_the_site_needs_is_there(medium: Medium, tmp_path: Path, python: str) -> None:
    """All commands, and all of the site, the connectors and the dashboards, in a Python that has nothing else."""
    program = """
import importlib, os, sys, zipfile
lib = os.path.dirname(os.__file__)
sys.path[:] = [sys.argv[1], *(p for p in sys.path if p == lib or p.endswith("lib-dynload"))]
names = (name[:-3].replace("/", ".") for name in zipfile.ZipFile(sys.argv[1]).namelist() if name.endswith(".py"))
wanted = ("bundler.cli.", "bundler.site.", "bundler.serving.", "bundler.layout.", "preconfigured.", "kibana_assets.")
left_out = {"bundler.trust.with_library"}
for name in names:
    if name.startswith(wanted) and name.removesuffix(".__init__") not in left_out:
        importlib.import_module(name.removesuffix(".__init__"))
"""
    (tmp_path / "program.py").write_text(program)
    place = tmp_path / "tmp"  # requests wants its certificates as a file
    place.mkdir()
    done = run(medium, tmp_path, "TMPDIR=/srv/tmp", python, "-I", "/srv/program.py", TOOL)
    assert (done.code, done.err) == (0, "")


def test_it_starts_quickly(medium: Medium, python: str) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([python, medium.tool, "--help"], env={}, capture_output=True, timeout=60, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < SECONDS_OF_START


def test_it_starts_in_the_way_of_pex_too(medium: Medium, tmp_path: Path) -> None:
    line = [fit()[0], str(medium.tool), "-c", "import bundler.cli.main, sys; print(sys.argv)"]
    asked = {"PEX_INTERPRETER": "1", "PEX_ROOT": str(tmp_path)}
    done = subprocess.run(line, env=asked, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "['-c']\n", "")


PRETEND = """
import runpy, sys
sys.version_info = (3, 6, 8, "final", 0)
sys.argv[:] = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def as_old(python: str) -> list[str]:
    """The command of a Python that is too old: a real one, or one that says so."""
    return [python] if python in too_old() else [python, "-c", PRETEND]


@pytest.mark.parametrize("python", too_old() or fit()[:1])
def test_a_python_that_is_too_old_says_what_is_missing(medium: Medium, python: str) -> None:
    line = [*as_old(python), str(medium.tool), "--version"]
    done = subprocess.run(line, env={"PATH": "/nowhere"}, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (6, "")
    assert "llm-bundle: Python 3.10 or newer is needed, this is 3." in done.stderr
    assert f"python3.14 {medium.tool}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("python", too_old() or fit()[:1])
def test_a_python_that_is_too_old_finds_a_newer_one(medium: Medium, tmp_path: Path, python: str) -> None:
    """Of several names the newest whose program works."""
    broken, good = tmp_path / "python3.13", tmp_path / "python3.12"
    broken.write_text("#!/bin/sh\nexit 127\n")
    good.symlink_to(fit()[-1])
    broken.chmod(0o755)
    line = [*as_old(python), str(medium.tool), "verify", "-q", str(medium.bundle)]
    done = subprocess.run(line, env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
