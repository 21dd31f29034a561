"""On a machine without any network but its loopback, from a read-only medium, by the tool that lies in the bundle.

The machine is a network namespace of its own; the engine runs in it too. The tool runs on the system's own Python, with
nothing in its environment but a PATH, and a chat completion is asked for by curl.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.counterparts.docker import started
from tests.counterparts.mounts import mounted
from tests.counterparts.need import need
from tests.site.install.spot import Spot, docker_spot, podman_spot
from tests.site.install.world import MODEL, NAME, Done, World


@contextmanager
def no_network() -> Iterator[tuple[str, ...]]:
    """What to put before a command, so that it runs where there is nothing but a loopback."""
    if os.geteuid():
        pytest.skip("a network namespace needs root: sudo make test")
    sleeper = subprocess.Popen(["unshare", "--net", "sleep", "3600"])
    prefix = ("nsenter", f"--net=/proc/{sleeper.pid}/ns/net")
    try:
        while Path(f"/proc/{sleeper.pid}/ns/net").readlink() == Path("/proc/self/ns/net").readlink():
            assert sleeper.poll() is None
        subprocess.run([*prefix, "ip", "link", "set", "lo", "up"], check=True)
        assert subprocess.run([*prefix, "ip", "route"], check=True, capture_output=True).stdout == b""
        yield prefix
    finally:
        sleeper.terminate()
        sleeper.wait()


def at_site(spot: Spot, prefix: tuple[str, ...], tool: Path, *arguments: str) -> Done:
    """The tool in the bundle, as an administrator starts it."""
    kept = {
        name: value
        for name, value in {**os.environ, **spot.env}.items()
        if name in ("PATH", "CONTAINERS_CONF", "DOCKER_HOST")
    }
    done = subprocess.run(
        [*prefix, "/usr/bin/python3", str(tool), *arguments],
        env=kept, cwd="/", capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def curl(spot: Spot, prefix: tuple[str, ...]) -> str:
    """A chat completion through TLS."""
    question = {"model": MODEL, "messages": [{"role": "user", "content": "Say: ready"}]}
    headers = spot.root / "headers"
    headers.write_text(f"Authorization: Bearer {spot.token}\n")
    done = subprocess.run(
        [*prefix, need("curl", "curl"), "--silent", "--show-error", "--fail",
         "--cacert", str(spot.world.certificate.ca), "--resolve", f"{NAME}:{spot.https}:127.0.0.1",
         "--header", f"@{headers}", "--json", json.dumps(question),
         f"https://{NAME}:{spot.https}/v1/chat/completions"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    headers.unlink()
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["choices"][0]["message"]["content"])


def whole_way(spot: Spot, prefix: tuple[str, ...], medium: Path) -> None:
    """From the medium to a service, to an upgrade that comes back, to nothing."""
    tool = spot.root.parent / "llm-bundle.pex"
    for version in ("1.0.0", "1.1.0"):
        shutil.copy(spot.bundle(version), medium)
    with subprocess.Popen(
        ["tar", "-xOf", medium / "tiny-1.0.0.tar", "tiny-1.0.0/llm-bundle.pex"], stdout=subprocess.PIPE
    ) as tar:
        assert tar.stdout
        tool.write_bytes(tar.stdout.read())
    subprocess.run(["mount", "-o", "remount,ro", str(medium)], check=True)
    done = at_site(spot, prefix, tool, *spot.arguments(medium / "tiny-1.0.0.tar"))
    assert done.code == 0, done.err + done.out
    assert curl(spot, prefix)
    assert at_site(spot, prefix, tool, *spot.arguments(medium / "tiny-1.1.0.tar")).code == 7
    assert at_site(spot, prefix, tool, "status", "--root", str(spot.root)).code == 0
    assert curl(spot, prefix)
    assert at_site(spot, prefix, tool, "uninstall", "--yes", "--root", str(spot.root)).code == 0
    assert not spot.root.exists()


def test_on_docker(world: World, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with no_network() as prefix, mounted("tmpfs", tmp_path / "medium", size=80 << 20) as medium:
        program = tmp_path / "dockerd"
        program.write_text(f'#!/bin/sh\nexec {" ".join(prefix)} {need("dockerd", "docker.io")} "$@"\n')
        program.chmod(0o755)
        with started(str(program), tmp_path_factory.mktemp("own")) as socket:
            whole_way(docker_spot(world, tmp_path / "site", socket), prefix, medium)


def test_on_podman(world: World, tmp_path: Path, podman_command: tuple[str, ...]) -> None:
    with no_network() as prefix, mounted("tmpfs", tmp_path / "medium", size=80 << 20) as medium:
        whole_way(podman_spot(world, tmp_path / "site", podman_command), prefix, medium)
