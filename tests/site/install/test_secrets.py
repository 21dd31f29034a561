"""Tokens and the engine's key: below ``secrets/``, in the memory of those who need them, and nowhere else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.site.install.spot import Spot


@contextmanager
def command_lines() -> Iterator[set[bytes]]:
    """Those of all processes of this machine that are seen meanwhile."""
    seen: set[bytes] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(path.read_bytes())

    looker = threading.Thread(target=look)
    looker.start()
    try:
        yield seen
    finally:
        over.set()
        looker.join()


def secrets_of(spot: Spot) -> list[bytes]:
    """All tokens and the engine's key."""
    tokens = json.loads((spot.root / "secrets" / "tokens.json").read_text())["tokens"]
    key = (spot.root / "secrets" / "engine.env").read_text().strip().rpartition("=")[2]
    found = [*(token["token"] for token in tokens), key]
    assert len(found) > 2
    assert all(len(secret) >= 32 for secret in found)
    return [secret.encode() for secret in found]


def looked_at(spot: Spot) -> str:
    """What the engine shows of both containers, their environment apart: who may ask it is as good as root."""
    shown = json.loads(" ".join(spot.ask("inspect", *spot.containers())))
    for container in shown:
        environment = container["Config"].pop("Env")
        assert any("VLLM_API_KEY" in line for line in environment) == ("llm-engine" in container["Name"])
    return json.dumps(shown)


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_nobody_sees_them(engine: str, request: pytest.FixtureRequest) -> None:
    spot: Spot = request.getfixturevalue(f"on_{engine}")
    with command_lines() as seen:
        first = spot.install("1.0.0")
        failed = spot.install("1.2.0")
    assert (first.code, failed.code) == (0, 7)
    assert any(b"bundler.cli.main" in line for line in seen)
    assert spot.answers_soon()
    places = {"argv": b"\0".join(seen), "inspect": looked_at(spot).encode()}
    places |= {"output": "".join((first.out, first.err, failed.out, failed.err)).encode()}
    for path in spot.root.rglob("*"):
        if path.is_file() and spot.root / "secrets" not in path.parents:
            places[str(path)] = path.read_bytes()
    assert str(spot.root / "audit.log") in places
    for secret in secrets_of(spot):
        assert [place for place, text in places.items() if secret in text] == []


def test_who_may_read_them(on_docker: Spot) -> None:
    """Others read neither folder nor files; what was opened up is closed again, or refused."""
    on_docker.serve("1.0.0")
    secrets = on_docker.root / "secrets"
    secrets.chmod(0o755)
    on_docker.serve("1.0.0")
    assert secrets.stat().st_mode & 0o777 == 0o700
    open_to_others = [path for path in secrets.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert [path.name for path in open_to_others] in ([], ["server.crt"])
    (secrets / "tokens.json").chmod(0o644)
    done = on_docker.install("1.0.0")
    assert done.code == 6
    error = json.loads(done.out)["error"]
    assert "others than its owner may read it" in error["message"]
    assert "token rotate" in error["hint"]
    assert on_docker.chat()
    (secrets / "tokens.json").chmod(0o600)


def test_the_audit_log_tells_of_every_deed(on_docker: Spot) -> None:
    on_docker.serve("1.0.0")
    assert on_docker.install("1.2.0").code == 7
    assert on_docker.at("rollback").code == 2
    assert on_docker.at("token", "list").code in (0, 2)
    assert on_docker.at("prune", "--keep", "1").code == 0
    lines = [json.loads(line) for line in (on_docker.root / "audit.log").read_text().splitlines()]
    told = [(line["event"]["action"], line["event"]["outcome"]) for line in lines]
    assert told == [("install", "success"), ("install", "failure"), ("rollback", "failure"), ("prune", "success")]
    assert "on purpose" in lines[1]["error"]["message"]
    assert lines[1]["local_llm"]["release"].startswith("tiny-1.2.0-")
    assert lines[3]["local_llm"]["removed"].startswith("tiny-1.2.0-")
