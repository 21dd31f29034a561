"""What the user sees: a bar on a terminal however narrow, plain lines elsewhere, nothing with -q; NO_COLOR is kept."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.cli import meter
from bundler.cli.main import call
from tests.counterparts.faulty import Fault, FaultyServer, Route
from tests.end_to_end.conftest import World
from tests.end_to_end.stage import HANDBOOK, TOP, Desk

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|9[0-7])[0-9;]*m")


@pytest.fixture(scope="module")
def desk(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A locked bundle whose handbook comes slowly, from a server of its own."""
    with FaultyServer() as server:
        server.routes["/handbook.txt"] = Route(HANDBOOK, always=Fault(drip=(2048, 0.05)))
        desk = world.desk(tmp_path_factory.mktemp("terminal"), TERM="xterm-256color")
        desk.write(world.yml().replace(world.files.host, server.host))
        desk.run("lock", "-q")
        yield desk


def on_terminal(desk: Desk, *arguments: str, columns: int = 80) -> tuple[int, str]:
    """Run the tool on a terminal of ``columns`` columns; exit code and all that it wrote there."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = desk.start(*arguments, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    written = bytearray()
    while select.select([master], [], [], 30)[0]:
        try:
            piece = os.read(master, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not piece:
            break
        written += piece
    os.close(master)
    return process.wait(10), written.decode()


def drawn(text: str) -> list[str]:
    """Each state of the lines that bear a bar, without the escapes."""
    return [line for line in re.split(r"[\r\n]+", ESCAPE.sub("", text)) if "━" in line or "╸" in line]


def test_a_bar_on_a_terminal(desk: Desk) -> None:
    code, text = on_terminal(desk, "build", "--force")
    assert code == 0, text
    assert COLOUR.search(text)
    bars = drawn(text)
    assert len(set(bars)) > 2  # it moved
    assert all(f"building {TOP}.tar" in line for line in bars)
    assert f"built {TOP}.tar" in text
    assert "Traceback" not in text


def test_a_narrow_terminal(desk: Desk) -> None:
    for columns in (40, 20, 1):
        code, text = on_terminal(desk, "build", "--force", columns=columns)
        assert (code, "Traceback" in text) == (0, False), text
        assert all(len(line) <= columns for line in drawn(text))


def test_columns_of_the_environment_are_kept(desk: Desk) -> None:
    told = Desk(desk.folder, {**desk.environment, "COLUMNS": "40"})
    code, text = on_terminal(told, "build", "--force", columns=200)
    assert code == 0
    assert drawn(text)
    assert max(len(line) for line in drawn(text)) <= 40


def test_no_color_is_kept(desk: Desk) -> None:
    told = Desk(desk.folder, {**desk.environment, "NO_COLOR": "1"})
    code, text = on_terminal(told, "build", "--force")
    assert code == 0
    assert drawn(text)
    assert COLOUR.search(text) is None


def test_a_dumb_terminal_gets_no_escapes(desk: Desk) -> None:
    told = Desk(desk.folder, {**desk.environment, "TERM": "dumb"})
    code, text = on_terminal(told, "build", "--force")
    assert code == 0
    assert ESCAPE.search(text) is None


def test_plain_lines_now_and_then_elsewhere(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every ten seconds; here every 0.1, and so in this process."""
    monkeypatch.setattr(meter, "_EVERY", 0.1)
    monkeypatch.chdir(desk.folder)
    for name, value in desk.environment.items():
        monkeypatch.setenv(name, value)
    assert call(["build", "--force"]) == 0
    *between, last = capsys.readouterr().err.splitlines()
    start = f"building {re.escape(TOP)}"
    assert between
    assert all(re.fullmatch(rf"{start}\.tar: \d+\.\d [kM]B of 2\.\d MB \(\d+ %\)", line) for line in between)
    assert re.fullmatch(rf"{start}\.tar: 2\.\d MB in \d\.\d s", last)


def test_no_escapes_and_no_word_too_many_elsewhere(desk: Desk) -> None:
    done = desk.run("build", "--force")
    assert done.err == ""
    assert "\x1b" not in done.out


@pytest.mark.parametrize("command", ["build --force -q", "lock --update -q", "plan -q", f"verify -q {TOP}.tar"])
def test_silence_when_asked(desk: Desk, command: str) -> None:
    done = desk.run(*command.split())
    assert done.err == ""
    assert done.out


def test_silence_is_not_for_errors(desk: Desk, tmp_path: Path) -> None:
    done = Desk(tmp_path, desk.environment).run("build", "-q", code=3)
    assert done.out == ""
    assert "bundle.yml: there is no such file" in done.err
    assert "hint: " in done.err
