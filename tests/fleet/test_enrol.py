"""Enrolling: the address, the token and its file, the commands; nothing insecure unless it is asked for."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from kibana_assets.errors import MachineError, RefusedError, UsageError
from kibana_assets.fleet.enrol import (
    ARCHIVES,
    Enrolment,
    archives,
    check_version,
    commands,
    enrolment,
    keep_token,
    revoke,
)
from tests.fleet.conftest import Stage

AGENT = PurePosixPath(ARCHIVES) / "elastic-agent-9.4.3-linux-x86_64.tar.gz"
FOUND = Enrolment("https://fleet.example.internal:8220", "key", "c2VjcmV0OnNlY3JldDpzZWNyZXQ=")


@pytest.fixture
def installed(stage: Stage) -> Stage:
    stage.install()
    return stage


def test_our_own_token_is_made_once(installed: Stage) -> None:
    fleet = installed.part().fleet
    first = enrolment(fleet, "local-llm", "default")
    again = enrolment(fleet, "local-llm", "default")
    assert first == again
    assert first.url == "https://fleet.example.internal:8220"
    assert installed.stack.enrolment_keys[first.key]["name"].startswith("llm-bundle (")
    assert first.token not in repr(first)
    names = {one["name"].split()[0] for one in installed.stack.enrolment_keys.values()}
    assert names == {"Default", "llm-bundle"}


def test_revoking_leaves_other_tokens(installed: Stage) -> None:
    fleet = installed.part().fleet
    found = enrolment(fleet, "local-llm", "default")
    assert revoke(fleet, "local-llm", "default") == 1
    assert [one["active"] for one in installed.stack.enrolment_keys.values()] == [True, False]
    assert revoke(fleet, "local-llm", "default") == 0
    again = enrolment(fleet, "local-llm", "default")
    assert again.token != found.token
    assert installed.stack.enrolment_keys[again.key]["name"].startswith("llm-bundle-2 (")


def test_no_fleet_server(installed: Stage) -> None:
    fleet = installed.part().fleet
    installed.stack.hosts[0]["host_urls"] = ["http://fleet.example.internal:8220"]
    with pytest.raises(UsageError, match="expected https://") as caught:
        enrolment(fleet, "local-llm", "default")
    assert "--insecure" in caught.value.hint
    assert enrolment(fleet, "local-llm", "default", insecure=True).url.startswith("http://")
    assert enrolment(fleet, "local-llm", "default", "https://other:8220").url == "https://other:8220"
    installed.stack.hosts.clear()
    with pytest.raises(RefusedError, match="Fleet knows no Fleet Server"):
        enrolment(fleet, "local-llm", "default")


def test_a_token_that_is_not_shown(installed: Stage) -> None:
    fleet = installed.part().fleet
    enrolment(fleet, "local-llm", "default")
    for one in installed.stack.enrolment_keys.values():
        one["api_key"] = "$(reboot)"
    with pytest.raises(RefusedError, match="no enrolment token in the answer"):
        enrolment(fleet, "local-llm", "default")


def test_the_file_of_the_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    assert keep_token(path, FOUND.token) is True
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == f"{FOUND.token}\n"
    assert keep_token(path, FOUND.token) is False
    with pytest.raises(MachineError, match="holds something else") as caught:
        keep_token(path, "b3RoZXI6b3RoZXI6b3RoZXI=")
    assert FOUND.token not in str(caught.value)
    path.chmod(0o644)
    with pytest.raises(MachineError, match="is there already"):
        keep_token(path, FOUND.token)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MachineError):
        keep_token(link, FOUND.token)
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(MachineError, match="No such file"):
        keep_token(tmp_path / "nope" / "token", FOUND.token)


def test_the_commands_work_in_a_shell(tmp_path: Path) -> None:
    """With an agent that writes down its arguments, and file names that a shell would take apart."""
    token = "my token; $(reboot)"
    keep_token(tmp_path / token, FOUND.token)
    folder = tmp_path / ARCHIVES
    folder.mkdir(parents=True)
    (tmp_path / "elastic-agent-9.4.3-linux-x86_64").mkdir()
    agent = tmp_path / "elastic-agent-9.4.3-linux-x86_64" / "elastic-agent"
    agent.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > said\n')
    agent.chmod(0o755)
    subprocess.run(["tar", "-czf", folder / AGENT.name, agent.parent.name], cwd=tmp_path, check=True)
    digest = hashlib.sha512((folder / AGENT.name).read_bytes()).hexdigest()
    (folder / f"{AGENT.name}.sha512").write_text(f"{digest}  {AGENT.name}\n")
    agent.unlink()
    lines = commands(FOUND, AGENT, token, authority="/etc/ssl/our ca.pem")
    assert not any(FOUND.token in line for line in lines)
    script = "\n".join(["set -e", 'sudo() { "$@"; }', *lines])
    subprocess.run(["sh", "-c", script], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "said").read_text().splitlines() == [
        "install",
        "--non-interactive",
        f"--url={FOUND.url}",
        "--certificate-authorities=/etc/ssl/our ca.pem",
        f"--enrollment-token={FOUND.token}",
    ]


def test_nothing_insecure_by_default() -> None:
    assert "--insecure" not in commands(FOUND, AGENT, "token")[-1]
    assert "--insecure" in shlex.split(shlex.split(commands(FOUND, AGENT, "token", insecure=True)[-1])[-1])


def test_sudo_is_not_told_the_token() -> None:
    assert shlex.split(commands(FOUND, AGENT, "token")[-1])[:3] == ["sudo", "sh", "-c"]


def test_the_agents_of_a_release(tmp_path: Path) -> None:
    assert archives(tmp_path) == ()
    folder = tmp_path / ARCHIVES
    folder.mkdir(parents=True)
    for name in ("elastic-agent-9.4.3-linux-x86_64.tar.gz", "elastic-agent-9.10.0-linux-arm64.tar.gz", "x.tar.gz"):
        (folder / name).touch()
        (folder / f"{name}.sha512").touch()
    assert [one.name[14:20] for one in archives(tmp_path)] == ["9.10.0", "9.4.3-"]


@pytest.mark.parametrize(
    ("name", "stack"), [("elastic-agent-9.5.0-linux-x86_64.tar.gz", "9.4.3"), ("agent.tgz", "9.4.3")]
)
def test_agents_that_do_not_fit(name: str, stack: str) -> None:
    with pytest.raises(UsageError, match="--agent: "):
        check_version(name, stack)
    check_version(AGENT.name, "9.4.3")
    check_version(AGENT.name, "9.10.0-SNAPSHOT")
