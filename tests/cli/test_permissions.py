"""Places that this user may not enter: a sentence, whatever the command. Root becomes nobody for these tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bundler.cli.main import call
from bundler.layout.manifest import Manifest
from bundler.site.doctor.host import check_root, check_space
from bundler.site.doctor.interface import Wish
from tests.site.bundles import small_bundle

NOBODY = 65534


@contextmanager
def locked_out(folder: Path) -> Iterator[None]:
    """Inside, ``folder`` may not be entered."""
    root = os.geteuid() == 0
    folder.chmod(0o700 if root else 0)
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o700)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("verify {}/demo-1.0.tar", 6),
        ("verify {}", 6),
        ("inspect {}/demo-1.0.tar", 6),
        ("unpack {}/demo-1.0.tar {}", 6),
        ("diff {}/demo-1.0.tar {}/demo-1.0.tar", 6),
        ("init mistral -o {}/bundle.yml", 6),
        ("lock {}/bundle.yml", 3),
        ("build {}/bundle.yml", 3),
        ("status --root {}/site", 6),
        ("install {}/demo-1.0.tar --root {}/site", 6),
        ("rollback --root {}/site", 6),
        ("uninstall --yes --root {}/site", 6),
        ("token list --root {}/site", 6),
        ("tls renew --root {}/site", 6),
    ],
)
def test_no_entry(command: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    small_bundle(folder)
    arguments = command.replace("{}", str(folder)).split()
    call([arguments[0], "--help"])  # what a command imports must be imported while we still may
    with locked_out(folder):
        found = call(arguments)
    err = capsys.readouterr().err
    assert (found, "Traceback" in err) == (code, False), err
    assert str(folder) in err
    assert "Permission denied" in err or "may not be read" in err
    assert "hint: " in err


def test_doctor_judges_a_root_that_may_not_be_entered(tmp_path: Path) -> None:
    manifest = Manifest("a", "1", "linux/amd64", 0, "0", (), ())
    with locked_out(tmp_path):
        wish = Wish(tmp_path / "site", manifest=manifest)
        (root,) = check_root(wish)
        (space,) = check_space(wish)
    assert (root.state, space.state) == ("block", "ok")
    assert root.found.startswith("this user cannot write to ")
