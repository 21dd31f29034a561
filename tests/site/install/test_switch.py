"""The order in which one release gives way to another, and the way back from every step of it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from bundler.errors import EngineError
from bundler.progress import SILENT
from bundler.site.install.signals import held_back, led_back
from bundler.site.install.switch import bring_up, switch
from bundler.site.parts.interface import Parts
from tests.site.install.stage import stage_parts


def content(parts: Parts) -> None:
    """A check that finds all well."""


def refuse(parts: Parts) -> None:
    raise EngineError("no answer on purpose")


def test_the_old_proxy_answers_until_the_new_engine_is_up(tmp_path: Path) -> None:
    diary: list[str] = []
    old, _, _ = stage_parts("old", diary)
    new, _, _ = stage_parts("new", diary)
    switch(old, new, content, 5, SILENT, log=tmp_path / "engine.log")
    assert diary == ["stop old engine", "start new engine", "stop old proxy", "start new proxy"]


@pytest.mark.parametrize("part", ["engine", "proxy"])
@pytest.mark.parametrize("verb", ["start", "health"])
def test_what_does_not_come_up_gives_way_to_the_old(part: str, verb: str, tmp_path: Path) -> None:
    diary: list[str] = []
    old, old_engine, old_proxy = stage_parts("old", diary)
    new, engine, proxy = stage_parts("new", diary)
    failing = engine if part == "engine" else proxy
    if verb == "health":
        failing.healthy = False
    else:
        failing.fails = {verb}
    with pytest.raises(EngineError, match=f"start of {part} failed|the {part} is not healthy") as caught:
        switch(old, new, content, 0.3, SILENT, log=tmp_path / "engine.log")
    assert "The release before serves again" in caught.value.hint
    assert (old_engine.running, old_proxy.running) == (True, True)
    assert (engine.running, proxy.running) == (False, False)


def test_a_release_that_does_not_answer_gives_way_to_the_old(tmp_path: Path) -> None:
    diary: list[str] = []
    old, old_engine, old_proxy = stage_parts("old", diary)
    new, engine, _ = stage_parts("new", diary)
    with pytest.raises(EngineError, match="no answer on purpose"):
        switch(old, new, refuse, 5, SILENT, log=tmp_path / "engine.log")
    assert old_engine.running
    assert old_proxy.running
    assert not engine.running


def test_an_interrupt_leads_back_too(tmp_path: Path) -> None:
    diary: list[str] = []
    old, old_engine, _ = stage_parts("old", diary)
    new, _, _ = stage_parts("new", diary)

    def interrupted(parts: Parts) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        switch(old, new, interrupted, 5, SILENT, log=tmp_path / "engine.log")
    assert old_engine.running


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_is_impatient_on_the_way_back_waits_for_it(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    diary: list[str] = []
    old, old_engine, old_proxy = stage_parts("old", diary)
    new, engine, _ = stage_parts("new", diary)

    def stop() -> None:
        os.kill(os.getpid(), number)
        engine.running = False

    monkeypatch.setattr(engine, "stop", stop)
    with led_back(), pytest.raises(KeyboardInterrupt):
        switch(old, new, refuse, 5, SILENT, log=tmp_path / "engine.log")
    assert (old_engine.running, old_proxy.running, engine.running) == (True, True, False)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_who_says_it_twice_is_obeyed() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), held_back(done.append):
        os.kill(os.getpid(), signal.SIGINT)
        done.append("once")
        os.kill(os.getpid(), signal.SIGINT)
        done.append("twice")
    assert done == ["going back first; once more ends that, too", "once"]
    with held_back(done.append):
        pass


def test_what_cannot_be_stopped_on_the_way_back_hides_nothing(tmp_path: Path) -> None:
    diary: list[str] = []
    old, old_engine, old_proxy = stage_parts("old", diary)
    new, engine, _ = stage_parts("new", diary)
    engine.fails = {"stop"}
    with pytest.raises(EngineError, match="no answer on purpose"):
        switch(old, new, refuse, 5, SILENT, log=tmp_path / "engine.log")
    assert old_engine.running
    assert old_proxy.running


def test_last_words_of_what_does_not_come_up_are_shown() -> None:
    parts, engine, _ = stage_parts("new", [])
    engine.healthy = False
    with pytest.raises(EngineError, match="the last words of new"):
        bring_up(parts.engine, 0.2, SILENT)


def test_all_that_it_said_is_kept_before_its_container_goes(tmp_path: Path) -> None:
    old, _, _ = stage_parts("old", [])
    new, engine, _ = stage_parts("new", [])
    engine.healthy = False
    log = tmp_path / "engine.log"
    with pytest.raises(EngineError) as caught:
        switch(old, new, content, 0.3, SILENT, log=log)
    assert log.read_text() == "the last words of new"
    assert log.stat().st_mode & 0o777 == 0o600
    assert f"All that the engine said is in {log}. " in caught.value.hint
    assert "The release before serves again." in caught.value.hint


def test_a_log_that_cannot_be_kept_hides_nothing(tmp_path: Path) -> None:
    old, _, _ = stage_parts("old", [])
    new, _, _ = stage_parts("new", [])
    with pytest.raises(EngineError, match="no answer on purpose") as caught:
        switch(old, new, refuse, 5, SILENT, log=tmp_path / "no" / "engine.log")
    assert "engine.log" not in caught.value.hint


def test_a_proxy_is_not_waited_for_as_long_as_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bundler.site.install.switch.PROXY_PATIENCE", 0.3)
    old, _, _ = stage_parts("old", [])
    new, _, proxy = stage_parts("new", [])
    proxy.healthy = False
    with pytest.raises(EngineError, match="the proxy is not healthy after 0 s") as caught:
        switch(old, new, content, 60, SILENT, log=tmp_path / "engine.log")
    assert "firewall" in caught.value.hint


def test_what_falls_again_and_again_is_not_waited_for() -> None:
    """An engine that the restart policy starts anew is running at most moments; its start tells."""
    parts, engine, _ = stage_parts("new", [])
    engine.healthy = None
    begun = iter(range(100))
    real = engine.state

    def falling():  # type: ignore[no-untyped-def]
        engine.since = str(next(begun))
        return real()

    engine.state = falling  # type: ignore[method-assign]
    with pytest.raises(EngineError, match=r"is not healthy after [0-4] s"):
        bring_up(parts.engine, 60, SILENT)
