"""Configurations of Beats and Elastic Agent: the package's own templates, and what real Handlebars makes of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bundler.cli.main import call
from kibana_assets.errors import PackageError
from kibana_assets.install.agent_template import render
from kibana_assets.package.streams import streams
from kibana_assets.package.tree import load, parse_yaml
from tests import package
from tests.counterparts.need import need
from tests.package.test_agent_templates import STREAMS, handlebars

__all__ = ["handlebars"]
FILESTREAM = {
    *("type", "id", "enabled", "paths", "tags", "fields", "fields_under_root", "processors", "parsers", "encoding"),
    *("exclude_lines", "include_lines", "buffer_size", "message_max_bytes", "ignore_older", "clean_inactive"),
    *("clean_removed", "harvester_limit", "take_over", "publisher_pipeline.disable_host", "file_identity.native"),
    *("file_identity.fingerprint", "prospector.scanner.exclude_files", "prospector.scanner.include_files"),
    *("prospector.scanner.fingerprint", "prospector.scanner.symlinks", "prospector.scanner.check_interval"),
}
"""Of Filebeat's reference of the filestream input."""
PROMETHEUS = {
    *("module", "metricsets", "period", "hosts", "metrics_path", "use_types", "rate_counters", "metrics_filters"),
    *("processors", "tags", "username", "password", "headers", "bearer_token_file", "enabled", "timeout"),
    *("ssl.certificate_authorities", "ssl.verification_mode", "ssl"),
    *("metrics_filters.include", "metrics_filters.exclude"),
}
"""Of Metricbeat's reference of the Prometheus module and of modules in general."""
STRANGE = "/var/log/a b/#1: [x] & {y}, 'q' 100%.log"


def made(tmp_path: Path, *args: str) -> dict[str, Any]:
    """The files of a run, parsed."""
    assert call(["assets", "host-config", "-o", str(tmp_path), "--elasticsearch", "https://es:9200", *args]) == 0
    return {path.name: parse_yaml(path.read_text(encoding="utf-8"), path.name) for path in tmp_path.iterdir()}


def test_every_stream_is_in_the_agent_and_in_one_beat(tmp_path: Path) -> None:
    files = made(tmp_path, "--ca", "/etc/ca.pem", "--namespace", "site")
    known = {stream.name: stream for stream in streams(load())}
    agent = files["elastic-agent.yml"]
    assert [one["id"] for one in agent["inputs"]] == [f"local_llm-{name}" for name in known]
    logs = {one["id"]: one for one in files["filebeat.yml"]["filebeat.inputs"]}
    assert set(logs) == {f"local_llm-{stream.name}" for stream in known.values() if stream.type == "logs"}
    assert len(files["metricbeat.yml"]["metricbeat.modules"]) == len(known) - len(logs)
    for one in (*logs.values(), *files["metricbeat.yml"]["metricbeat.modules"]):
        placed = one["processors"][0]["add_fields"]["fields"]
        assert (placed["namespace"], placed["dataset"] in {stream.dataset for stream in known.values()}) == (
            "site",
            True,
        )
    for name in ("filebeat.yml", "metricbeat.yml"):
        output = files[name]["output.elasticsearch"]
        assert (output["api_key"], output["hosts"]) == ("${LLM_BUNDLE_SHIP_KEY}", ["https://es:9200"])
        assert output["ssl.certificate_authorities"] == ["/etc/ca.pem"]
        assert files[name]["setup.template.enabled"] is False


def test_no_key_that_the_beats_do_not_document(tmp_path: Path) -> None:
    files = made(tmp_path)
    top = {"output.elasticsearch", "setup.template.enabled", "setup.ilm.enabled"}
    assert set(files["filebeat.yml"]) == {*top, "filebeat.inputs"}
    assert set(files["metricbeat.yml"]) == {*top, "metricbeat.modules"}
    for one in files["filebeat.yml"]["filebeat.inputs"]:
        assert set(one) <= FILESTREAM, one["id"]
        assert (one["type"], all(path.startswith(("/", "C:")) for path in one["paths"])) == ("filestream", True)
        assert all(set(parser) <= {"multiline", "ndjson", "container", "syslog"} for parser in one.get("parsers", []))
    for one in files["metricbeat.yml"]["metricbeat.modules"]:
        assert set(one) <= PROMETHEUS
        assert one["metricsets"] == ["collector"]
    assert set(files["elastic-agent.yml"]) == {"outputs", "agent.monitoring.enabled", "inputs"}


def test_what_the_user_says_stands_in_all_of_them(tmp_path: Path) -> None:
    path = "/var/log/a b/#1: [x] & {y}, 'q' 100%.log"
    files = made(tmp_path, "--set", f"audit.paths={path}", "--set", "audit.paths=/b", "--only", "audit")
    assert files["filebeat.yml"]["filebeat.inputs"][0]["paths"] == [path, "/b"]
    assert files["elastic-agent.yml"]["inputs"][0]["streams"][0]["paths"] == [path, "/b"]
    assert "metricbeat.yml" not in files


@pytest.mark.parametrize(
    ("args", "found"),
    [
        (["--set", "nix.paths=/a"], "nix: no such data stream"),
        (["--only", "nix"], "nix: no such data stream"),
        (["--set", "audit.nix=/a"], "audit.nix: no such variable"),
        (["--set", "audit"], "expected STREAM.VAR=VALUE"),
        (["--set", "vllm_metrics.password=s3cr3t"], "a secret, which must stand in no file"),
        (["--set", "audit.preserve_original_event=yes"], "expected true or false"),
        (["--set", "vllm_metrics.period=1s", "--set", "vllm_metrics.period=2s"], "expected one value, found 2"),
        (["--elasticsearch", "https://u:s3cr3t@es"], "without user name and password"),
    ],
)
def test_refusals(tmp_path: Path, args: list[str], found: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["assets", "host-config", "-o", str(tmp_path), "--elasticsearch", "https://es:9200", *args]) == 2
    said = capsys.readouterr().err
    assert found in said
    assert "s3cr3t" not in said
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path)
    made(tmp_path)
    (tmp_path / "filebeat.yml").write_text("mine")
    assert call(["assets", "host-config", "-o", str(tmp_path), "--elasticsearch", "https://es:9200"]) == 6
    assert (tmp_path / "filebeat.yml").read_text() == "mine"
    assert "--force" in capsys.readouterr().err
    made(tmp_path, "--force")


def value(var: dict[str, Any], full: bool) -> Any:
    """A variable's default; or something strange in every text, and every switch on."""
    if not full or var["type"] in ("yaml", "integer"):
        return var.get("default")
    if var["type"] == "bool":
        return True
    return ["forwarded", STRANGE, ""] if var.get("multi") else STRANGE


@pytest.mark.parametrize("full", [False, True], ids=["defaults", "full"])
def test_it_renders_as_handlebars_does(handlebars: Path, full: bool) -> None:
    tree = load()
    templates, values = [], []
    for stream, one in STREAMS:
        templates.append(tree.text(f"{stream.path}/agent/stream/{one.get('template_path', 'stream.yml.hbs')}"))
        values.append({var["name"]: value(var, full) for var in one["vars"]})
    asked = [{"template": text, "vars": vars_, "yaml": {}} for text, vars_ in zip(templates, values, strict=True)]
    line = [need("node", "nodejs"), str(Path(package.__file__).with_name("render_template.js")), str(handlebars)]
    told = json.dumps({"library": "js-yaml", "asked": asked})
    done = subprocess.run(line, input=told, capture_output=True, text=True, timeout=60, check=True)
    theirs = [one["read"] for one in json.loads(done.stdout)]
    assert [parse_yaml(render(*case, "t"), "t") for case in zip(templates, values, strict=True)] == theirs


@pytest.mark.parametrize(
    "template",
    ["{{nix x}}", "{{#nix x}}{{/nix}}", "{{#if a}}", "{{/if}}", "{{#if a}}{{/each}}", "{{{a}}", "{{#if a b}}{{/if}}"],
)
def test_what_is_not_understood_is_refused(template: str) -> None:
    with pytest.raises(PackageError, match=r"^t: "):
        render(template, {"a": "1"}, "t")


def test_blocks() -> None:
    values = {"list": ["a", ""], "yes": True, "no": False, "name": "it's"}
    text = "{{#each list}}\n{{#if this}}\n- {{escape_string this}}\n{{else}}\n- empty\n{{/if}}\n{{/each}}\n"
    assert render(text, values, "t") == "- 'a'\n- empty\n"
    assert render("{{#unless no}}{{yes}}{{/unless}} {{escape_string name}}{{nix}}", values, "t") == "true 'it''s'"
    assert render("{{#contains 'a' list}}in{{else}}out{{/contains}}", values, "t") == "in"
