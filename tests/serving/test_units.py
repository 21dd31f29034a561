"""Quadlet units and the Compose file, read by those who will read them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bundler.serving.compose import compose_file
from bundler.serving.container import ContainerSpec, Mount, Publish, Ulimit, engine_container
from bundler.serving.quadlet import container_unit
from bundler.serving.unit_text import argument
from tests.counterparts.need import need
from tests.serving.test_container import CHOICES
from tests.serving.test_plan import PLAN

AWKWARD = "a b\"c'd\\e%h$HOME${X}ü"
SPEC = replace(
    engine_container(replace(PLAN, served_name=AWKWARD), CHOICES),
    networks=("llm-bundle", "llm-bundle-front"),
    address="10.9.8.7",
    publish=(Publish("::1", 8443, 443), Publish("127.0.0.1", 8080, 80)),
    mounts=(Mount("/srv/with space/model", "/model"), Mount("/srv/cache", "/cache", writable=True)),
    ulimits=(Ulimit("nofile", 100, 200),),
)
GENERATORS = ("/usr/libexec/podman/quadlet", "/usr/lib/systemd/system-generators/podman-system-generator")


def quadlet() -> str:
    """Podman's generator; Podman before 4.6 has none that knows our keys."""
    found = next((path for path in GENERATORS if Path(path).exists()), None)
    if found:
        return found
    podman = need("podman", "podman")
    version = subprocess.run([podman, "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]
    text = f"Podman {version} has no Quadlet generator: install Podman 4.6 or newer to have the units checked by it"
    if os.environ.get("CI") == "true" and tuple(map(int, version.split(".")[:2])) >= (4, 6):
        pytest.fail(text)
    pytest.skip(text)


def units(spec: ContainerSpec = SPEC) -> dict[str, str]:
    return {f"{spec.name}.container": container_unit(spec, "vLLM 100% of tiny")}


def test_the_files() -> None:
    found = units()
    text = found["llm-bundle-engine.container"]
    for line in (
        "Description=vLLM 100%% of tiny",
        "Image=localhost/llm-bundle/vllm-openai:abababababab",
        "ReadOnly=true",
        "DropCapability=all",
        "NoNewPrivileges=true",
        "User=65532",
        "Group=65532",
        "EnvironmentFile=/srv/secrets/engine.env",
        "AddDevice=nvidia.com/gpu=0",
        "AddDevice=nvidia.com/gpu=1",
        "Network=llm-bundle:ip=10.9.8.7,mac=02:42:0a:09:08:07",
        "Network=llm-bundle-front",
        "After=network-online.target",
        "PublishPort=[::1]:8443:443",
        'Volume="/srv/with space/model:/model:ro,z"',
        "PodmanArgs=--pull=never",
        "PodmanArgs=--dns=127.0.0.1",
        "PodmanArgs=--ulimit=nofile=100:200",
        "Restart=always",
    ):
        assert line in text.splitlines(), line


# systemd reads quotes as a shell does, but for its specifiers (%) and, on command lines, variables ($).
@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40))
def test_an_argument_stays_one(text: str) -> None:
    assert shlex.split(argument(text)) == [text.replace("$", "$$").replace("%", "%%")]


def test_the_generator_makes_services_that_systemd_takes(tmp_path: Path) -> None:
    program = quadlet()
    for name, text in units().items():
        (tmp_path / name).write_text(text)
    environment = {**os.environ, "QUADLET_UNIT_DIRS": str(tmp_path)}
    done = subprocess.run([program, "-dryrun"], env=environment, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    start = next(line for line in done.stdout.splitlines() if "ExecStart=" in line and "--name" in line)
    assert "--read-only" in start and "--cap-drop=all" in start


def test_systemd_takes_the_sections_that_are_its_own(tmp_path: Path) -> None:
    """What Quadlet passes on as it stands, with the command line as Quadlet copies it."""
    program = need("systemd-analyze", "systemd")
    text = units()["llm-bundle-engine.container"]
    command = next(line for line in text.splitlines() if line.startswith("Exec="))
    own = re.sub(r"\[Container\].*?(?=\[Service\])", "", text, flags=re.DOTALL)
    service = own.replace("[Service]", f"[Service]\nExecStart={shutil.which('true')} {command.removeprefix('Exec=')}")
    path = tmp_path / "llm-bundle-engine.service"
    path.write_text(service)
    done = subprocess.run([program, "verify", "--man=no", str(path)], capture_output=True, text=True, timeout=30)
    said = [line for line in done.stderr.splitlines() if path.name in line]
    assert said == []
    path.write_text(service.replace("RestartSec=10", "RestartSec=soon"))
    done = subprocess.run([program, "verify", "--man=no", str(path)], capture_output=True, text=True, timeout=30)
    assert "Failed to parse sec value" in done.stderr


def _reserved(service: dict[str, Any]) -> dict[str, Any]:
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert isinstance(device, dict)
    return device


@pytest.mark.parametrize(
    ("spec", "devices"),
    [
        (replace(SPEC, gpus="cdi"), ["nvidia.com/gpu=0", "nvidia.com/gpu=1"]),
        (replace(SPEC, gpus="cdi", gpu_ids=()), ["nvidia.com/gpu=all"]),
        (replace(SPEC, gpus="none"), None),
    ],
)
def test_compose_by_the_container_device_interface(spec: ContainerSpec, devices: list[str] | None) -> None:
    service = YAML(typ="safe").load(compose_file("tiny", [spec], internal=()))["services"]["llm-bundle-engine"]
    assert (service.get("devices"), "deploy" in service) == (devices, False)


def test_compose_with_all_gpus() -> None:
    found = YAML(typ="safe").load(compose_file("tiny", [replace(SPEC, gpu_ids=())], internal=()))
    assert _reserved(found["services"]["llm-bundle-engine"])["count"] == "all"


def test_compose() -> None:
    found = YAML(typ="safe").load(compose_file("tiny", [SPEC], internal=("llm-bundle",)))
    service = found["services"]["llm-bundle-engine"]
    assert found["networks"] == {
        "llm-bundle": {"name": "llm-bundle", "internal": True},
        "llm-bundle-front": {"name": "llm-bundle-front", "internal": False},
    }
    assert service["command"] == [one.replace("$", "$$") for one in SPEC.args]
    assert (service["read_only"], service["cap_drop"], service["user"]) == (True, ["ALL"], "65532:65532")
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["networks"] == {"llm-bundle": {"ipv4_address": "10.9.8.7"}, "llm-bundle-front": {}}
    assert service["ports"] == ["[::1]:8443:443", "127.0.0.1:8080:80"]
    assert service["env_file"] == ["/srv/secrets/engine.env"]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["dns"] == ["127.0.0.1"]
    assert _reserved(service) == {"driver": "nvidia", "device_ids": ["0", "1"], "capabilities": ["gpu"]}
    assert (service["pull_policy"], service["restart"]) == ("never", "unless-stopped")
    assert service["volumes"][0]["read_only"] is True
