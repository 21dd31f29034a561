"""What a bundle's README.md says of the tool is typed as it stands there, and does it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import click
import pytest

from bundler.cli.main import call, cli
from bundler.layout.volumes import volume_name
from tests.tool.conftest import Medium

TOP = "tiny-1.0.0"


@pytest.fixture
def lines(medium: Medium, tmp_path: Path) -> list[str]:
    """The commands of the section."""
    assert call(["unpack", "-q", str(medium.bundle), str(tmp_path / "unpacked")]) == 0
    text = (tmp_path / "unpacked" / TOP / "README.md").read_text()
    section = text.partition("## Use the tool\n")[2].partition("\n## ")[0]
    return re.findall(r"^ {4}(\S.*)$", section, re.MULTILINE)


def typed(line: str, place: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", line], cwd=place, capture_output=True, text=True, timeout=60, check=False)


def test_it_is_taken_out_of_one_file(medium: Medium, tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / medium.bundle.name).symlink_to(medium.bundle)
    (tmp_path / "KEY.pub").symlink_to(medium.key)
    out, _, check, verify, doctor, _ = lines
    more = out.replace("/llm-bundle.pex", "/SHA256SUMS")
    for line in (out, more, f"cd {TOP} && {check}", verify):
        done = typed(line, tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), line
    assert "signature: valid, by KEY.pub" in done.stdout
    assert typed(doctor, tmp_path).returncode in (0, 8)
    assert (tmp_path / TOP / "llm-bundle.pex").read_bytes() == medium.tool.read_bytes()


def test_it_is_taken_out_of_volumes(medium: Medium, tmp_path: Path, lines: list[str]) -> None:
    data, size = medium.bundle.read_bytes(), 4 << 20
    for number, start in enumerate(range(0, len(data), size), 1):
        (tmp_path / volume_name(medium.bundle.name, number)).write_bytes(data[start : start + size])
    taken_out(lines[1], medium, tmp_path)


def test_it_is_taken_out_of_the_first_volume_alone(medium: Medium, tmp_path: Path, lines: list[str]) -> None:
    """Which ends in the middle of some later member."""
    (tmp_path / f"{TOP}.tar.001").write_bytes(medium.bundle.read_bytes()[:-12_345])
    taken_out(lines[0].replace(f"{TOP}.tar ", f"{TOP}.tar.001 "), medium, tmp_path)


def taken_out(line: str, medium: Medium, tmp_path: Path) -> None:
    done = typed(line, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / TOP / "llm-bundle.pex").read_bytes() == medium.tool.read_bytes()


def test_what_it_names_exists(lines: list[str]) -> None:
    *_, install = lines
    command = cli.get_command(click.Context(cli), "install")
    assert command
    options = {name for one in command.params for name in one.opts}
    assert install.split()[2] == "install"
    assert {word for word in install.split() if word.startswith("--")} <= options
