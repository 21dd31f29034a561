"""No token and no password in any byte that the tool leaves or says, nor in what other users see of it (argv)."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.counterparts.registry import PASSWORD, USER
from tests.end_to_end.conftest import Journey, World
from tests.end_to_end.stage import MODEL, TOKEN, Done

WRONG = "hf_WRONGwrongWRONG"
SECRETS = (TOKEN, PASSWORD, b64encode(f"{USER}:{PASSWORD}".encode()).decode(), quote(PASSWORD), WRONG)


def leaks(data: bytes | str) -> list[str]:
    text = data if isinstance(data, bytes) else data.encode()
    return [secret for secret in SECRETS if secret.encode() in text]


def require_silence(done: Done) -> None:
    assert done.argv, "the command line was never seen"
    assert [leaks(text) for text in (done.out, done.err, b"\n".join(done.argv))] == [[], [], []]


def test_both_servers_asked_for_a_secret(journey: Journey, world: World) -> None:
    """Without this the other tests could not fail."""
    sent = {seen.headers.get("authorization") for seen in world.hub.requests("hub")}
    assert f"Bearer {TOKEN}" in sent
    assert {seen.headers.get("authorization") for seen in world.hub.requests("storage")} == {None}
    assert journey.bundle.stat().st_size > 0


@pytest.mark.parametrize("command", ["lock", "plan", "build", "verify", "inspect", "unpack", "diff"])
def test_nothing_is_said(journey: Journey, command: str) -> None:
    require_silence(journey.runs[command])


def test_nothing_is_written(journey: Journey) -> None:
    files = [path for path in journey.desk.folder.rglob("*") if path.is_file()]
    assert {"bundle.lock", "bundle.yml", journey.bundle.name} <= {path.name for path in files}
    assert [(path, leaks(path.read_bytes())) for path in files if leaks(path.read_bytes())] == []


def test_no_secret_in_the_texts_of_refusals(world: World, tmp_path: Path) -> None:
    """A wrong password, a wrong token: what is refused is not repeated."""
    config = tmp_path / "docker"
    config.mkdir()
    wrong = b64encode(f"{USER}:{WRONG}".encode()).decode()
    (config / "config.json").write_text(f'{{"auths": {{"{world.closed.host}": {{"auth": "{wrong}"}}}}}}')
    desk = world.desk(tmp_path / "registry", DOCKER_CONFIG=str(config))
    desk.write(world.yml())
    done = desk.run("lock", "--json", code=4)
    assert "not without a login" in done.err
    require_silence(done)
    assert wrong not in done.err + done.out
    other = world.desk(tmp_path / "hub", HF_TOKEN=WRONG)
    other.write(world.yml())
    done = other.run("lock", "--json", code=4)
    assert f"{MODEL} at " in done.err
    assert "the hub refuses the token" in done.err
    require_silence(done)


def test_a_proxy_with_a_password_that_fails_is_named_without_it(world: World, tmp_path: Path) -> None:
    desk = world.desk(tmp_path, HTTP_PROXY=f"http://{USER}:{PASSWORD}@127.0.0.1:9")
    desk.write(world.yml())
    process = desk.start("lock")
    try:
        assert process.stderr
        said = process.stderr.readline().decode()
    finally:
        process.kill()
        process.communicate()
    assert "the proxy failed: Connection refused; trying again" in said
    assert leaks(said) == []
