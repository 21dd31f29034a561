"""Containers that fall, or that a boot stopped, come up again: also after all that we do to them while they run."""

from __future__ import annotations

import os
import shlex
import signal
import time

import pytest

from bundler.site.engines.docker import Docker
from tests.site.parts.stage import Site, chat


def started_again(site: Site, name: str) -> bool:
    """Whether the container comes up again after its first process was killed."""
    before = site.engine.inspect(name)
    assert before and before.running and before.pid > 1
    os.kill(before.pid, signal.SIGKILL)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        now = site.engine.inspect(name)
        if now and now.running and now.pid != before.pid and all(part.state().healthy for part in site.parts.all):
            return True
        time.sleep(0.3)
    return False


def digits(site: Site) -> str:
    return site.release.id[-12:]


def test_an_engine_that_falls(serving: Site) -> None:
    assert started_again(serving, f"llm-engine-{digits(serving)}-1"), serving.parts.engine.logs()
    assert chat(serving)[0] == 200


def test_a_proxy_that_falls_after_a_reload(serving: Site) -> None:
    assert serving.parts.proxy
    serving.parts.proxy.reload()
    assert started_again(serving, f"llm-proxy-{digits(serving)}"), serving.parts.proxy.logs()
    assert chat(serving)[0] == 200


def test_a_proxy_that_falls_after_its_logs_were_turned_over(serving: Site, request: pytest.FixtureRequest) -> None:
    assert serving.parts.proxy
    name = f"llm-proxy-{digits(serving)}"
    rules = (serving.place.work(serving.release.id) / "llm-bundle.logrotate").read_text()
    command = shlex.split(next(line for line in rules.splitlines() if name in line))
    at = command.index("exec")
    if isinstance(serving.engine, Docker):
        cli = ["docker", "--host", f"unix://{request.getfixturevalue('docker_socket')}"]
    else:
        cli = list(request.getfixturevalue("podman_command"))
    log = serving.place.logs / "access.log"
    log.rename(log.with_suffix(".1"))
    assert os.spawnvp(os.P_WAIT, cli[0], [*cli, *command[at : command.index("reopen") + 1]]) == 0
    assert chat(serving)[0] == 200
    end = time.monotonic() + 10
    while not log.exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert log.exists()
    assert started_again(serving, name), serving.parts.proxy.logs()
    assert chat(serving)[0] == 200
