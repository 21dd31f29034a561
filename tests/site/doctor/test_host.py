"""The host: real ports, real file systems, the real clock."""

from __future__ import annotations

import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.layout.manifest import ImageEntry, Manifest
from bundler.layout.member import Member
from bundler.site.doctor import host
from bundler.site.doctor.examine import blocked, examine
from bundler.site.doctor.interface import Finding, Wish
from tests.counterparts.mounts import mounted

D = Digest("0" * 64)


def manifest(size: int, *, image: int = 0, created: int = 0) -> Manifest:
    images = (ImageEntry("engine", "x", "linux/amd64", D, D, image),) if image else ()
    return Manifest("a", "1", "linux/amd64", created, "0", (Member("models/w", size, D, "model"),), images)


def test_space_on_a_small_disk(tmp_path: Path) -> None:
    with mounted("tmpfs", tmp_path / "small", size=8 << 20) as small:
        wish = Wish(small / "not" / "yet", manifest=manifest(100 << 20))
        row = next(row for row in host.check_space(wish) if str(small) in row.check)
        assert row.state == "block"
        assert "Free some space" in row.fix
        assert next(iter(host.check_space(Wish(small, manifest=manifest(1 << 20))))).state == "ok"


def test_release_and_images_on_one_disk_are_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_device", lambda path: 1)
    rows = list(host.check_space(Wish(tmp_path, manifest=manifest(1 << 60, image=1 << 50))))
    assert [row.state for row in rows] == ["block"]


def test_a_port_that_is_taken_and_one_that_is_free() -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        row = next(iter(host.check_ports(Wish(Path(), ports=(port,)))))
        assert (row.state, row.found) == ("block", "Address already in use")
        assert f":{port}" in row.fix
    assert next(iter(host.check_ports(Wish(Path(), ports=(port,))))).state == "ok"


def test_only_the_addresses_that_are_listened_on_count() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.2", 0))
        taken.listen()
        wish = Wish(Path(), ports=(taken.getsockname()[1],))
        assert [row.state for row in host.check_ports(replace(wish, addresses=("127.0.0.1",)))] == ["ok"]
        assert [row.state for row in host.check_ports(replace(wish, addresses=("127.0.0.2",)))] == ["block"]
        (row,) = host.check_ports(replace(wish, addresses=("192.0.2.1",)))
        assert (row.state, row.found) == ("block", "Cannot assign requested address")
        assert "ip -brief address" in row.fix


@pytest.mark.parametrize(("ahead", "state"), [(-1000, "ok"), (3600, "ok"), (10 * 86_400, "block")])
def test_the_clock(ahead: int, state: str) -> None:
    made = manifest(1, created=int(time.time()) + ahead)
    assert next(iter(host.check_clock(Wish(Path(), manifest=made)))).state == state


def test_limits_and_guards_are_always_looked_at() -> None:
    checks = [*host.check_limits(Wish(Path())), *host.check_guards(Wish(Path()))]
    assert [row.check for row in checks] == ["open files", "/dev/shm", "SELinux", "firewalld"]


def test_examine_blocks_on_any_block(tmp_path: Path) -> None:
    rows = examine(Wish(tmp_path, manifest=manifest(1 << 60)))
    assert blocked(rows)
    assert not blocked((Finding("x", "warn", "y"),))


def test_the_ports_of_what_serves_now_are_its_own() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        wish = Wish(Path(), ports=(port,), addresses=("127.0.0.1",))
        assert [row.state for row in host.check_ports(wish)] == ["block"]
        assert [row.state for row in host.check_ports(replace(wish, own_ports=frozenset({port})))] == ["ok"]


def test_a_root_that_is_a_file_and_one_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    (row,) = host.check_root(Wish(file))
    assert (row.state, row.found) == ("block", f"{file} is no folder")
    with mounted("tmpfs", tmp_path / "medium", size=1 << 20) as medium:
        subprocess.run(["mount", "-o", "remount,ro", str(medium)], check=True, timeout=20)
        (row,) = host.check_root(Wish(medium / "site"))
    assert (row.state, row.found) == ("block", f"this user cannot write to {medium}")
    (row,) = host.check_root(Wish(tmp_path / "not" / "yet"))
    assert (row.state, row.found) == ("ok", str(tmp_path / "not" / "yet"))
