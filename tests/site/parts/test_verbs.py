"""Every verb again and again, killed between its steps, and beside another release."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bundler.errors import EngineError
from bundler.serving.container import ContainerSpec
from bundler.site.engines.interface import Engine
from bundler.site.parts.interface import Parts
from tests.counterparts.certificates import Authority
from tests.counterparts.proxy_image import proxy_image
from tests.site.engines.test_containers import by_force
from tests.site.parts.stage import Site, bring_up, chat, cleaned, make_site, until


@pytest.fixture(scope="module")
def site(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site for tests that stop and start; each cleans up."""
    return make_site(tmp_path_factory.mktemp("verbs"), engine)


def test_every_verb_twice(site: Site) -> None:
    with cleaned(site):
        parts = site.parts
        for part in reversed(parts.all):
            part.stop()
            part.remove()
        bring_up(parts)
        started = [part.state().since for part in parts.all]
        bring_up(site.parts)
        assert [part.state().since for part in parts.all] == started
        for _ in range(2):
            for part in parts.all:
                part.stop()
        assert [part.state().running for part in parts.all] == [False, False]
        assert "is not there" in parts.engine.state().detail
        bring_up(parts)
        assert chat(site)[0] == 200
    assert ours(site) == (set(), set())


def ours(site: Site) -> tuple[set[str], set[str]]:
    """The containers and networks that the release has in the engine."""
    digits = site.release.id[-12:]
    names = (f"llm-engine-{digits}-1", f"llm-proxy-{digits}", f"llm-proxy-{digits}-check")
    containers = {name for name in names if site.engine.inspect(name)}
    return containers, {name for name in site.engine.networks() if digits in name}


def test_other_settings_make_the_proxy_anew(site: Site) -> None:
    with cleaned(site):
        bring_up(site.parts)
        before = site.parts.engine.state().since
        moved = site.with_settings(https_port=site.state.settings.http_port, http_port=None)
        bring_up(moved.parts)
        assert chat(moved)[0] == 200
        assert site.parts.engine.state().since == before


def test_killed_at_any_moment(site: Site) -> None:
    dice = random.Random(7)
    with cleaned(site):
        for _ in range(4):
            killed(lambda: bring_up(site.parts), dice.uniform(0.05, 2.5))
        bring_up(site.parts)
        assert chat(site)[0] == 200
        for _ in range(2):
            killed(lambda: drop_containers(site.parts), dice.uniform(0.05, 0.8))
    assert ours(site) == (set(), set())


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


def test_two_releases_side_by_side(site: Site) -> None:
    first, second = site.beside("b" * 12, image=proxy_image(extra=b"other"))
    with cleaned(first, second):
        bring_up(first.parts)
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
        drop(first.parts)
        assert chat(second)[0] == 200
        assert [site.engine.has(image) for image in first.images] == [True, False]
        drop(second.parts)
        assert [site.engine.has(image) for image in second.images] == [True, False]
        drop(site.parts)
        assert [site.engine.has(image) for image in site.images] == [False, False]


def drop_containers(parts: Parts) -> None:
    for part in reversed(parts.all):
        part.remove()


def drop(parts: Parts) -> None:
    drop_containers(parts)
    for part in parts.all:
        part.drop_images()


def test_what_is_not_ours_is_left_alone(site: Site) -> None:
    with cleaned(site):
        site.parts.engine.prepare()
        name = f"llm-engine-{site.release.id[-12:]}-1"
        site.engine.run(ContainerSpec(name, site.images[0].tag, ("/nowhere",), restart="no"))
        try:
            for verb in (site.parts.engine.start, site.parts.engine.stop, site.parts.engine.remove):
                with pytest.raises(EngineError, match="was not made by llm-bundle"):
                    verb()
            assert site.engine.inspect(name) is not None
        finally:
            by_force(site.engine, name)


def test_a_key_of_another_certificate_shows_before_anything_runs(site: Site, tmp_path: Path) -> None:
    good = site.place.tls / "server.key"
    before = good.read_bytes()
    good.write_bytes(Authority(tmp_path).server("llm.example.internal").key.read_bytes())
    proxy = site.parts.proxy
    assert proxy
    try:
        with cleaned(site), pytest.raises(EngineError, match=r"the proxy does not take its configuration: .*key"):
            proxy.prepare()
        assert ours(site) == (set(), set())
    finally:
        good.write_bytes(before)
