"""The host's own Nginx as the proxy: it serves, takes over, and gives back."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.errors import EngineError, MachineError
from bundler.serving.nginx.render import MARK
from bundler.site.parts.behind import Behind
from bundler.site.parts.host_nginx import HostNginxPart
from bundler.site.tokens.change import new
from bundler.site.tokens.store import TokenStore
from tests.site.parts.host_nginx.stage import NAME, NEW, OLD, Said, Site


def test_from_nothing_to_serving_and_away_again(site: Site) -> None:
    """Nginx does not run yet; afterwards it runs for the others."""
    before, part = site.host.others(), site.part()
    said = Said()
    part.prepare(said)
    assert (site.host.pid(), site.file.exists(), said.lines) == (None, False, [])
    state = part.state()
    assert (state.running, state.healthy) == (False, False)
    part.start()
    assert site.serves()
    assert site.serves_the_other()
    state = part.state()
    assert (state.running, state.healthy, state.detail) == (True, True, "")
    assert site.file.read_text().startswith(f"{MARK} for {OLD}, sha256 ")
    master = site.host.pid()
    part.stop()
    assert not site.file.exists()
    assert (site.serves(), site.serves_the_other(), site.host.pid()) == (False, True, master)
    part.stop()
    part.remove()
    assert site.host.others() == before
    assert not site.host.rotation.exists()
    assert not list(site.place.root.glob(".nginx-*"))


def test_everything_may_be_done_twice(site: Site) -> None:
    part = site.part()
    for _ in range(2):
        part.prepare()
        part.start()
    assert site.serves()
    part.reload()
    assert site.serves()
    for _ in range(2):
        part.remove()
    with pytest.raises(EngineError, match="the proxy does not run"):
        part.reload()


def stream(site: Site) -> tuple[threading.Thread, list[bytes]]:
    """A stream of two seconds, already begun, and what comes of it."""
    site.engine.conduct.gap, site.engine.conduct.events = 0.1, 20
    connection = site.connect()
    headers = {"Authorization": f"Bearer {site.token}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", '{"stream": true, "messages": []}', headers)
    answer = connection.getresponse()
    assert answer.status == 200
    lines = [answer.readline()]

    def read() -> None:
        with closing(connection):
            lines.extend(answer)

    thread = threading.Thread(target=read)
    thread.start()
    return thread, lines


def test_a_stream_outlives_a_reload_an_upgrade_and_a_text_that_nginx_refuses(site: Site) -> None:
    old, new_ = site.part(), site.part(NEW)
    old.prepare()
    old.start()
    thread, lines = stream(site)
    old.reload()
    new_.prepare()
    new_.start()
    text = site.file.read_bytes()
    with pytest.raises(EngineError, match="host not found in upstream"):
        site.part("third-1-0", upstream="no-such-host.invalid:8000").start()
    assert site.file.read_bytes() == text
    thread.join(20)
    assert lines[-2:] == [b"data: [DONE]\n", b"\n"]
    assert sum(line.startswith(b"data: {") for line in lines) == 20
    assert site.serves()


def test_an_upgrade_has_no_gap_and_the_old_release_takes_nothing_of_the_new(site: Site) -> None:
    old, new_ = site.part(), site.part(NEW)
    old.prepare()
    old.start()
    stopped, failures = threading.Event(), []

    def ask() -> None:
        while not stopped.is_set():
            if not site.serves():
                failures.append(time.monotonic())
            time.sleep(0.03)  # below the rate at which the proxy refuses a client

    asking = threading.Thread(target=ask)
    asking.start()
    new_.prepare()
    new_.start()
    old.stop()
    old.remove()
    time.sleep(0.3)
    stopped.set()
    asking.join()
    assert failures == []
    assert new_.state().healthy
    assert not old.state().running
    assert NEW in site.host.rotation.read_text()
    # The other order: with a gap, and as well in the end.
    new_.stop()
    old.start()
    new_.remove()
    assert (old.state().healthy, site.serves()) == (True, True)


def test_a_refused_text_brings_the_old_one_back(site: Site) -> None:
    old, broken = site.part(), site.part(NEW, upstream="no-such-host.invalid:8000")
    old.prepare()
    old.start()
    text, master = site.file.read_bytes(), site.host.pid()
    with pytest.raises(EngineError, match=r"nginx -t: .*host not found in upstream"):
        broken.prepare()
    with pytest.raises(EngineError, match=r"nginx -t: .*host not found in upstream"):
        broken.start()
    assert (site.file.read_bytes(), site.host.pid(), site.serves()) == (text, master, True)
    broken.stop()
    broken.remove()
    assert site.serves(), "the failed release took the old one's file"


def test_a_refused_first_text_leaves_nothing(site: Site) -> None:
    broken = site.part(upstream="no-such-host.invalid:8000")
    with pytest.raises(EngineError, match="host not found in upstream"):
        broken.start()
    assert list(site.host.conf_d.iterdir()) == []
    assert site.host.pid() is None, "Nginx was started for nothing"


def test_a_token_is_known_after_a_reload(site: Site) -> None:
    part = site.part()
    part.start()
    made = new(TokenStore(site.place.root), "other", reload=part.reload).made
    assert made
    site.token = made.secret
    assert site.serves()


def test_a_refused_token_file_is_told_without_the_token(site: Site) -> None:
    part = site.part()
    part.start()
    include = site.place.proxy_secrets / "tokens.conf"
    # Nginx names the whole pattern that it cannot read.
    include.write_text(include.read_text() + f'map $host $y {{ "~^{site.token}(" 1; }}\n')
    with pytest.raises(EngineError, match=r"nginx -t: .*missing closing parenthesis") as caught:
        part.reload()
    assert site.token not in caught.value.message + caught.value.hint
    assert site.serves(), "what ran goes on"


def test_where_the_folder_is(site: Site, tmp_path: Path) -> None:
    main = site.host.folder / "nginx.conf"
    text = main.read_text()
    main.write_text(text.replace("    include conf.d/*.conf;\n", ""))
    site.part().start()
    assert (site.host.folder / "sites-enabled" / "llm-bundle.conf").exists()
    site.part().remove()
    main.write_text(main.read_text().replace("    include sites-enabled/*;\n", "    include conf.d/mine-*.conf;\n"))
    with pytest.raises(MachineError, match=r"its http block includes no folder of \*\.conf") as caught:
        site.part().prepare()
    assert "--nginx-conf-dir" in caught.value.hint
    site.settings = replace(site.settings, nginx_conf_dir=str(tmp_path / "no-such-folder"))
    with pytest.raises(MachineError, match="no-such-folder: there is no place for"):
        site.part().prepare()
    main.write_text(text.replace("conf.d/*.conf", f"{tmp_path}/elsewhere/*.conf"))
    site.settings = replace(site.settings, nginx_conf_dir=str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()
    site.part().start()
    assert site.serves()


def test_the_logrotate_file_is_one_that_logrotate_takes(site: Site) -> None:
    program = shutil.which("logrotate", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("logrotate is missing: install Debian's package logrotate")
    site.part().start()
    assert site.serves()
    time.sleep(0.3)
    command = [program, "-f", "-s", str(site.host.folder / "status"), str(site.host.rotation)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (site.place.logs / "access.log.1").read_text().count("/v1/models") == 1
    assert site.serves()
    time.sleep(0.5)
    assert "/v1/models" in (site.place.logs / "access.log").read_text(), "Nginx writes into the old file"


def test_no_nginx_at_all(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    part = HostNginxPart(site.place, OLD, Behind(NAME, "vllm", 8000), tuple, site.settings, rotation=site.host.rotation)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("bundler.site.nginx.program._FOLDERS", str(tmp_path))
    with pytest.raises(MachineError, match="the program nginx is not here") as caught:
        part.prepare()
    assert "run: container" in caught.value.hint
    assert part.state().detail == "the program nginx is not here"
    part.stop()
    part.remove()


def test_what_runs_instead_of_nginx_is_told(site: Site) -> None:
    site.host.program.write_text("#!/bin/sh\necho nginx version: nginx/1.18.0 >&2\n")
    with pytest.raises(MachineError, match="older than"):
        site.part().prepare()
    site.host.program.write_text("#!/bin/sh\necho something else >&2\n")
    with pytest.raises(MachineError, match="expected a version"):
        site.part().prepare()
