"""Install, upgrade, come back, roll back, prune, remove: each on real Docker and real Podman, with OpenAI's client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.counterparts.port import free_port
from tests.site.install.spot import Spot, docker_spot, podman_spot
from tests.site.install.world import MODEL, NAME, World


@pytest.fixture(scope="module")
def docker_site(world: World, docker_socket: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spot]:
    """A place that all tests here use in turn: each says first what is to serve there."""
    made = docker_spot(world, tmp_path_factory.mktemp("docker") / "site", docker_socket)
    yield made
    made.clear()


@pytest.fixture(scope="module")
def podman_site(
    world: World, podman_command: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Spot]:
    """The same on Podman, which takes its time: for what engines have a part in."""
    made = podman_spot(world, tmp_path_factory.mktemp("podman") / "site", podman_command)
    yield made
    made.clear()


@pytest.fixture(params=["docker", "podman"])
def site(request: pytest.FixtureRequest) -> Spot:
    found: Spot = request.getfixturevalue(f"{request.param}_site")
    return found


def test_from_the_file_to_a_model_that_answers(site: Spot) -> None:
    done = site.install("1.0.0")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert said["url"] == f"https://{NAME}:{site.https}"
    assert said["model"] == MODEL
    assert Path(said["token_file"]).stat().st_mode & 0o777 == 0o600
    assert site.chat()
    status = site.status()
    assert (status["ok"], status["current"], status["trouble"]) == (True, said["release"], [])
    assert [(part["name"], part["healthy"]) for part in status["parts"]] == [("engine", True), ("proxy", True)]
    assert status["certificate_days"] > 300
    assert site.running() == site.of(said["release"])


def test_the_same_bundle_again_restarts_nothing(site: Spot) -> None:
    site.serve("1.0.0")
    before = [part["since"] for part in site.status()["parts"]]
    site.serve("1.0.0")
    assert [part["since"] for part in site.status()["parts"]] == before
    assert site.chat()


@pytest.mark.parametrize(("version", "words"), [("1.1.0", "CUDA out of memory, on purpose"),
                                                ("1.2.0", "EngineCore encountered an issue, on purpose")])  # fmt: skip
def test_an_upgrade_that_fails_comes_back(site: Spot, version: str, words: str) -> None:
    serving = site.serve("1.0.0")
    done = site.install(version)
    assert done.code == 7
    error = json.loads(done.out)["error"]
    assert words in error["message"]
    assert error["hint"].startswith("The release before serves again.")
    assert site.answers_soon()
    assert (site.state()["current"], site.state()["moving"]) == (serving, None)
    assert site.running() == site.of(serving)


def test_an_upgrade_and_back_and_forth(site: Spot) -> None:
    old = site.serve("1.0.0")
    new = site.serve("1.3.0")
    assert site.chat()
    assert site.running() == site.of(new)
    for serves in (old, new):
        assert json.loads(site.at("rollback", "--json").out)["release"] == serves
        assert site.chat()
        assert (site.root / "current").readlink().name == serves
        assert site.running() == site.of(serves)


def test_an_older_bundle_is_refused_unless_allowed(docker_site: Spot) -> None:
    new = docker_site.serve("1.3.0")
    done = docker_site.install("1.0.0")
    assert done.code == 2
    assert "1.0.0 is older than 1.3.0" in done.err
    assert "--allow-downgrade" in done.err
    assert docker_site.state()["current"] == new
    assert docker_site.serve("1.0.0") != new
    assert docker_site.chat()


def test_other_settings_for_the_same_bundle(site: Spot) -> None:
    serving = site.serve("1.0.0")
    before, site.https = site.https, free_port()
    site.serve("1.0.0")
    assert site.chat()
    assert site.running() == site.of(serving)
    assert site.state()["settings"]["https_port"] == site.https
    left, site.https = site.https, before
    assert not site.answers()
    site.https = left


def test_settings_that_do_not_work_are_taken_back(docker_site: Spot) -> None:
    """The address is nobody's here (RFC 5737): no engine can listen there."""
    serving = docker_site.serve("1.0.0")
    settings = docker_site.state()["settings"]
    done = docker_site.run([*docker_site.arguments(docker_site.bundle("1.0.0")), "--address", "192.0.2.1"])
    assert done.code == 7
    assert json.loads(done.out)["error"]["hint"].startswith("The settings before are in force again.")
    assert docker_site.answers_soon()
    assert (docker_site.state()["settings"], docker_site.state()["moving"]) == (settings, None)
    assert docker_site.running() == docker_site.of(serving)


def test_prune_leaves_what_serves(docker_site: Spot) -> None:
    old, new = docker_site.serve("1.0.0"), docker_site.serve("1.3.0")
    removed = json.loads(docker_site.at("prune", "--keep", "1", "--json").out)
    assert old in removed["removed"]
    assert removed["warnings"] == []
    assert [path.name for path in (docker_site.root / "releases").iterdir()] == [new]
    assert docker_site.chat()
    assert docker_site.running() == docker_site.of(new)
    assert "there is no release to go back to" in docker_site.at("rollback").err


def test_from_one_engine_to_the_other(docker_site: Spot, podman_site: Spot) -> None:
    podman_site.at("uninstall", "--yes")
    docker_site.serve("1.3.0")
    docker_site.serve("1.0.0")
    moved = replace(docker_site, engine="podman", cli=podman_site.cli, env={**docker_site.env, **podman_site.env})
    release = moved.serve("1.0.0")
    assert moved.chat()
    assert moved.running() == moved.of(release)
    assert (docker_site.running(), docker_site.images()) == ([], [])
    assert docker_site.run(moved.arguments(moved.bundle("1.0.0")), PATH="/nowhere").code == 8
    assert moved.at("uninstall", "--yes").code == 0
    assert (moved.running(), moved.images()) == ([], [])


def test_uninstall_leaves_nothing_of_ours_and_all_of_others(site: Spot) -> None:
    site.serve("1.0.0")
    image = site.images()[0]
    site.ask("tag", image, "example.test/theirs:1")
    site.ask("network", "create", "theirs")
    site.ask("create", "--name", "theirs", "--entrypoint", "/none", "example.test/theirs:1")
    (site.root / "theirs").mkdir()
    (site.root / "theirs" / "notes").write_text("theirs")
    volumes = site.ask("volume", "ls", "--quiet")
    done = site.at("uninstall", "--yes", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["left"] == [str(site.root / "theirs"), str(site.root / "theirs" / "notes")]
    assert (site.running(), site.images()) == ([], [])
    assert sorted(path.name for path in site.root.rglob("*")) == ["notes", "theirs"]
    assert site.ask("ps", "--all", "--filter", "name=theirs", "--format", "{{.Names}}") == ["theirs"]
    assert "theirs" in site.ask("network", "ls", "--format", "{{.Name}}")
    assert site.ask("volume", "ls", "--quiet") == volumes
    site.ask("rm", "theirs")
    site.ask("network", "rm", "theirs")
    site.ask("rmi", "example.test/theirs:1")
