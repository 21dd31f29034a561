"""The host's own Nginx as the proxy: a real one, which serves somebody else as well."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bundler.errors import EngineError, MachineError
from bundler.serving.nginx.render import MARK
from bundler.site.nginx.program import HostNginx
from bundler.site.parts.behind import Behind
from bundler.site.parts.host_nginx import HostNginxPart
from bundler.site.place import Place
from bundler.site.state import Settings
from bundler.site.tls.place import place_certificate
from bundler.site.tokens.change import new
from bundler.site.tokens.store import TokenStore
from tests.counterparts.certificates import Authority, Certificate
from tests.counterparts.engine import KEY, Engine
from tests.counterparts.host_nginx import Host
from tests.counterparts.port import free_port

NAME = "llm.example.internal"
OLD, NEW = "mistral-1.0.0-0123456789ab", "mistral-1.1.0-ba9876543210"


class Said:
    """Keeps what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def begin(self, what: str, total: int | None) -> None:
        """Nothing."""

    def advance(self, count: int) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        self.lines.append(text)


@dataclass(slots=True)
class Site:
    """An installation beside the host's Nginx, with one token."""

    host: Host
    place: Place
    settings: Settings
    engine: Engine
    certificate: Certificate
    token: str

    def part(self, release: str = OLD, *, upstream: str = "") -> HostNginxPart:
        upstreams = (upstream or self.engine.address,)
        return HostNginxPart(
            self.place,
            release,
            Behind(NAME, "vllm", 8000),
            lambda: upstreams,
            self.settings,
            find=lambda: HostNginx(str(self.host.program), self.host.folder / "no-systemd"),
            rotation=self.host.rotation,
        )

    @property
    def file(self) -> Path:
        return self.host.conf_d / "llm-bundle.conf"

    def connect(self) -> http.client.HTTPSConnection:
        """To be closed by whoever asked for it."""
        context = ssl.create_default_context(cafile=str(self.certificate.ca))
        connection = http.client.HTTPSConnection(NAME, self.settings.https_port, timeout=20, context=context)
        raw = socket.create_connection(("127.0.0.1", self.settings.https_port), 20)
        try:
            connection.sock = context.wrap_socket(raw, server_hostname=NAME)
        except OSError:
            raw.close()
            raise
        return connection

    def serves(self) -> bool:
        """Whether the list of models comes, for the token, of the engine."""
        try:
            with closing(self.connect()) as connection:
                connection.request("GET", "/v1/models", headers={"Authorization": f"Bearer {self.token}"})
                return connection.getresponse().status == 200
        except OSError:
            return False

    def serves_the_other(self) -> bool:
        return plain(self.host.other) == b"somebody else"


def plain(port: int, host: str = "other.example") -> bytes:
    """What a port answers for a name, without TLS."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", "/", headers={"Host": host})
        return connection.getresponse().read()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Authority(tmp_path_factory.mktemp("authority")).server(NAME, days=90)


@pytest.fixture
def site(tmp_path: Path, certificate: Certificate) -> Iterator[Site]:
    place = Place(tmp_path / "site")
    settings = Settings(https_port=free_port(), http_port=free_port(), addresses=("127.0.0.1",))
    place_certificate(place, certificate.certificate, certificate.key, NAME)
    place.engine_env.write_text(f"VLLM_API_KEY={KEY}\n")
    place.engine_env.chmod(0o600)
    made = new(TokenStore(place.root), "kibana").made
    assert made
    with Engine() as engine, Host(tmp_path / "host") as host:
        yield Site(host, place, settings, engine, certificate, made.secret)


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


FOREIGN = "# my own\nserver { listen 127.0.0.1:1; }\n"


@pytest.mark.parametrize("content", [FOREIGN, f"{MARK}. Changes by hand are lost.\n", "", "\x00\xff"])
@pytest.mark.parametrize("which", ["site", "rotation"])
def test_a_file_of_somebody_else_is_never_touched(site: Site, content: str, which: str) -> None:
    path = site.file if which == "site" else site.host.rotation
    path.write_bytes(content.encode("latin-1"))
    os.utime(path, ns=(1, 1))
    part = site.part()
    for verb in (part.prepare, part.start):
        with pytest.raises(MachineError, match="was not written by llm-bundle, and is left as it is") as caught:
            verb()
        assert str(path) in caught.value.hint
    part.stop()
    part.remove()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (content.encode("latin-1"), 1)


def test_a_link_of_somebody_else_is_never_followed(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "target"
    site.part().start()
    shutil.copy2(site.file, target)
    site.part().remove()
    site.file.symlink_to(target)
    with pytest.raises(MachineError, match="was not written by llm-bundle"):
        site.part().start()
    site.part().remove()
    assert site.file.is_symlink()
    assert target.read_text().startswith(MARK)


def test_a_file_that_somebody_edited_is_never_touched(site: Site) -> None:
    part = site.part()
    part.start()
    with site.file.open("a") as file:
        file.write("# tuned by hand\n")
    edited = site.file.read_bytes(), site.file.stat().st_mtime_ns
    for verb in (part.prepare, part.start, part.stop, part.remove, site.part(NEW).prepare, site.part(NEW).start):
        with pytest.raises(MachineError, match="was edited after llm-bundle wrote it"):
            verb()
    site.part(NEW).stop()
    assert (site.file.read_bytes(), site.file.stat().st_mtime_ns) == edited
    state = part.state()
    assert (state.healthy, state.detail) == (True, f"{site.file} was edited")
    site.file.rename(site.host.folder / "kept")
    part.start()
    assert site.serves()


def test_a_broken_configuration_of_somebody_else_is_told_before_anything_changes(site: Site) -> None:
    (site.host.conf_d / "theirs.conf").write_text("server { nonsense; }\n")
    before = site.host.others()
    with pytest.raises(EngineError, match=r"the host's Nginx is broken without us: .*nonsense") as caught:
        site.part().prepare()
    assert "Mend that first" in caught.value.hint
    with pytest.raises(EngineError, match="nonsense"):
        site.part().start()
    assert site.host.others() == before
    assert not site.file.exists()


def test_a_port_that_is_taken_before(site: Site) -> None:
    part = site.part()
    part.prepare()
    with socket.create_server(("127.0.0.1", site.settings.https_port)):
        with pytest.raises(EngineError, match=f"port {site.settings.https_port} is taken by another program") as caught:
            part.start()
        assert "ss -ltnp" in caught.value.hint
        assert not site.file.exists()
    part.start()
    assert site.serves()


def test_a_port_that_is_taken_between_look_and_reload(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nginx says nothing of it but in its error log; the old text comes back and serves."""
    old = site.part()
    old.start()
    other = free_port()
    site.settings = replace(site.settings, https_port=other)
    monkeypatch.setattr("bundler.site.nginx.program._PATIENCE", 2.0)
    monkeypatch.setattr("bundler.site.parts.host_nginx.taken", lambda *_: None)
    text = site.file.read_bytes()
    with socket.create_server(("127.0.0.1", other)), pytest.raises(EngineError, match="did not take its new") as caught:
        site.part(NEW).start()
    assert "error log" in caught.value.hint
    assert site.file.read_bytes() == text
    assert old.state().healthy


def test_nginx_cannot_start_on_a_taken_port(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bundler.site.parts.host_nginx.taken", lambda *_: None)
    with (
        socket.create_server(("127.0.0.1", site.settings.https_port)),
        pytest.raises(EngineError, match=r"bind\(\) to 127.0.0.1:.* failed"),
    ):
        site.part().start()
    assert not site.file.exists()


def test_the_default_server_of_another_site_stays_so(site: Site) -> None:
    port = site.settings.http_port
    theirs = site.host.folder / "sites-enabled" / "default"
    theirs.write_text(f'server {{ listen 127.0.0.1:{port} default_server; return 200 "theirs"; }}\n')
    said = Said()
    site.part().prepare(said)
    assert said.lines == [
        f"warning: another site of this Nginx answers for unknown names on port {port} ({theirs}); that stays so"
    ]
    site.part().start()
    assert site.serves()
    assert plain(port or 0, "unknown.example") == b"theirs"


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
