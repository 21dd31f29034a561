"""Containers on a real Docker and a real Podman, looked at from inside."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bundler.errors import EngineError, MachineError
from bundler.serving.container import ContainerSpec, Mount, Publish
from bundler.site.engines.docker import Docker
from bundler.site.engines.interface import Engine
from tests.counterparts.outside import outside
from tests.site.engines.stage import KEY, NAME, NETWORK, OWNER, Stage, get, wait_for


def start(engine: Engine, spec: ContainerSpec, *, internal: bool = True) -> Any:
    engine.create_network(NETWORK, OWNER, internal=internal)
    engine.run(spec)
    return wait_for(engine, NAME, lambda state: state.health == "healthy")


def test_a_model_is_served(engine: Engine, stage: Stage) -> None:
    state = start(engine, stage.spec())
    assert (state.status, state.running, state.owner, state.image_id) == (
        "running",
        True,
        OWNER,
        engine.load(stage.image),
    )
    assert get(state, "/health")[0] == 200
    assert get(state, "/v1/models")[0] == 401
    status, models = get(state, "/v1/models", key=KEY)
    assert (status, models["data"][0]["id"], models["data"][0]["max_model_len"]) == (200, "org/tiny", 4096)
    assert "Application startup complete." in engine.logs(NAME)
    assert len(engine.logs(NAME, tail=1).splitlines()) == 1


def test_the_container_can_do_next_to_nothing(engine: Engine, stage: Stage) -> None:
    state = start(engine, stage.spec())
    found = get(state, "/probe", address="127.0.0.1", port="1", name="localhost")[1]
    assert (found["uid"], found["gid"]) == (65532, 65532)
    assert found["capabilities"] == 0
    assert found["no_new_privileges"]
    assert found["writable"] == ["/llm-bundle/cache", "/tmp", "/dev/shm"]
    assert found["model"] == ["config.json"]
    assert found["shm"] == 16 << 30
    assert found["environment"]["HF_HUB_OFFLINE"] == "1"
    assert found["environment"]["HOME"] == "/llm-bundle/cache"
    assert found["argv"][:3] == ["/llm-bundle/model", "--max-model-len", "4096"]


def test_even_root_can_do_no_more(engine: Engine, stage: Stage) -> None:
    state = start(engine, stage.spec(user="0:0"))
    found = get(state, "/probe", address="127.0.0.1", port="1", name="localhost")[1]
    assert (found["uid"], found["capabilities"]) == (0, 0)
    assert found["writable"] == ["/llm-bundle/cache", "/tmp", "/dev/shm"]


def test_a_folder_is_written_to_where_it_may_be(engine: Engine, stage: Stage, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    os.chown(tmp_path, 65532, 65532)
    (tmp_path / "kept").write_text("")
    plain = stage.spec()
    without = tuple(one for one in plain.tmpfs if one.target != "/llm-bundle/cache")
    mounts = (*plain.mounts, Mount(str(tmp_path), "/llm-bundle/cache", writable=True))
    state = start(engine, stage.spec(mounts=mounts, tmpfs=without))
    found = get(state, "/probe", address="127.0.0.1", port="1", name="localhost")[1]
    assert found["writable"] == ["/llm-bundle/cache", "/tmp", "/dev/shm"]


def test_no_way_out(engine: Engine, stage: Stage) -> None:
    with outside() as (address, port):
        question = {"address": address, "port": str(port), "name": "deb.debian.org"}
        closed = get(start(engine, stage.spec()), "/probe", **question)[1]
        engine.remove(NAME)
        engine.remove_network(NETWORK)
        opened = get(start(engine, stage.spec(), internal=False), "/probe", **question)[1]
    assert opened["connects"] == "yes"
    assert closed["connects"].startswith("no: ")
    assert closed["resolves"].startswith("no: ")
    assert closed["seconds"] < 15


def test_the_key_stands_in_no_argument(engine: Engine, stage: Stage) -> None:
    state = start(engine, stage.spec())
    found = get(state, "/probe", address="127.0.0.1", port="1", name="localhost")[1]
    assert found["environment"]["VLLM_API_KEY"] == KEY
    assert KEY not in json.dumps(found["argv"])
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "vllm serve" in processes or "bin/vllm" in processes
    assert KEY not in processes


def test_an_env_file_that_others_may_read_is_refused(engine: Engine, stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text(f"VLLM_API_KEY={KEY}\n")
    path.chmod(0o640)
    with pytest.raises(MachineError, match="others may read it") as caught:
        engine.run(stage.spec(env_file=str(path)))
    assert KEY not in caught.value.message
    assert engine.inspect(NAME) is None


def test_stop_start_and_remove(engine: Engine, stage: Stage) -> None:
    start(engine, stage.spec())
    engine.stop(NAME, 1)
    state = engine.inspect(NAME)
    assert state is not None and (state.status, state.health) == ("exited", None)
    engine.start(NAME)
    wait_for(engine, NAME, lambda state: state.health == "healthy")
    assert engine.remove(NAME)
    assert not engine.remove(NAME)
    engine.stop(NAME)
    assert engine.inspect(NAME) is None
    assert engine.logs(NAME) == ""


def test_what_fails_is_started_again_and_says_why(engine: Engine, stage: Stage) -> None:
    engine.create_network(NETWORK, OWNER, internal=True)
    engine.run(stage.spec(args=("/nowhere", *stage.spec().args[1:])))
    wait_for(engine, NAME, lambda state: state.restarts > 1)
    assert "Repo id must be in the form" in engine.logs(NAME)


def test_what_is_not_ours_is_left_alone(engine: Engine, stage: Stage) -> None:
    engine.create_network(NETWORK, OWNER, internal=True)
    engine.run(stage.spec(labels=()))
    try:
        for touch in (engine.remove, engine.stop):
            with pytest.raises(EngineError, match="was not made by llm-bundle"):
                touch(NAME)
        state = engine.inspect(NAME)
        assert state is not None and state.running and state.owner is None
    finally:
        by_force(engine, NAME)


def by_force(engine: Engine, name: str) -> None:
    """Remove a container whosever it is."""
    if isinstance(engine, Docker):
        engine._api.delete(f"/containers/{name}", "cleaning up", force="1")
    else:
        subprocess.run([*engine._program.command, "rm", "--force", "--time=0", name], check=True, capture_output=True)  # type: ignore[attr-defined]


def test_a_name_that_is_taken_is_refused(engine: Engine, stage: Stage) -> None:
    start(engine, stage.spec())
    with pytest.raises(EngineError, match="already in use"):
        engine.run(stage.spec())
    state = engine.inspect(NAME)
    assert state is not None and state.running


def test_an_image_that_is_not_there_is_never_pulled(engine: Engine, stage: Stage) -> None:
    engine.create_network(NETWORK, OWNER, internal=True)
    with pytest.raises(EngineError, match=r"starting llm-bundle-test-engine: .*image|no image|not known"):
        engine.run(stage.spec(image="localhost/llm-bundle/none:1"))
    assert engine.inspect(NAME) is None


def test_what_cannot_be_started_is_removed(engine: Engine, stage: Stage) -> None:
    engine.create_network(NETWORK, OWNER, internal=True)
    with pytest.raises(EngineError, match="starting llm-bundle-test-engine"):
        engine.run(stage.spec(mounts=(Mount(str(stage.release / "nowhere"), "/llm-bundle/model"),)))
    assert engine.inspect(NAME) is None


def test_a_port_that_is_taken(engine: Engine, stage: Stage) -> None:
    engine.create_network(NETWORK, OWNER, internal=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EngineError, match="address already in use") as caught:
            engine.run(stage.spec(publish=(Publish("127.0.0.1", port, 8000),)))
    assert "Another program has that port" in caught.value.hint
    assert engine.inspect(NAME) is None


def test_networks(engine: Engine, stage: Stage) -> None:
    engine.create_network(NETWORK, OWNER, internal=True)
    engine.create_network(NETWORK, OWNER, internal=True)
    with pytest.raises(EngineError, match="expected the network llm-bundle-test with a way out"):
        engine.create_network(NETWORK, OWNER, internal=False)
    assert engine.remove_network(NETWORK)
    assert not engine.remove_network(NETWORK)
    foreign = "bridge" if isinstance(engine, Docker) else "podman"
    with pytest.raises(EngineError, match="was not made by llm-bundle"):
        engine.remove_network(foreign)


def test_a_fixed_address(engine: Engine, stage: Stage) -> None:
    engine.create_network(NETWORK, OWNER, internal=True, subnet="198.18.91.0/24")
    engine.run(stage.spec(address="198.18.91.7"))
    state = wait_for(engine, NAME, lambda state: state.health == "healthy")
    assert state.addresses == {NETWORK: "198.18.91.7"}


@pytest.mark.parametrize("networks", [("nowhere-at-all",), (NETWORK, "nowhere-at-all")])
def test_a_network_that_is_not_there_is_told_and_nothing_stays(
    engine: Engine, stage: Stage, networks: tuple[str, ...]
) -> None:
    """Docker answers 404 to the start, as it does for what it does not know."""
    engine.create_network(NETWORK, OWNER, internal=True)
    with pytest.raises(EngineError, match="nowhere-at-all"):
        engine.run(stage.spec(networks=networks))
    assert engine.inspect(NAME) is None
