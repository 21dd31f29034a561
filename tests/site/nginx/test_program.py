"""The host's Nginx where systemd keeps it: a stand-in for systemctl that records its calls, and a real Nginx."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.errors import EngineError
from bundler.site.nginx.processes import master_of, taken, wait_for_new, workers_of
from bundler.site.nginx.program import HostNginx
from tests.counterparts.host_nginx import Host
from tests.counterparts.port import free_port

# Behaves as systemctl does of these verbs: is-active and cat by exit status, start and reload as nginx.service says.
_SYSTEMCTL = """\
#!/bin/sh
echo "$*" >> {folder}/calls
case "$1" in
  is-active) test -e {folder}/by-systemd ;;
  is-enabled) test -e {folder}/enabled ;;
  cat) test -e {folder}/unit || {{ echo "No files found for nginx.service." >&2; exit 1; }} ;;
  start) touch {folder}/by-systemd; {program} ;;
  reload) {program} -s reload ;;
esac
"""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    with Host(tmp_path / "host") as found:
        systemctl = found.folder / "bin" / "systemctl"
        systemctl.write_text(_SYSTEMCTL.format(folder=found.folder, program=found.program))
        systemctl.chmod(0o755)
        monkeypatch.setenv("PATH", f"{systemctl.parent}:/usr/bin:/bin")
        (found.folder / "systemd").mkdir()
        yield found


def nginx(host: Host) -> HostNginx:
    return HostNginx(str(host.program), host.folder / "systemd")


def calls(host: Host) -> list[str]:
    path = host.folder / "calls"
    return path.read_text().splitlines() if path.exists() else []


def test_systemd_starts_and_reloads_what_it_keeps(host: Host) -> None:
    (host.folder / "unit").touch()
    nginx(host).start()
    pid = host.pid()
    nginx(host).reload()
    assert calls(host) == [
        "cat nginx.service",
        "start nginx.service",
        "is-active --quiet nginx.service",
        "reload nginx.service",
    ]
    assert host.pid() == pid


def test_what_somebody_started_by_hand_is_reloaded_by_hand(host: Host) -> None:
    subprocess.run([host.program], check=True, timeout=20)
    nginx(host).reload()
    assert calls(host) == ["is-active --quiet nginx.service"]


def test_without_a_unit_nginx_starts_by_itself(host: Host) -> None:
    nginx(host).start()
    assert calls(host) == ["cat nginx.service"]
    assert nginx(host).master() == host.pid()


def test_whether_it_starts_at_boot(host: Host) -> None:
    assert not nginx(host).starts_at_boot()
    (host.folder / "enabled").touch()
    assert nginx(host).starts_at_boot()
    assert HostNginx(str(host.program), host.folder / "none").starts_at_boot(), "nobody can tell"


def test_what_systemd_says_is_told(host: Host) -> None:
    (host.folder / "unit").touch()
    (host.folder / "conf.d" / "bad.conf").write_text("nonsense;\n")
    with pytest.raises(EngineError, match=r"systemctl start nginx.service: .*nonsense"):
        nginx(host).start()


def test_a_reload_is_done_when_the_old_workers_take_nothing_new(host: Host) -> None:
    nginx(host).start()
    master = host.pid()
    assert master
    before = workers_of(master)
    nginx(host).reload()
    after = workers_of(master)
    assert len(before) == len(after) == 1
    assert before & after == frozenset()


def test_nothing_runs(host: Host) -> None:
    with pytest.raises(EngineError, match="Nginx does not run"):
        nginx(host).reload()
    # The pid of another program: what Nginx left when the machine went down.
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        (host.folder / "nginx.pid").write_text(f"{other.pid}\n")
        assert master_of(host.folder / "nginx.pid") is None
        other.kill()
    (host.folder / "nginx.pid").unlink()


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_ports_of_others_and_of_nginx_itself(host: Host, address: str) -> None:
    nginx(host).start()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as other:
        port = other.getsockname()[1]
        assert taken([address], [port], host.pid()) == port
        assert taken([address], [port], None) == port
        assert taken([address], [free_port()], host.pid()) is None
    assert taken(["127.0.0.1"], [host.other], host.pid()) is None
    assert taken(["127.0.0.1"], [host.other], None) == host.other


def test_a_reload_that_does_not_happen_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bundler.site.nginx.processes._PATIENCE", 0.3)
    nginx(host).start()
    master = host.pid()
    assert master
    before = workers_of(master)
    os.kill(master, signal.SIGSTOP)
    try:
        os.kill(master, signal.SIGHUP)
        assert not wait_for_new(master, before)
    finally:
        os.kill(master, signal.SIGCONT)
    assert wait_for_new(master, before)
