"""What a rehearsal leaves: nothing when it is interrupted; when it is killed, nothing that the next one misses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bundler.errors import MachineError
from bundler.progress import SILENT
from bundler.site.rehearse.desk import clear_leftovers, desk
from bundler.site.rehearse.living import lives, living
from bundler.site.rehearse.names import folder_name, networks, new_digits, of_folder, of_network
from tests.pack.stage import Heard
from tests.site.rehearse.stage import Stage

_ROOT = Path(__file__).parents[3]


@contextmanager
def running(stage: Stage) -> Iterator[subprocess.Popen[str]]:
    """The command, at the moment when its engine is there."""
    command = [sys.executable, "-m", "bundler.cli.main", "rehearse", str(stage.bundle), "--engine", stage.kind]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), **stage.environment}
    with subprocess.Popen(
        [*command, "--gpus", "none"], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:  # fmt: skip
        until = time.monotonic() + 180
        while not any(name.startswith("llm-engine-") for name in stage.left()):
            assert process.poll() is None and time.monotonic() < until, process.communicate()
            time.sleep(0.1)
        try:
            yield process
        finally:
            process.kill()


def test_an_interrupt_leaves_nothing(docker: Stage) -> None:
    with running(docker) as process:
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=120)
    assert process.returncode == 130, words
    assert "Traceback" not in words
    assert "taking everything away again" in words


def test_the_next_rehearsal_takes_away_what_a_killed_one_left(each: Stage) -> None:
    before = each.left()
    with running(each) as process:
        process.kill()
        process.communicate(timeout=60)
    left = [name for name in each.left() if name not in before]
    assert [name.partition("-trial")[0].rpartition("-")[0] for name in left if "engine" in name] == ["llm-engine"]
    assert any(name.startswith(f".llm-bundle-rehearsal-{each.kind}-") for name in left)
    heard = Heard()
    clear_leftovers(each.bundle.parent, each.kind, lambda kind: each.engine, heard)
    assert "removing what a rehearsal left that was killed" in heard.said[0]


def test_a_lost_folder_does_not_hide_what_the_engine_has(docker: Stage, tmp_path: Path) -> None:
    """The killed one worked elsewhere."""
    digits = new_digits()
    for name in networks(digits):
        docker.engine.create_network(name, digits, internal=True)
    with living(digits):
        clear_leftovers(tmp_path, "docker", lambda kind: docker.engine, SILENT)
        assert {*networks(digits)} <= docker.engine.networks().keys()
    clear_leftovers(tmp_path, "docker", lambda kind: docker.engine, SILENT)
    assert not {*networks(digits)} & docker.engine.networks().keys()


def test_what_lives_and_what_is_not_ours_stays(docker: Stage, tmp_path: Path) -> None:
    digits = new_digits()
    alive, foreign = tmp_path / folder_name("docker", digits), tmp_path / folder_name("docker", new_digits())
    alive.mkdir()
    foreign.symlink_to(tmp_path)
    (tmp_path / ".llm-bundle-rehearsal-docker-installed").mkdir()
    with living(digits):
        assert lives(digits)
        clear_leftovers(tmp_path, "docker", lambda kind: docker.engine, SILENT)
        assert alive.is_dir()
    clear_leftovers(tmp_path, "docker", lambda kind: docker.engine, SILENT)
    assert not alive.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [foreign.name, ".llm-bundle-rehearsal-docker-installed"]
    )


def test_what_cannot_be_removed_keeps_its_folder(docker: Stage, tmp_path: Path) -> None:
    """Somebody else made a network of that name."""
    heard = Heard()
    with desk(tmp_path, "docker", lambda kind: docker.engine, heard) as at:
        foreign = networks(at.digits)[1]
        docker.ask("network", "create", foreign)
    assert "is left, the next rehearsal tries again: " in heard.said[-1]
    assert "was not made by llm-bundle" in heard.said[-1]
    assert [path.name for path in tmp_path.iterdir()] == [folder_name("docker", at.digits)]
    docker.ask("network", "rm", foreign)
    clear_leftovers(tmp_path, "docker", lambda kind: docker.engine, SILENT)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(docker: Stage) -> None:
    with pytest.raises(MachineError, match="/proc"), desk(Path("/proc"), "docker", lambda kind: docker.engine, SILENT):
        pytest.fail("there is no desk")


@pytest.mark.parametrize(
    "name",
    [
        ".llm-bundle-rehearsal-docker-0123456789ab",
        ".llm-bundle-rehearsal-podman-01234g-trial",
        "llm-bundle-rehearsal-podman-012345-trial",
        ".llm-bundle-rehearsal-podman-012345-trial.bak",
    ],
)
def test_other_names_are_not_ours(name: str) -> None:
    assert of_folder(name) is None


def test_networks_of_an_installation_are_not_ours() -> None:
    assert of_network("llm-bundle-0123456789ab") is None
    assert of_network("llm-bundle-0123456789ab-front") is None
    assert of_network("llm-bundle-012345-trial-front") == "012345-trial"
