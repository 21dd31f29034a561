"""systemd keeps LM Studio: the unit is written, verified by systemd itself, and run by a stand-in of systemctl."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.errors import EngineError, MachineError
from bundler.serving.lmstudio_unit import UnitChoices, unit
from bundler.site.lmstudio.systemd import Unit
from bundler.site.parts.lmstudio import LmStudioPart
from bundler.site.state import Settings
from tests.counterparts.need import need
from tests.site.lmstudio.stage import BYTES, MODEL, Site, plan_of

# Runs what the unit says, as systemd would for a oneshot that remains; "-" before a command: it may fail.
_SYSTEMCTL = """\
#!/usr/bin/python3 -S
import json, re, shlex, subprocess, sys
from pathlib import Path
folder, args = Path({folder!r}), sys.argv[1:]
with (folder / "systemctl.calls").open("a") as calls:
    calls.write(" ".join(args) + "\\n")
if args[0] == "daemon-reload":
    sys.exit()
name = args[-1]
active = folder / (name + ".active")
def run(*keys):
    for line in (folder / name).read_text().splitlines():
        key, _, value = line.partition("=")
        if key in keys:
            words = shlex.split(value.lstrip("-").replace("%%", "%").replace("$$", "$"))
            done = subprocess.run(words, capture_output=True, text=True)
            if done.returncode and not value.startswith("-"):
                sys.exit("Job for " + name + " failed because the control process exited with error code.")
if args[0] in ("restart", "disable") and active.exists():
    run("ExecStop")
    active.unlink()
if args[0] == "restart":
    run("ExecStartPre", "ExecStart")
    active.touch()
"""


@pytest.fixture
def kept(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[LmStudioPart, Unit]:
    """A part that systemd keeps, with its unit in a folder of the test."""
    folder, programs = tmp_path / "units", tmp_path / "programs"
    for made in (folder, programs):
        made.mkdir()
    (programs / "systemctl").write_text(_SYSTEMCTL.format(folder=str(folder)))
    (programs / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    part = site.part(settings=Settings(lms=str(site.lmstudio.program), keeper="systemd"))
    found = replace(part.unit, folder=folder, run=tmp_path)
    monkeypatch.setattr(
        LmStudioPart, "unit", property(lambda self: replace(found, name=f"{self.release_folder.name}.service"))
    )
    return part, part.unit


def said(one: Unit) -> list[str]:
    return (one.folder / "systemctl.calls").read_text().splitlines()


def test_the_whole_way(site: Site, kept: tuple[LmStudioPart, Unit]) -> None:
    part, one = kept
    part.prepare()
    part.start()
    assert part.state().healthy
    assert said(one) == ["daemon-reload", f"enable {one.name}", f"restart {one.name}"]
    part.start()
    assert len(said(one)) == 3
    subprocess.run([str(site.lmstudio.program), "unload", "--all"], check=True, capture_output=True)
    part.start()
    assert part.state().healthy
    part.stop()
    assert said(one)[-1] == f"disable --now {one.name}"
    assert site.lmstudio.state["daemon"] is None
    part.remove()
    assert said(one)[-1] == "daemon-reload"
    assert not one.path.exists()
    assert site.lmstudio.files() == []


def test_a_foreign_unit(site: Site, kept: tuple[LmStudioPart, Unit]) -> None:
    part, one = kept
    one.path.write_text("[Unit]\nDescription=mine\n")
    part.prepare()
    with pytest.raises(EngineError, match=r"\.service: was not written by llm-bundle") as caught:
        part.start()
    assert "left as it is" in caught.value.hint
    part.remove()
    assert one.path.read_text() == "[Unit]\nDescription=mine\n"


def test_another_model_under_our_name_is_not_unloaded(site: Site, kept: tuple[LmStudioPart, Unit]) -> None:
    part, one = kept
    part.prepare()
    mine = site.lmstudio.home / "models" / "me" / "mine" / "mine.gguf"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"GGUF")
    command = [str(site.lmstudio.program), "load", "mine", "-y", "--identifier", MODEL]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(EngineError, match=r"found me/mine/mine\.gguf"):
        part.start()
    assert (site.lmstudio.loaded, one.path.exists()) == ([MODEL], False)


def test_the_network_reaches_it(site: Site, kept: tuple[LmStudioPart, Unit]) -> None:
    part, _ = kept
    part.prepare()
    site.lmstudio.behave(listen="0.0.0.0")
    with pytest.raises(EngineError, match=r"listens on 0\.0\.0\.0"):
        part.start()
    part.stop()
    assert site.lmstudio.state["server"] is None


def test_it_does_not_start(site: Site, kept: tuple[LmStudioPart, Unit]) -> None:
    part, one = kept
    part.prepare()
    site.lmstudio.behave(fail={"load": "Out of memory"})
    with pytest.raises(EngineError, match=r"systemd: starting .*: Job for .* failed") as caught:
        part.start()
    assert caught.value.hint == f"See why: journalctl -u {one.name}"
    part.remove()
    assert not one.path.exists()


def test_no_systemd(site: Site) -> None:
    part = site.part(settings=Settings(lms=str(site.lmstudio.program), keeper="systemd"))
    if part.unit.run.exists():
        pytest.skip("systemd runs here: its absence cannot be tried")
    part.prepare()
    with pytest.raises(MachineError, match="systemd: it does not run on this machine") as caught:
        part.start()
    assert "keeper engine" in caught.value.hint
    assert not part.unit.path.exists()


@pytest.mark.parametrize(
    "change", [lambda choices: choices, lambda choices: replace(choices, daemon=False, bind=False)]
)
def test_systemd_takes_the_unit(site: Site, tmp_path: Path, change: Callable[[UnitChoices], UnitChoices]) -> None:
    """Also with characters that have a meaning there; it takes no quote in a program's path."""
    home = tmp_path / "a b%c$d-é"
    home.mkdir()
    program = home / "lms"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    plan = replace(plan_of(BYTES, 1234), identifier='org/a "b" $HOME %n \\ü', args=("--parallel", "2"))
    text = unit(plan, change(UnitChoices("root", str(home), str(program))))
    path = tmp_path / "llm-bundle-lmstudio-0123456789ab.service"
    path.write_text(text)
    command = [need("systemd-analyze", "systemd"), "verify", "--man=no", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    own = [line for line in done.stderr.splitlines() if path.name in line]
    assert (done.returncode, own) == (0, []), done.stderr


def test_the_unit(site: Site) -> None:
    text = unit(plan_of(BYTES, 1234), UnitChoices("lm", "/home/lm", "/home/lm/.lmstudio/bin/lms", load_seconds=600))
    lms = "/home/lm/.lmstudio/bin/lms"
    load = f"{lms} load --exact --context-length 64000 --gpu max --identifier {MODEL} -y example/Tiny-0123456789ab/"
    lines = text.splitlines()
    assert {"Type=oneshot", "RemainAfterExit=yes", "User=lm", "Environment=HOME=/home/lm"} <= set(lines)
    assert [line.partition("=")[2] for line in lines if line.startswith("Exec")] == [
        f"{lms} daemon up",
        f"-{lms} unload {MODEL}",
        f"{load}tiny-00001-of-00002.gguf",
        f"{lms} server start --port 1234 --bind 127.0.0.1",
        f"-{lms} unload {MODEL}",
        f"{lms} daemon down",
    ]
    assert "TimeoutStartSec=720" in lines


def test_what_systemd_would_run_is_what_was_meant(site: Site) -> None:
    """Quoting there and back, for an identifier with a blank and a quote."""
    plan = replace(plan_of(BYTES, 1234), identifier="a 'b' c")
    line = next(line for line in unit(plan, UnitChoices("u", "/h", "/lms")).splitlines() if "--exact" in line)
    assert json.dumps(shlex.split(line.partition("=")[2]))
    assert "a 'b' c" in shlex.split(line.partition("=")[2])
