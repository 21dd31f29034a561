"""systemd keeps the containers: a stand-in of it runs our units by a real Podman."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bundler.errors import EngineError, MachineError
from bundler.site.engines.interface import EngineInfo
from bundler.site.engines.podman import Podman
from bundler.site.parts.keeper import EngineKeeper
from bundler.site.parts.quadlet_keeper import QuadletKeeper
from tests.counterparts.quadlet import write_systemctl
from tests.site.parts.stage import Site, bring_up, chat, drop_containers, make_site, ours


class NewPodman(Podman):
    """A real Podman that says it is one that has Quadlet."""

    version = "4.9.3"

    def info(self) -> EngineInfo:
        return replace(super().info(), version=self.version)


@dataclass(frozen=True, slots=True)
class Kept:
    """A site whose containers are kept by ``keeper``; ``calls`` is what systemctl was told."""

    site: Site
    keeper: QuadletKeeper
    folder: Path

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def kept(podman_command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    site = make_site(tmp_path / "site", NewPodman(podman_command)).with_settings(keeper="systemd")
    units, folder = tmp_path / "units", tmp_path / "programs"
    write_systemctl(folder, units, podman_command)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    keeper = QuadletKeeper(site.engine, units, ("systemctl",), running=tmp_path)
    monkeypatch.setattr(QuadletKeeper, "here", lambda _: keeper)
    try:
        yield Kept(site, keeper, folder)
    finally:
        drop_containers(
            replace(site, state=replace(site.state, settings=replace(site.state.settings, keeper="engine"))).parts
        )


def test_it_serves_and_nothing_is_left(kept: Kept) -> None:
    site, digits = kept.site, kept.site.release.id[-12:]
    bring_up(site.parts)
    assert chat(site)[0] == 200
    units = sorted(path.name for path in kept.keeper.folder.iterdir())
    assert units == [f"llm-engine-{digits}-1.container", f"llm-proxy-{digits}.container"]
    texts = [(kept.keeper.folder / name).read_text() for name in units]
    assert all(text.startswith("# Written by llm-bundle") and site.token not in text for text in texts)
    assert kept.calls == [
        "daemon-reload",
        f"restart llm-engine-{digits}-1.service",
        "daemon-reload",
        f"restart llm-proxy-{digits}.service",
    ]
    bring_up(site.parts)
    assert len(kept.calls) == 4
    assert site.parts.proxy is not None
    site.parts.proxy.reload()
    assert chat(site)[0] == 200
    # Whoever was killed after it wrote a unit, and before systemd read it.
    (kept.folder / "known" / units[0]).unlink()
    for _ in range(2):
        drop_containers(site.parts)
    assert list(kept.keeper.folder.iterdir()) == []
    assert ours(site) == (set(), set())
    assert kept.calls[-1] == "daemon-reload"


def test_a_unit_of_somebody_else(kept: Kept) -> None:
    path = kept.keeper.folder / f"llm-engine-{kept.site.release.id[-12:]}-1.container"
    path.parent.mkdir()
    path.write_text("[Container]\nImage=other\n")
    for verb in (kept.site.parts.engine.stop, kept.site.parts.engine.remove):
        with pytest.raises(EngineError, match=r"\.container: was not written by llm-bundle"):
            verb()
    assert path.read_text() == "[Container]\nImage=other\n"
    path.unlink()


def test_what_systemd_says(kept: Kept) -> None:
    (kept.folder / "systemctl").write_text("#!/bin/sh\necho 'Job for x failed.' >&2; exit 1\n")
    spec = kept.site.parts
    spec.engine.prepare()
    with pytest.raises(EngineError, match=r"systemd: starting llm-engine-.*: Job for x failed") as caught:
        spec.engine.start()
    assert caught.value.hint == ""
    (kept.folder / "systemctl").write_text('#!/bin/sh\ntest "$1" = daemon-reload || exit 5\n')
    with pytest.raises(EngineError, match="exit status 5") as caught:
        spec.engine.start()
    assert "journalctl -u llm-engine-" in caught.value.hint
    for path in kept.keeper.folder.iterdir():
        path.unlink()


def test_where_it_cannot_be(podman_command: tuple[str, ...], tmp_path: Path) -> None:
    podman = NewPodman(podman_command)
    keeper = QuadletKeeper(podman, tmp_path / "units", ("systemctl",), running=tmp_path / "none")
    with pytest.raises(MachineError, match="systemd: it does not run on this machine") as caught:
        keeper.require()
    assert "--keeper engine" in caught.value.hint
    running = replace(keeper, running=tmp_path)
    running.require()
    podman.version = "4.5.1"
    with pytest.raises(MachineError, match=r"expected Podman 4\.6 or newer, found 4\.5\.1"):
        running.require()
    podman.version = "5.0.0"
    with pytest.raises(MachineError, match="services end when the user logs out") as caught:
        replace(running, linger=tmp_path / "anna").require()
    assert caught.value.hint == "loginctl enable-linger anna"
    assert not (tmp_path / "units").exists()


def test_root_s_units_are_the_machine_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert QuadletKeeper.here(Podman()).folder == Path("/etc/containers/systemd")
    monkeypatch.setattr(os, "geteuid", lambda: 1)
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/daemon/config")
    keeper = QuadletKeeper.here(Podman())
    assert (keeper.folder, keeper.command) == (Path("/home/daemon/config/containers/systemd"), ("systemctl", "--user"))
    assert keeper.linger == Path("/var/lib/systemd/linger/daemon")
    monkeypatch.setattr(os, "geteuid", lambda: 1_234_567)
    with pytest.raises(MachineError, match="no user has the number 1234567"):
        QuadletKeeper.here(Podman())


def test_podman_starts_at_boot_what_its_service_starts(
    podman_command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    progress = type("Said", (), {"say": lambda _, text: said.append(text)})()
    keeper = EngineKeeper(Podman(podman_command))
    monkeypatch.setattr("bundler.site.parts.keeper.UNITS", tmp_path)
    monkeypatch.setattr("bundler.site.parts.keeper.RUNNING", tmp_path / "none")
    keeper.require(progress)
    assert said == []
    monkeypatch.setattr("bundler.site.parts.keeper.RUNNING", tmp_path)
    keeper.require(progress)
    assert said == ["warning: Podman starts nothing at boot: systemctl enable podman-restart"]
    (tmp_path / "default.target.wants").mkdir()
    (tmp_path / "default.target.wants" / "podman-restart.service").touch()
    keeper.require(progress)
    assert len(said) == 1
