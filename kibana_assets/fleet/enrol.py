"""Enrolling the agent of a host without internet: Fleet Server's address, a token, and the commands to type there.

Rules: the token is a secret. It goes into a file of mode 0600, never into output or into the arguments of a program of
ours; the agent itself takes it only as an argument, so the command reads the file. It is a key of our own, with our
name, so that it can be revoked afterwards: agents that have enrolled stay. Certificates are always verified, unless
somebody says ``--insecure``. Source: Elastic Agent's command reference; Fleet's enrollment_api_keys.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from kibana_assets.connection.address import segment, server
from kibana_assets.connection.form import NAME
from kibana_assets.errors import MachineError, RefusedError, UsageError
from kibana_assets.fleet.api import item, items
from kibana_assets.fleet.client import Fleet

Json = dict[str, Any]
KEY_NAME: Final = "llm-bundle"
_NAME: Final = re.compile(rf"{KEY_NAME}(?:-\d+)? \([^()]+\)")
ARCHIVES: Final = "elastic/downloads/beats/elastic-agent"
_TOKEN: Final = re.compile(r"[A-Za-z0-9+/=_-]{16,512}", re.ASCII)
_ARCHIVE: Final = re.compile(r"(elastic-agent-(\d+)\.(\d+)\.(\d+)[0-9A-Za-z.+-]*-linux-(?:x86_64|arm64))\.tar\.gz")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """``url`` is Fleet Server's, ``key`` the id of the token."""

    url: str
    key: str
    token: str = field(repr=False)


def enrolment(fleet: Fleet, policy: str, space: str, url: str = "", *, insecure: bool = False) -> Enrolment:
    """What an agent needs for a policy: our token is found again, or made. Raises: RefusedError; UnreachableError."""
    where = checked_url(url or _server(fleet, space), insecure=insecure)
    keys = _keys(fleet, policy, space)
    found = next((one for one in keys if one.get("active")), None)
    if found is None:
        # The names of revoked tokens stay taken.
        body = {"policy_id": policy, "name": KEY_NAME + (f"-{len(keys) + 1}" if keys else "")}
        made = fleet.api.call("POST", "enrollment_api_keys", body, space=space)
    else:
        made = fleet.api.call("GET", f"enrollment_api_keys/{segment(str(found['id']))}", space=space)
    key = item(made, fleet.api.place, {"id?": NAME})
    token = key.get("api_key")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        hint = "Has the login the privilege to see enrolment tokens (Fleet, Agents: All)?"
        raise RefusedError(f"{fleet.api.place}: no enrolment token in the answer", hint=hint)
    return Enrolment(where, key.get("id") or "", token)


def revoke(fleet: Fleet, policy: str, space: str) -> int:
    """Make our tokens of a policy useless; how many there were. Raises: as Api.call."""
    keys = [one for one in _keys(fleet, policy, space) if one.get("active")]
    for one in keys:
        fleet.api.call("DELETE", f"enrollment_api_keys/{segment(str(one['id']))}", space=space)
    return len(keys)


def checked_url(url: str, *, insecure: bool) -> str:
    """Fleet Server's address, fit for a command. Raises: UsageError."""
    found = server(url, "--fleet-server")
    if not found.secure and not insecure:
        raise UsageError(
            f"--fleet-server: expected https://, found {found.url}",
            hint="Give Fleet Server a certificate. Without one the agent needs --insecure, which anybody can read.",
        )
    return found.url


def keep_token(path: Path, token: str) -> bool:
    """Write the token into a new file that its owner alone can read; False if the file has just this token already.

    Raises: MachineError.
    """
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        if _has(path, token):
            return False
        hint = "Name another file, or remove that one."
        raise MachineError(f"{path}: is there already, and holds something else", hint=hint) from None
    except OSError as error:
        raise MachineError(
            f"{path}: {error.strerror}", hint="Name a file in a folder that you can write to."
        ) from error
    with os.fdopen(number, "w", encoding="ascii") as file:
        file.write(f"{token}\n")
    return True


def archives(folder: Path) -> tuple[Path, ...]:
    """The agents that a release has brought, newest first."""
    try:
        found = [one for one in (folder / ARCHIVES).iterdir() if _ARCHIVE.fullmatch(one.name)]
    except OSError:
        return ()
    return tuple(sorted(found, key=lambda one: version_of(one.name), reverse=True))


def version_of(name: str) -> tuple[int, int, int]:
    """The version in an archive's name. Raises: UsageError for another name."""
    found = _ARCHIVE.fullmatch(name)
    if not found:
        hint = "As in elastic-agent-9.4.3-linux-x86_64.tar.gz; bundle.yml brings one along with elastic.agent."
        raise UsageError(f"--agent: expected an archive of Elastic Agent, found {name[:80]!r}", hint=hint)
    return int(found[2]), int(found[3]), int(found[4])


def check_version(archive: str, stack: str) -> None:
    """Raises: UsageError for an agent that is newer than the stack, which Fleet Server would turn away."""
    agent = version_of(archive)
    newest = tuple(int(one) for one in stack.partition("-")[0].split("."))
    if agent > newest:
        raise UsageError(
            f"--agent: {archive} is newer than the stack, {stack}",
            hint="Fleet Server takes agents up to its own version: lock bundle.yml with that version as elastic.agent.",
        )


def commands(
    found: Enrolment, archive: PurePosixPath, token_file: str, *, authority: str = "", insecure: bool = False
) -> tuple[str, ...]:
    """What to type on the GPU host, in the folder of the release, where the token's file has been put too."""
    version_of(archive.name)
    folder = archive.name.removesuffix(".tar.gz")
    options: Iterable[str] = [
        "--non-interactive",
        f"--url={shlex.quote(found.url)}",
        *([f"--certificate-authorities={shlex.quote(authority)}"] if authority else []),
        *(["--insecure"] if insecure else []),
        f'--enrollment-token="$(cat {shlex.quote(token_file)})"',
    ]
    # sudo logs what it is called with: the token is read behind it.
    install = shlex.quote(f"./{folder}/elastic-agent install {' '.join(options)}")
    there = str(archive.parent)
    check = f"sha512sum -c {shlex.quote(archive.name + '.sha512')}"
    return (
        check if there == "." else f"(cd {shlex.quote(there)} && {check})",
        f"tar -xzf {shlex.quote(str(archive))}",
        f"sudo sh -c {install}",
    )


def _keys(fleet: Fleet, policy: str, space: str) -> list[Json]:
    """Our tokens of a policy, also those that were revoked."""
    query = {"kuery": f'policy_id:"{policy}"', "perPage": "1000"}
    answer = fleet.api.call("GET", "enrollment_api_keys", space=space, query=query)
    rows = items(answer, fleet.api.place, {"id": NAME, "name?": str, "active?": bool})
    return [one for one in rows if _NAME.fullmatch(one.get("name") or "")]


def _server(fleet: Fleet, space: str) -> str:
    rows = items(fleet.api.call("GET", "fleet_server_hosts", space=space), fleet.api.place, {"host_urls?": [str]})
    for one in sorted(rows, key=lambda one: one.get("is_default") is not True):
        if one.get("host_urls"):
            return str(one["host_urls"][0])
    hint = "Add one in Kibana (Fleet, Settings), start it, or name it with --fleet-server."
    raise RefusedError(f"{fleet.api.place}: Fleet knows no Fleet Server", hint=hint)


def _has(path: Path, token: str) -> bool:
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(number, "rb") as file:
            private = not os.fstat(number).st_mode & 0o077
            return private and file.read(1024).strip() == token.encode()
    except OSError:
        return False
