"""What install refuses before anything is changed, each with what was found and what to do."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.counterparts.certificates import Authority, Certificate
from tests.counterparts.mounts import mounted
from tests.site.install.spot import Spot, ended
from tests.site.install.world import NAME, Done, World, run


def error_of(done: Done) -> tuple[str, str]:
    """Message and hint; what is on stderr says the same."""
    found = json.loads(done.out)["error"]
    assert found["code"] == done.code
    assert found["hint"], found
    assert found["message"].splitlines()[0] in done.err
    return found["message"], found["hint"]


def blocks(done: Done, check: str) -> str:
    """What doctor found that blocks, which has that name alone."""
    assert done.code == 8, done.err
    (row,) = [row for row in json.loads(done.out)["findings"] if row["state"] == "block"]
    assert row["check"] == check
    assert row["fix"]
    return str(row["found"])


@pytest.fixture
def spot(on_docker: Spot) -> Iterator[Spot]:
    """A place where nothing may be afterwards."""
    before = set(on_docker.images())
    yield on_docker
    assert on_docker.running() == []
    assert set(on_docker.images()) <= before
    assert not (on_docker.root / "state.json").exists()
    assert not list(on_docker.root.glob("releases/*"))


def copied(world: World, folder: Path) -> Path:
    return Path(shutil.copy(world.connected / "tiny-1.0.0.tar", folder / "copy.tar"))


def cut(bundle: Path) -> None:
    os.truncate(bundle, bundle.stat().st_size // 2)


def flip(bundle: Path) -> None:
    with bundle.open("r+b") as file:
        file.seek(bundle.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


def other(bundle: Path) -> None:
    bundle.write_bytes(b"no bundle" * 10_000)


@pytest.mark.parametrize("harm", [cut, flip, other])
def test_a_damaged_bundle(spot: Spot, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    bundle = copied(spot.world, tmp_path)
    harm(bundle)
    done = spot.install(bundle)
    assert done.code == 5, done.err
    if harm is flip:
        (damage,) = json.loads(done.out)["verified"]["damaged"]
        assert "expected sha256:" in damage["reason"]
    else:
        message, _ = error_of(done)
        assert bundle.name in message


def test_a_bundle_that_is_not_there(spot: Spot, tmp_path: Path) -> None:
    done = spot.install(tmp_path / "none.tar")
    assert done.code == 6
    message, _ = error_of(done)
    assert "none.tar" in message
    assert not spot.root.exists()


def test_signatures(spot: Spot, tmp_path: Path) -> None:
    """Nothing is looked at, nor asked for, before the signature is good."""
    for name in ("ours", "theirs"):
        assert run("keygen", "--no-password", "--output", f"{name}.key", cwd=tmp_path).code == 0
    bundle = copied(spot.world, tmp_path)
    done = spot.install(bundle, "--key", str(tmp_path / "ours.pub"))
    assert done.code == 5
    assert json.loads(done.out)["verified"]["signature"] == "absent"
    assert run("sign", str(bundle), "--key", str(tmp_path / "theirs.key"), cwd=tmp_path).code == 0
    done = spot.install(bundle, "--key", str(tmp_path / "ours.pub"))
    assert done.code == 5
    assert json.loads(done.out)["verified"]["signature"] == "invalid"
    assert json.loads(done.out)["findings"] == []


def certificates(folder: Path, name: str, *names: str, days: int = 90) -> Certificate:
    made = Authority(folder / name).server(*names, days=days)
    made.key.chmod(0o600)
    return made


def tls(certificate: Path, key: Path) -> tuple[str, ...]:
    return ("--tls-cert", str(certificate), "--tls-key", str(key))


def test_certificates(spot: Spot, tmp_path: Path) -> None:
    foreign = certificates(tmp_path, "foreign", "other.example")
    old = certificates(tmp_path, "old", NAME, days=-1)
    found = blocks(spot.install("1.0.0", *tls(foreign.certificate, foreign.key)), "certificate's names")
    assert found == "other.example"
    assert "expired" in blocks(spot.install("1.0.0", *tls(old.certificate, old.key)), "certificate")
    own = spot.world.certificate.certificate
    assert "is the key of another certificate" in blocks(spot.install("1.0.0", *tls(own, foreign.key)), "key")
    bare = [*spot.arguments(spot.bundle("1.0.0"))]
    at = bare.index("--tls-cert")
    done = spot.run(bare[:at] + bare[at + 4 :])
    assert done.code == 2
    message, hint = error_of(done)
    assert NAME in message
    assert "tls make-ca" in hint


def test_a_file_where_the_token_is_to_go(spot: Spot, tmp_path: Path) -> None:
    (tmp_path / "kibana.token").write_text("mine\n")
    done = spot.install("1.0.0", "--token-file", str(tmp_path / "kibana.token"))
    assert done.code == 6
    message, hint = error_of(done)
    assert message == f"{tmp_path / 'kibana.token'}: is there already"
    assert "--token-file" in hint
    assert (tmp_path / "kibana.token").read_text() == "mine\n"


def test_an_engine_that_is_not_there(spot: Spot, tmp_path: Path) -> None:
    spot.env = {**spot.env, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    assert blocks(spot.install("1.0.0"), "container engine") == "Docker does not answer"
    spot.env = {"DOCKER_HOST": spot.cli[-1]}


def test_a_root_that_cannot_be_written(spot: Spot, tmp_path: Path) -> None:
    with mounted("tmpfs", tmp_path / "disk", size=1 << 20) as disk:
        (disk / "file").write_text("in the way")
        for root, words in ((disk / "file" / "site", "Not a directory"), (disk / "site", "Read-only file system")):
            done = spot.run([*spot.arguments(spot.bundle("1.0.0")), "--root", str(root)])
            assert done.code == 6
            message, _ = error_of(done)
            assert message == f"{root}: cannot make: {words}"
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


def test_two_at_once(spot: Spot) -> None:
    first = spot.start(spot.arguments(spot.bundle("1.0.0")))
    lock = spot.root / ".lock"
    while not lock.exists() or not lock.read_text():
        time.sleep(0.01)
    first.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    for command in ("install", "prune", "uninstall"):
        done = spot.install("1.0.0") if command == "install" else spot.at(command, *(["--yes"] * (command != "prune")))
        assert done.code == 6
        assert f"install (process {first.pid}) is changing this installation" in done.err
    assert time.monotonic() - began < 30
    ended(first, signal.SIGKILL)
    assert spot.install("1.0.0").code == 0
    assert spot.at("uninstall", "--yes").code == 0
