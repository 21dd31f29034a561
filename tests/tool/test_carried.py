"""What goes into llm-bundle.pex."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bundler.errors import MachineError
from bundler.tool import carried as module
from bundler.tool.carried import OURS, PACKAGES, carried
from tests.counterparts.need import need

ROOT = Path(__file__).parent.parent.parent


def test_our_own_packages_are_there_whole() -> None:
    """Held against git, which also knows the data files; a file that is not committed yet counts as well."""
    line = [need("git", "git"), "ls-files", "--cached", "--others", "--exclude-standard", "package", *PACKAGES[OURS]]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    paths = {path for path in done.stdout.split("\n") if path and (ROOT / path).is_file() and "/_dev/" not in path}
    wanted = {re.sub("^package/", "kibana_assets/local_llm/", path) for path in paths}
    found = {file.path for file in carried().files if file.path.startswith(PACKAGES[OURS])}
    assert found == {path for path in wanted if not path.endswith("py.typed")}


def test_libraries_come_with_their_licences() -> None:
    licensed = {file.path.split("/")[1] for file in carried().files if file.path.startswith("licenses/")}
    assert licensed == {*PACKAGES, "pex"}


def test_every_version_that_decides_the_bytes_is_named() -> None:
    assert [name for name, _ in carried().versions] == sorted([*PACKAGES, "pex"])


def library(place: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> None:
    """A distribution ``tried`` with one package of that name."""
    (place / "tried").mkdir()
    for name, text in files.items():
        (place / "tried" / name.replace("__dot__", ".")).write_text(text)
    (place / "tried-1.dist-info").mkdir()
    (place / "tried-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: tried\nVersion: 1\n")
    monkeypatch.syspath_prepend(place)
    monkeypatch.setattr(module, "PACKAGES", {"tried": ("tried",)})


def test_of_a_compiled_module_the_python_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"__init____dot__py": "", "fast__dot__py": "", "fast__dot__cpython-311__dot__so": "\x7fELF"}
    library(tmp_path, monkeypatch, **files)
    assert [f.path for f in carried().files if f.path.startswith("tried/")] == ["tried/__init__.py", "tried/fast.py"]


def test_a_module_in_compiled_form_alone_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library(tmp_path, monkeypatch, __init____dot__py="", fast__dot__abi3__dot__so="\x7fELF")
    with pytest.raises(MachineError, match=r"fast\.abi3\.so: is there in compiled form alone") as caught:
        carried()
    assert "another version" in caught.value.hint


def test_a_library_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACKAGES", {"surely-absent": ("surely_absent",)})
    with pytest.raises(MachineError, match="surely-absent is not installed") as caught:
        carried()
    assert "pip install" in caught.value.hint


def test_a_written_file_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library(tmp_path, monkeypatch, __init____dot__py="a = 1\n")
    before = carried()
    (tmp_path / "tried" / "__init__.py").write_text("a = 2\n")
    assert carried() != before
