"""Whose LM Studio it is and where it lies, by LM Studio's own rules."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundler.errors import MachineError
from bundler.site.lmstudio.account import Account, account, lmstudio_home, models_folder
from bundler.site.lmstudio.lms import find_lms


@pytest.fixture
def who(tmp_path: Path) -> Account:
    return Account("me", os.getuid(), os.getgid(), tmp_path, switch=False)


def test_the_usual_place(who: Account) -> None:
    (who.home / ".lmstudio").mkdir()
    assert lmstudio_home(who) == who.home / ".lmstudio"
    assert models_folder(who) == who.home / ".lmstudio" / "models"


def test_the_old_place_wins_over_the_new(who: Account) -> None:
    (who.home / ".lmstudio").mkdir()
    (who.home / ".cache" / "lm-studio").mkdir(parents=True)
    assert lmstudio_home(who) == who.home / ".cache" / "lm-studio"


@pytest.mark.parametrize(("said", "place"), [("{home}/big\n", "big"), ("", ".lmstudio"), (" \n", ".lmstudio")])
def test_the_pointer_wins_over_both(who: Account, said: str, place: str) -> None:
    for name in (".lmstudio", "big"):
        (who.home / name).mkdir()
    (who.home / ".lmstudio-home-pointer").write_text(said.format(home=who.home))
    assert lmstudio_home(who) == who.home / place


@pytest.mark.parametrize("pointer", [None, "/nowhere/at/all", "x" * 5000, "a\0b"])
def test_it_was_never_there(who: Account, pointer: str | None) -> None:
    if pointer is not None:
        (who.home / ".lmstudio-home-pointer").write_text(pointer)
    with pytest.raises(MachineError):
        lmstudio_home(who)


def test_never_started_in_a_sentence(who: Account) -> None:
    with pytest.raises(MachineError, match=r"\.lmstudio is not there \(user me\)") as caught:
        lmstudio_home(who)
    assert "start it once" in caught.value.hint


def test_pipes_are_not_waited_for(who: Account) -> None:
    os.mkfifo(who.home / ".lmstudio-home-pointer")
    (who.home / ".lmstudio").mkdir()
    os.mkfifo(who.home / ".lmstudio" / "settings.json")
    assert models_folder(who) == who.home / ".lmstudio" / "models"


def test_a_pointer_without_end(who: Account) -> None:
    (who.home / ".lmstudio-home-pointer").write_bytes(b"x" * (2 << 20))
    with pytest.raises(MachineError, match="larger than"):
        lmstudio_home(who)


def test_the_models_folder_of_its_settings(who: Account) -> None:
    for name in (".lmstudio", "disk"):
        (who.home / name).mkdir()
    settings = who.home / ".lmstudio" / "settings.json"
    settings.write_text(f'{{"downloadsFolder": "{who.home}/disk"}}')
    assert models_folder(who) == who.home / "disk"


@pytest.mark.parametrize(
    "text", ["", "[]", "[" * 100_000, '{"downloadsFolder": 1}', '{"downloadsFolder": "disk"}', "{}"]
)
def test_settings_that_lms_would_pass_over(who: Account, text: str) -> None:
    (who.home / ".lmstudio").mkdir()
    (who.home / ".lmstudio" / "settings.json").write_text(text)
    assert models_folder(who) == who.home / ".lmstudio" / "models"


def test_a_models_folder_of_another_user(who: Account) -> None:
    (who.home / ".lmstudio").mkdir()
    (who.home / ".lmstudio" / "settings.json").write_text('{"downloadsFolder": "/etc/cron.d"}')
    other = Account("me", who.uid + 1, who.gid, who.home, switch=True)
    with pytest.raises(MachineError, match=r"models folder does not belong to me") as caught:
        models_folder(other)
    assert "chown me" in caught.value.hint


def test_no_such_user() -> None:
    with pytest.raises(MachineError, match="there is no user 'nobody-of-that-name' here") as caught:
        account("nobody-of-that-name")
    assert "--lmstudio-user" in caught.value.hint
    with pytest.raises(MachineError, match="there is no user"):
        account("a\0b")


def test_another_user_without_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    with pytest.raises(MachineError, match="it belongs to root, and this is another user") as caught:
        account("root")
    assert caught.value.hint == "Run as root, or as root."


def test_lms_is_found_in_its_own_folder(who: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    program = who.home / ".lmstudio" / "bin" / "lms"
    program.parent.mkdir(parents=True)
    with pytest.raises(MachineError, match=r"the program lms is not there \(user me\)"):
        find_lms("lms", who)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_lms("lms", who).program == str(program)


def test_an_lms_that_cannot_be_run(who: Account) -> None:
    program = who.home / "lms"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    with pytest.raises(MachineError, match="lms cannot be run as me: No such file"):
        find_lms(str(program), who).run(["ps"], "asking")
