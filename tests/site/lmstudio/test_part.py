"""LM Studio as an engine: prepared, started, stopped, removed; again, half-way, and beside another release."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from bundler.errors import EngineError, MachineError
from bundler.site.lmstudio import serving
from bundler.site.state import Settings
from tests.site.lmstudio.stage import BYTES, FIRST, MODEL, Site


def test_the_whole_way(site: Site) -> None:
    part = site.part()
    part.prepare()
    assert site.lmstudio.files() == site.models(BYTES)
    assert (part.state().running, part.state().healthy) == (False, None)
    assert site.lmstudio.lines("load", "server") == []
    part.start()
    load = f"load --exact --context-length 64000 --gpu max --identifier {MODEL} -y example/Tiny-0123456789ab/{FIRST}"
    assert site.lmstudio.lines("load ", "server start --port", "daemon up") == [
        "daemon up",
        load,
        f"server start --port {site.port} --bind 127.0.0.1",
    ]
    assert part.upstream == f"127.0.0.1:{site.port}"
    state = part.state()
    assert (state.name, state.running, state.healthy, state.detail) == ("engine", True, True, "")
    assert "Success! HTTP server listening on port" in part.logs()
    part.stop()
    assert site.lmstudio.loaded == []
    assert site.lmstudio.state["server"] is None
    assert part.state().running is False
    part.remove()
    assert site.lmstudio.files() == []
    assert not (site.lmstudio.home / "models" / "example").exists()
    assert (site.lmstudio.home / "models").is_dir()


def test_every_verb_may_be_said_again(site: Site) -> None:
    part = site.part()
    for verb in (part.stop, part.remove, part.prepare, part.prepare, part.start):
        verb()
    site.lmstudio.forget()
    part.start()
    assert site.lmstudio.lines("load", "server start --port", "daemon up", "unload") == []
    for verb in (part.stop, part.stop, part.remove, part.remove):
        verb()
    assert len(site.lmstudio.lines("unload")) == 1
    assert site.lmstudio.files() == []


def test_the_files_are_links_and_no_copies(site: Site) -> None:
    part = site.part()
    part.prepare()
    for name in BYTES:
        ours = site.lmstudio.home / "models" / part.plan.folder / name
        assert ours.samefile(part.release_folder / "models" / MODEL / name)
        assert not ours.is_symlink()


def test_no_gpu(site: Site) -> None:
    part = site.part(settings=Settings(lms=str(site.lmstudio.program), gpus="none"))
    part.prepare()
    part.start()
    assert "--gpu off" in site.lmstudio.lines("load")[0]


def test_the_users_own_model_and_server_are_left_alone(site: Site) -> None:
    mine = site.lmstudio.home / "models" / "me" / "mine" / "mine.gguf"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"GGUF")
    for command in ("load mine -y --identifier mine", f"server start --port {site.port}"):
        subprocess.run([str(site.lmstudio.program), *command.split()], check=True, capture_output=True)
    part = site.part()
    part.prepare()
    part.start()
    assert site.lmstudio.loaded == ["mine", MODEL]
    part.remove()
    assert site.lmstudio.loaded == ["mine"]
    assert site.lmstudio.state["server"] is not None
    assert site.lmstudio.files() == ["me/mine/mine.gguf"]


def test_our_name_on_another_model(site: Site) -> None:
    mine = site.lmstudio.home / "models" / "me" / "mine" / "mine.gguf"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"GGUF")
    command = ["load", "mine", "-y", "--identifier", MODEL, "--context-length", "64000"]
    subprocess.run([str(site.lmstudio.program), *command], check=True, capture_output=True)
    part = site.part()
    part.prepare()
    with pytest.raises(EngineError, match=r"found me/mine/mine\.gguf") as caught:
        part.start()
    assert f"lms unload {MODEL}" in caught.value.hint
    part.stop()
    assert site.lmstudio.loaded == [MODEL]


def test_our_model_with_less_context(site: Site) -> None:
    """As a person may have loaded it by hand, or LM Studio's window did."""
    part = site.part()
    part.prepare()
    command = ["load", "--exact", part.plan.path, "--identifier", MODEL, "--context-length", "4096"]
    subprocess.run([str(site.lmstudio.program), *command], check=True, capture_output=True)
    with pytest.raises(EngineError, match=r"with 64000 tokens, found .* with 4096 tokens"):
        part.start()


def test_an_upgrade_and_the_way_back(site: Site) -> None:
    """The switch as install does it: the old is stopped, the new started, the old removed; then all of it undone."""
    old, new = site.part("a" * 12), site.part("b" * 12, {FIRST: b"GGUF better"}, folder="example/Tiny-bbbbbbbbbbbb")
    old.prepare()
    old.start()
    new.prepare()
    assert len(site.lmstudio.files()) == 4
    old.stop()
    new.start()
    assert site.lmstudio.state["loaded"][0]["path"] == new.plan.path
    old.remove()
    assert (old.state().running, new.state().healthy) == (False, True)
    assert site.lmstudio.files() == [new.plan.path]
    new.stop()
    old.prepare()
    old.start()
    new.remove()
    assert old.state().healthy
    assert site.lmstudio.files() == site.models(BYTES)


def test_two_releases_with_the_same_model_share_its_files(site: Site) -> None:
    old, new = site.part("a" * 12), site.part("b" * 12)
    old.prepare()
    old.start()
    new.prepare()
    old.stop()
    new.start()
    old.remove()
    assert new.state().healthy
    assert site.lmstudio.files() == site.models(BYTES)
    new.remove()
    assert site.lmstudio.files() == []


def test_a_failed_start_can_be_stopped(site: Site) -> None:
    part = site.part()
    part.prepare()
    site.lmstudio.behave(fail={"load": "\x1b[91mError: Failed to load model. \x1b[39mOut of memory"})
    with pytest.raises(EngineError, match=r"loading example/Tiny-\w+/tiny-\S+: Failed to load model\. Out of memory"):
        part.start()
    part.stop()
    assert site.lmstudio.state["server"] is None


def test_what_is_not_loaded_any_more_is_seen(site: Site) -> None:
    part = site.part()
    part.prepare()
    part.start()
    subprocess.run([str(site.lmstudio.program), "unload", "--all"], check=True, capture_output=True)
    state = part.state()
    assert (state.running, state.healthy) == (True, False)
    assert f"does not have {MODEL} loaded" in state.detail
    subprocess.run([str(site.lmstudio.program), "daemon", "down"], check=True, capture_output=True)
    assert (part.state().running, part.state().detail) == (
        False,
        f"LM Studio at 127.0.0.1:{site.port} does not answer",
    )
    part.start()
    assert part.state().healthy


def test_lm_studio_went_away(site: Site) -> None:
    part = site.part()
    part.prepare()
    part.start()
    site.lmstudio.program.unlink()
    with pytest.raises(MachineError, match=r"the program .*lms is not there") as caught:
        part.start()
    assert "--lms PATH" in caught.value.hint
    with pytest.raises(MachineError, match="is not there"):
        part.remove()
    os.kill(site.lmstudio.state["server"], signal.SIGKILL)
    part.remove()
    assert site.lmstudio.files() == []


def test_a_server_that_hangs(site: Site) -> None:
    part = site.part()
    part.prepare()
    part.start()
    number = site.lmstudio.state["server"]
    os.kill(number, signal.SIGSTOP)
    try:
        state = part.state()
    finally:
        os.kill(number, signal.SIGCONT)
    assert (state.running, state.healthy) == (False, False)
    assert "GET /lmstudio-greeting" in state.detail
    assert "no answer within" in state.detail
    part.stop()


def test_the_port_is_another_programs(site: Site) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

    part = site.part()
    part.prepare()
    with HTTPServer(("127.0.0.1", site.port), Other) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        with pytest.raises(EngineError, match=f"port {site.port} is taken by another program") as caught:
            part.start()
        assert "ss -ltnp" in caught.value.hint
        assert site.lmstudio.loaded == []
        server.shutdown()


def test_a_server_that_the_network_reaches(site: Site) -> None:
    part = site.part()
    part.prepare()
    site.lmstudio.behave(listen="0.0.0.0")
    with pytest.raises(EngineError, match=r"listens on 0\.0\.0\.0, where nothing asks for a token") as caught:
        part.start()
    assert "Serve on Local Network" in caught.value.hint
    part.stop()
    assert site.lmstudio.state["server"] is None


def test_an_lms_without_daemon_and_bind(site: Site) -> None:
    site.lmstudio.behave(daemon=False, bind=False)
    part = site.part()
    part.prepare()
    with pytest.raises(EngineError, match=r"listing loaded models: LM Studio is not running"):
        part.start()
    part.stop()
    state = {"daemon": 1, "loaded": [], "server": None, "port": None}
    (site.lmstudio.home / ".internal").mkdir(exist_ok=True)
    (site.lmstudio.home / ".internal" / "stand-in.json").write_text(json.dumps(state))
    part.start()
    assert part.state().healthy
    assert site.lmstudio.lines("server start --port") == [f"server start --port {site.port}"]
    part.stop()
    assert site.lmstudio.loaded == []


def test_warnings_and_colours_before_json(site: Site) -> None:
    site.lmstudio.behave(noise=True)
    part = site.part()
    part.prepare()
    part.start()
    assert part.state().healthy


@pytest.mark.parametrize("said", ["No models are currently loaded", "{}", "[1]", "[" * 100_000, "\x1b[2J"])
def test_no_json(site: Site, said: str) -> None:
    site.lmstudio.behave(say={"ps": said})
    part = site.part()
    part.prepare()
    with pytest.raises(EngineError, match="listing loaded models: expected a list in JSON, found") as caught:
        part.start()
    assert caught.value.message.isprintable()
    assert "lms ps --json" in caught.value.hint


def test_an_lms_that_hangs_is_stopped(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.lmstudio.behave(hang=["load"])
    part = site.part(settings=Settings(lms=str(site.lmstudio.program), start_period=1))
    part.prepare()
    with pytest.raises(EngineError, match="lms did not end after 1 s") as caught:
        part.start()
    assert "lms load --exact" in caught.value.hint
    site.lmstudio.behave(blind=True)
    monkeypatch.setattr(serving, "_INDEXED", 0.0)
    with pytest.raises(EngineError, match="does not see example/Tiny-0123456789ab/tiny"):
        part.start()


def test_started_before_it_was_prepared(site: Site) -> None:
    with pytest.raises(MachineError, match=r"demo-1\.0-0123456789ab: its model was not put into LM Studio"):
        site.part().start()


def test_a_port_below_another_part(site: Site) -> None:
    part = site.part()
    assert part.unit.name == "llm-bundle-lmstudio-0123456789ab.service"
    assert replace(part, settings=Settings()).name == "engine"
    part.drop_images()
