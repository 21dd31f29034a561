"""config/agents/ follows from the lock: the streams that this bundle's host has, and nothing of a site."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bundler.cli.main import call
from bundler.content.agents import FOLDER, MONITOR_PORT, agent_files, collected
from bundler.content.render import render, with_rendered
from bundler.lock.file import read_lock
from bundler.lock.model import Lock
from bundler.site.verify import verify
from examples.tiny.inputs import make_inputs
from kibana_assets.fleet.host import FILES, METRICS
from kibana_assets.install.host_head import KEY
from kibana_assets.package.streams import streams
from kibana_assets.package.tree import load, parse_yaml
from tests.content.test_config_of_a_bundle import lock as lock
from tests.content.test_readme_of_a_bundle import EXAMPLE

PROXY = ("proxy_access", "proxy_error")
CASES: list[tuple[str, str | None, tuple[str, ...]]] = [
    ("vllm", "container", (*PROXY, "audit", "vllm", "vllm_metrics")),
    ("vllm", "host", (*PROXY, "audit", "vllm", "vllm_metrics")),
    ("vllm", None, ("audit", "vllm")),
    ("lmstudio", "container", (*PROXY, "audit", "lmstudio")),
    ("lmstudio", "host", (*PROXY, "audit", "lmstudio")),
    ("lmstudio", None, ("audit", "lmstudio")),
]
by_case = pytest.mark.parametrize(("engine", "run", "names"), CASES)


def wished(lock: Lock, engine: str = "vllm", run: str | None = "container") -> Lock:
    """The example with ``monitoring.filebeat``, that engine, and the proxy run so."""
    request = lock.request
    proxy = {**request["proxy"], "run": run} if run else None
    serve = {**request["serve"], "engine": engine, "args": []}
    monitoring = {"package": False, "filebeat": True}
    connectors = request["connectors"] if proxy else []
    changed = {"serve": serve, "proxy": proxy, "monitoring": monitoring, "connectors": connectors}
    return replace(lock, request={**request, **changed})


def read(texts: dict[str, str]) -> dict[str, Any]:
    """File name → what it says."""
    return {path.rpartition("/")[2]: parse_yaml(text, path) for path, text in texts.items()}


def inputs(files: dict[str, Any]) -> dict[str, Any]:
    """What the files collect, without where it goes."""
    keys = {"elastic-agent.yml": "inputs", "filebeat.yml": "filebeat.inputs", "metricbeat.yml": "metricbeat.modules"}
    return {name: body[keys[name]] for name, body in files.items()}


def command(text: str) -> list[str]:
    """The one that the head of a file names, without the program."""
    found = re.search(r"^#   python3 llm-bundle\.pex (assets host-config(?:.*\\\n)*.*\n)", text, re.MULTILINE)
    assert found
    return shlex.split(re.sub(r"\\\n# +", " ", found[1]))


@by_case
def test_which_files_and_which_streams(lock: Lock, engine: str, run: str | None, names: tuple[str, ...]) -> None:
    files = inputs(read(agent_files(wished(lock, engine, run))))
    beats = {"filebeat.yml", "metricbeat.yml"} if "vllm_metrics" in names else {"filebeat.yml"}
    assert set(files) == {"elastic-agent.yml", *beats}
    assert [one["id"] for one in files["elastic-agent.yml"]] == [f"local_llm-{name}" for name in names]
    logs = [f"local_llm-{name}" for name in names if name != "vllm_metrics"]
    assert [one["id"] for one in files["filebeat.yml"]] == logs
    known = {stream.name: stream.type for stream in streams(load())}
    assert {known[name] for name in names} == ({"logs", "metrics"} if "vllm_metrics" in names else {"logs"})


@by_case
def test_they_collect_what_the_command_in_their_head_writes(
    lock: Lock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, run: str | None, names: tuple[str, ...]
) -> None:
    packed = agent_files(wished(lock, engine, run))
    monkeypatch.chdir(tmp_path)
    commands = {tuple(command(text)) for text in packed.values()}
    assert len(commands) == 1, "whichever file is read, the command is the same"
    [args] = commands
    assert "--set 'audit.paths=/var/lib/llm-bundle/audit.log*'" in packed[f"{FOLDER}/filebeat.yml"], "for a shell"
    assert [args[at + 1] for at, arg in enumerate(args) if arg == "--only"] == list(names)
    assert call(list(args)) == 0
    made = read({path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "agents").iterdir()})
    assert inputs(made) == inputs(read(packed))
    assert made["filebeat.yml"]["output.elasticsearch"]["hosts"] == ["https://es-1.example.internal:9200"]


@by_case
def test_they_collect_what_fleet_would_be_told(
    lock: Lock, engine: str, run: str | None, names: tuple[str, ...]
) -> None:
    changed = wished(lock, engine, run)
    policy = collected(changed.request).inputs()
    told = {**policy[FILES]["streams"], **policy[METRICS]["streams"]}
    assert {name.partition(".")[2] for name, one in told.items() if one["enabled"]} == set(names)
    for one in inputs(read(agent_files(changed)))["elastic-agent.yml"]:
        [stream] = one["streams"]
        for name, value in told[stream["data_stream"]["dataset"]]["vars"].items():
            found = stream["fields"]["_conf"][name] if name == "tz_offset" else stream[name]
            assert found == value, (one["id"], name)


def test_paths_zones_and_port(lock: Lock) -> None:
    def agent(run: str) -> dict[str, Any]:
        found = inputs(read(agent_files(wished(lock, run=run))))["elastic-agent.yml"]
        return {one["id"].partition("-")[2]: one["streams"][0] for one in found}

    container, host = agent("container"), agent("host")
    assert container["proxy_access"]["paths"] == ["/var/lib/llm-bundle/logs/access.json.log*"]
    assert container["audit"]["paths"] == ["/var/lib/llm-bundle/audit.log*"]
    assert container["vllm_metrics"]["hosts"] == [f"http://127.0.0.1:{MONITOR_PORT}"]
    zones = [one["proxy_error"]["fields"]["_conf"]["tz_offset"] for one in (container, host)]
    assert zones == ["UTC", "local"], "Nginx in a container writes UTC, that of the host local time"
    [manifest] = [stream.manifest for stream in streams(load()) if stream.name == "vllm_metrics"]
    assert f"--monitor-port {MONITOR_PORT}" in str(manifest), "the port that the package's documentation proposes"


def test_nothing_of_a_site_and_no_secret(lock: Lock) -> None:
    texts = {path.rpartition("/")[2]: text for path, text in agent_files(wished(lock)).items()}
    files = read(texts)
    for name in ("filebeat.yml", "metricbeat.yml"):
        output = files[name]["output.elasticsearch"]
        # A text, not a list: only then does a Beat make a list of the variable's commas.
        assert (output["hosts"], output["api_key"]) == ("${ELASTICSEARCH_HOSTS}", f"${{{KEY}}}")
    output = files["elastic-agent.yml"]["outputs"]["default"]
    assert (output["hosts"], output["api_key"]) == (["${env.ELASTICSEARCH_HOST}"], f"${{env.{KEY}}}")
    for name, text in texts.items():
        assert "ssl.certificate_authorities" not in str(files[name]), "only a comment, for the site to fill in"
        indent = "    " if name == "elastic-agent.yml" else "  "
        line = f"{indent}# ssl.certificate_authorities: [/etc/ssl/es-ca.pem]\n"
        assert line in text
        filled = parse_yaml(text.replace(line, line.replace("# ", "", 1)), name)
        output = filled["outputs"]["default"] if name == "elastic-agent.yml" else filled["output.elasticsearch"]
        assert output["ssl.certificate_authorities"] == ["/etc/ssl/es-ca.pem"]
        head = text.split("\n")[: next(at for at, one in enumerate(text.split("\n")) if not one.startswith("#"))]
        assert (f"--monitor-port {MONITOR_PORT}" in "\n".join(head)) is (name != "filebeat.yml")
        assert not [one for one in head if len(one) > 120]


def test_none_unless_it_is_asked_for(lock: Lock) -> None:
    assert agent_files(lock) == {}
    assert not [file for file in render(lock) if file.path.startswith(FOLDER)]


@by_case
def test_the_lock_determines_them_and_the_bundle_explains_them(
    lock: Lock, engine: str, run: str | None, names: tuple[str, ...]
) -> None:
    changed = wished(lock, engine, run)
    files = {file.path: file for file in render(changed)}
    assert files == {file.path: file for file in render(replace(changed))}
    paths = {path for path in files if path.startswith(f"{FOLDER}/")}
    assert paths == set(agent_files(changed))
    assert {files[path].role for path in paths} == {"config"}
    assert paths <= {row.path for row in with_rendered(changed).rendered}
    rows = re.findall(r"^\| `(config/agents/[^`]*)` \| (.*) \|$", files["README.md"].data.decode(), re.MULTILINE)
    assert {path for path, what in rows if "GPU host" in what} == paths


def test_lock_plan_and_build_have_nothing_to_regret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_inputs(tmp_path / "inputs")
    path = tmp_path / "bundle.yml"
    path.write_text(EXAMPLE.read_text() + "monitoring: {filebeat: true}\n")
    said = ""
    for args in (["lock"], ["plan"], ["build", "-o", str(tmp_path / "out")]):
        assert call([args[0], str(path), *args[1:]]) == 0
        said += "".join(capsys.readouterr())
    assert "monitoring" not in said
    assert "warning" not in said
    report = verify([tmp_path / "out" / "tiny-1.0.0.tar"])
    assert report.ok
    assert report.manifest
    lock = read_lock(path.with_suffix(".lock"))
    assert set(agent_files(lock)) == {one.path for one in report.manifest.members if one.path.startswith(FOLDER)}
