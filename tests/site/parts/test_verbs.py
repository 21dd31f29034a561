"""Every verb again and again, killed between its steps, and beside another release.

Each test leaves the site as it found it: serving.
"""

from __future__ import annotations

import http.client
import os
import random
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bundler.errors import EngineError
from bundler.serving.container import ContainerSpec
from bundler.site.parts.interface import Parts
from tests.counterparts.certificates import Authority
from tests.counterparts.port import free_port
from tests.counterparts.proxy_image import proxy_image
from tests.site.engines.test_containers import by_force
from tests.site.parts.stage import Site, bring_up, chat, cleaned, drop_containers, ours, until


def test_what_runs_is_left_alone_and_what_is_to_be_otherwise_is_made_anew(serving: Site) -> None:
    engine, proxy = (part.state().since for part in serving.parts.all)
    bring_up(serving.parts)
    assert [part.state().since for part in serving.parts.all] == [engine, proxy]
    moved = serving.with_settings(https_port=serving.state.settings.http_port, http_port=None)
    bring_up(moved.parts)
    assert chat(moved)[0] == 200
    assert [part.state().since for part in moved.parts.all] == [engine, moved.parts.all[1].state().since]
    bring_up(serving.parts)
    assert chat(serving)[0] == 200


def test_a_port_of_the_loopback_for_monitors(serving: Site) -> None:
    port = free_port()
    watched = serving.with_settings(monitor_port=port)
    bring_up(watched.parts)
    for path, status in (("/metrics", 200), ("/health", 200), ("/nginx_status", 200), ("/v1/models", 404)):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", path)
        assert (path, connection.getresponse().status) == (path, status)
        connection.close()
    with socket.create_server(("127.0.0.2", port)):
        pass  # the loopback's one address and no other
    bring_up(serving.parts)


def test_stopped_is_gone_and_comes_back(serving: Site) -> None:
    parts = serving.parts
    for _ in range(2):
        for part in parts.all:
            part.stop()
    assert [(state.running, state.healthy) for state in (part.state() for part in parts.all)] == [(False, False)] * 2
    assert "is not there" in parts.engine.state().detail
    assert ours(serving)[0] == set()
    bring_up(parts)
    assert chat(serving)[0] == 200


def test_killed_at_any_moment(serving: Site) -> None:
    dice = random.Random(7)
    drop_containers(serving.parts)
    for _ in range(3):
        killed(lambda: bring_up(serving.parts), dice.uniform(0.05, 3.0))
    killed(lambda: drop_containers(serving.parts), dice.uniform(0.05, 1.0))
    time.sleep(2)  # the engine's own program ends what it began
    bring_up(serving.parts)
    assert chat(serving)[0] == 200


def killed(deed: Callable[[], object], seconds: float) -> None:
    """Do it in a process that is killed after so many seconds."""
    child = os.fork()
    if child == 0:
        try:
            deed()
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_another_release_beside_it(serving: Site) -> None:
    first, second = serving.beside("b" * 12, image=proxy_image(extra=b"other"))
    with cleaned(second):
        for part in second.parts.all:
            part.prepare()
        second.parts.engine.start()
        until(second.parts.engine, lambda state: state.healthy is True)
        assert chat(first)[0] == 200
        old, new = first.parts.proxy, second.parts.proxy
        assert old and new
        old.stop()
        new.start()
        until(new, lambda state: state.healthy is True)
        assert chat(second)[0] == 200
        drop(second.parts)
        assert [serving.engine.has(image) for image in second.images] == [True, False]
    assert ours(second) == (set(), set())
    bring_up(first.parts)
    assert chat(first)[0] == 200


def drop(parts: Parts) -> None:
    drop_containers(parts)
    for part in parts.all:
        part.drop_images()


def test_what_is_not_ours_is_left_alone(serving: Site) -> None:
    _, other = serving.beside("c" * 12)
    name = f"llm-engine-{'c' * 12}-1"
    other.engine.run(ContainerSpec(name, other.images[0].tag, ("/nowhere",), restart="no"))
    try:
        for verb in (other.parts.engine.start, other.parts.engine.stop, other.parts.engine.remove):
            with pytest.raises(EngineError, match="was not made by llm-bundle"):
                verb()
        assert other.engine.inspect(name) is not None
    finally:
        by_force(other.engine, name)
        drop_containers(other.parts)


def test_a_key_of_another_certificate_shows_before_anything_stops(serving: Site, tmp_path: Path) -> None:
    path = serving.place.tls / "server.key"
    before = path.read_bytes()
    path.write_bytes(Authority(tmp_path).server("llm.example.internal").key.read_bytes())
    proxy = serving.parts.proxy
    assert proxy
    try:
        with pytest.raises(EngineError, match=r"the proxy does not take its configuration: .*key") as caught:
            proxy.prepare()
        assert "Nothing was stopped" in caught.value.hint
        assert chat(serving)[0] == 200
    finally:
        path.write_bytes(before)
