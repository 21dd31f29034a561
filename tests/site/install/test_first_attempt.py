"""A first installation that failed, and the next attempt: what was chosen for it binds nobody."""

from __future__ import annotations

import json
from dataclasses import replace

from tests.counterparts.port import free_port
from tests.site.install.spot import Spot


def test_choices_of_a_failed_attempt_are_forgotten_and_what_the_engine_said_is_kept(on_docker: Spot) -> None:
    done = on_docker.install("1.1.0", "--monitor", "192.0.2.7")
    assert done.code == 7, done.err
    log = next(on_docker.root.glob("work/*/engine.log"))
    assert "CUDA out of memory, on purpose" in log.read_text()
    assert str(log) in json.loads(done.out)["error"]["hint"]
    done = on_docker.install("1.0.0")
    assert done.code == 0, done.err
    assert on_docker.state()["settings"]["monitors"] == ["127.0.0.1"]
    assert on_docker.answers()


def test_an_attempt_with_another_engine_leaves_nothing_in_it(on_docker: Spot, on_podman: Spot) -> None:
    before = set(on_podman.images())
    first = replace(on_docker, engine="podman", cli=on_podman.cli, env={**on_docker.env, **on_podman.env})
    done = first.install("1.1.0")
    assert done.code == 7, done.err
    assert first.images()
    done = replace(first, engine="docker", cli=on_docker.cli).install("1.0.0")
    assert done.code == 0, done.err
    assert set(first.images()) <= before
    assert first.containers() == []
    assert on_docker.answers()


def test_the_folder_of_the_token_is_looked_for_before_anything_is_unpacked(on_docker: Spot) -> None:
    done = on_docker.install("1.0.0", "--token-file", str(on_docker.root / "no" / "such" / "file"))
    assert done.code == 6
    assert "no/such: there is no such folder" in json.loads(done.out)["error"]["message"]
    assert not list(on_docker.root.glob("releases/*"))


def test_the_same_bundle_below_another_root_leaves_the_first_alone(on_docker: Spot) -> None:
    assert on_docker.install("1.0.0").code == 0
    second = replace(on_docker, root=on_docker.root.with_name("second"), https=free_port(), http=free_port())
    done = second.install("1.0.0")
    assert done.code == 7, done.err
    assert "already, for an installation below another root" in json.loads(done.out)["error"]["message"]
    assert second.at("uninstall", "--yes").code == 0
    assert on_docker.answers()
    assert on_docker.at("uninstall", "--yes").code == 0
    assert second.install("1.0.0").code == 0
    assert second.at("uninstall", "--yes").code == 0
