"""The same versions give the same file, whoever makes it, where, when and with which Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

from bundler.digest import Digest
from bundler.tool.carried import MAKER, PACKAGES, carried
from bundler.tool.site_tool import site_tool
from tests.tool.pythons import fit

MAKE = """
import os, sys
os.umask(int(sys.argv[1], 8))
sys.path.insert(0, os.environ["PYTHONPATH"])
from bundler.tool.carried import carried
from bundler.tool.make import make
from bundler.digest import Digest
found = carried()
assert all(str(file.source).startswith(os.environ["PYTHONPATH"]) for file in found.files)
print(Digest.of(make(found)))
"""


def install(place: Path) -> Path:
    """All that decides the bytes, as another installation."""
    for file in carried().files:
        _copy(file.source, place / file.path)
    maker = find_spec(MAKER)
    assert maker and maker.submodule_search_locations
    root = Path(maker.submodule_search_locations[0])
    for source in root.rglob("*"):
        if source.is_file() and "__pycache__" not in source.parts:
            _copy(source, place / MAKER / source.relative_to(root))
    for name in (*PACKAGES, MAKER):
        for part in distribution(name).files or ():
            if part.parts[0].endswith(".dist-info"):
                _copy(Path(str(part.locate())), place / str(part))
    return place


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())


def made_by(python: str, place: Path, umask: str, **environment: str) -> str:
    """The digest of what ``python`` makes of the installation at ``place``."""
    line = [python, "-c", MAKE, umask]
    environment["PYTHONPATH"] = str(place)
    done = subprocess.run(line, cwd="/", env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_two_machines_make_the_same(tmp_path: Path) -> None:
    """Another folder, user's settings, permissions, times, locale, zone and, if one is here, another Python."""
    one = install(tmp_path / "one")
    two = Path(shutil.copytree(one, tmp_path / "an other place"))
    for path in two.rglob("*"):
        path.chmod(0o700)
        os.utime(path, (1, 1))
    (tmp_path / "tmp").mkdir()
    strange = {
        "TMPDIR": str(tmp_path / "tmp"), "HOME": "/nonexistent", "TZ": "Asia/Kathmandu", "LC_ALL": "C",
        "PEX_VERBOSE": "1", "PEX_MODULE": "os", "SOURCE_DATE_EPOCH": "1", "PYTHONHASHSEED": "7",
    }  # fmt: skip
    assert made_by(fit()[0], two, "077", **strange) == made_by(fit()[-1], one, "002")
    assert list((tmp_path / "tmp").iterdir()) == []


def test_nothing_of_this_machine_is_in_it() -> None:
    data = site_tool().data
    home = str(Path(__file__).parent.parent.parent).encode()
    assert Digest.of(data) == site_tool().digest
    assert home not in data
    assert data.startswith(b"#!/usr/bin/env python3\nPK\x03\x04")


def test_it_is_plain_python(tmp_path: Path) -> None:
    path = tmp_path / "a.pex"
    path.write_bytes(site_tool().data)
    with zipfile.ZipFile(path) as members:
        data = (".bootstrap/", "licenses/", "kibana_assets/local_llm/")
        files = [name for name in members.namelist() if not name.startswith(data) and not name.endswith("/")]
        kinds = {Path(name).suffix for name in files}
        assert kinds == {"", ".py", ".json", ".pem", ".yml"}  # "": PEX-INFO, METADATA
        assert {info.compress_type for info in members.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time[0] for info in members.infolist()} == {1980}
