"""Engine and proxy in containers of real engines: what reaches them, what they may do, and what nobody sees."""

from __future__ import annotations

import http.client
import json
import re
import stat
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bundler.site.engines.docker import Docker
from bundler.site.engines.interface import Engine
from bundler.site.engines.podman import Podman
from bundler.site.parts.keys import engine_key
from bundler.site.parts.network import Networks
from tests.counterparts.outside import outside
from tests.site.parts.stage import Site, ask, chat


def digits(site: Site) -> str:
    return site.release.id[-12:]


def inside(site: Site, path: str, **query: str) -> tuple[int, Any]:
    """What the engine itself answers this host, without a key."""
    address = Networks(site.engine, digits(site)).look().engine(0)
    connection = http.client.HTTPConnection(address, 8000, timeout=20)
    try:
        connection.request("GET", f"{path}?{urlencode(query)}")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_chat_completion_through_tls(serving: Site) -> None:
    status, answer = chat(serving)
    assert (status, answer["object"]) == (200, "chat.completion")
    assert chat(serving, "x" * 43)[0] == 401
    assert ask(serving, "GET", "/v1/models")[0] == 200


def test_only_what_is_listed_goes_through(serving: Site) -> None:
    assert inside(serving, "/metrics")[0] == 200
    for method, path in (("POST", "/invocations"), ("GET", "/metrics"), ("GET", "/health"), ("GET", "/probe")):
        assert ask(serving, method, path)[0] == 404, path


def test_the_parts_say_how_they_are(serving: Site) -> None:
    parts = serving.parts
    engine, proxy = (part.state() for part in parts.all)
    for state in (engine, proxy):
        assert (state.running, state.healthy) == (True, True)
        assert re.fullmatch(r"(\S+ was started again \d+ times)?", state.detail), "other tests had it crash"
        assert state.since.startswith("20") and state.image.startswith("sha256:")
    assert engine.image != proxy.image
    assert "Application startup complete." in parts.engine.logs()
    assert parts.url == f"https://llm.example.internal:{parts.connect[1]}"
    assert (parts.model, parts.server_name) == ("org/tiny", "llm.example.internal")


def test_the_engine_has_no_way_out(serving: Site) -> None:
    with outside() as (address, port):
        found = inside(serving, "/probe", address=address, port=str(port), name="deb.debian.org")[1]
    assert found["connects"].startswith("no: ")
    assert found["resolves"].startswith("no: ")
    assert found["writable"] == ["/llm-bundle/cache", "/tmp", "/dev/shm"]
    assert (found["uid"], found["capabilities"], found["no_new_privileges"]) == (65532, 0, True)


def inspected(engine: Engine, name: str) -> Any:
    """All that the engine tells of a container."""
    if isinstance(engine, Docker):
        return engine._api.get(f"/containers/{name}/json", "looking")
    assert isinstance(engine, Podman)
    command = [*engine._program.command, "container", "inspect", name]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)[0]


def test_no_secret_is_in_an_argument_or_shown(serving: Site) -> None:
    key = engine_key(serving.place)
    engine = inspected(serving.engine, f"llm-engine-{digits(serving)}-1")
    assert f"VLLM_API_KEY={key}" in engine["Config"].pop("Env")
    texts = [json.dumps(engine), json.dumps(inspected(serving.engine, f"llm-proxy-{digits(serving)}"))]
    texts.append(subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout)
    texts += [part.logs() for part in serving.parts.all]
    for text in texts:
        assert key not in text
        assert serving.token not in text


def test_what_is_mounted_belongs_to_nobody_else(serving: Site) -> None:
    place = serving.place
    for folder in (place.proxy_secrets, place.tls, place.work(serving.release.id) / "nginx"):
        assert described(folder) == (65532, 0o700)
        assert {described(path) for path in folder.iterdir()} == {(65532, 0o600)}
    assert described(place.secrets) == (0, 0o700)
    assert described(place.engine_env) == (0, 0o600)
    assert described(place.work(serving.release.id) / "cache" / "1") == (65532, 0o700)
    assert {path.name for path in place.logs.iterdir()} >= {"access.json.log", "access.log", "error.log"}


def described(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, stat.S_IMODE(found.st_mode)


def test_containers_can_do_little(serving: Site) -> None:
    """The proxy too: no capability, a root that is read-only, nothing but its two folders writable."""
    found = inspected(serving.engine, f"llm-proxy-{digits(serving)}")
    assert found["Config"]["User"] == "65532:65532"
    assert found["HostConfig"]["ReadonlyRootfs"] is True
    writable = [mount["Destination"] for mount in found["Mounts"] if mount["RW"] and mount["Type"] == "bind"]
    assert writable == ["/var/log/llm-bundle"]
    pid = found["State"]["Pid"]
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    assert int(status["CapEff"], 16) | int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"
