"""agent/stream/*.yml.hbs through the real Handlebars, read back by the real js-yaml: what the agent would be told."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kibana_assets.package.streams import streams
from kibana_assets.package.tree import load
from tests.counterparts.need import need

MODULES = ("handlebars@4.7.8", "js-yaml@4.1.0")
# What stands for a YAML variable of the user's, a list of processors, until the template is rendered.
YAML_WORD = '"##of_the_user"'
STRANGE = "/var/log/a b/#1: [x] & {y}, 100%.log"
Rendered = dict[tuple[str, str], Any]


def variables(stream: dict[str, Any], *, full: bool) -> dict[str, Any]:
    """The defaults of a stream's variables; with ``full`` something strange in every text, and every switch on."""
    return {var["name"]: _full(var) if full else var.get("default") for var in stream.get("vars", ())}


def _full(var: dict[str, Any]) -> Any:
    if var["type"] == "yaml":
        return YAML_WORD
    if var["type"] in ("bool", "integer", "select", "duration", "time_zone"):
        return True if var["type"] == "bool" else var.get("default")
    return ["forwarded", STRANGE] if var.get("multi") else var.get("default") or STRANGE


STREAMS = [(stream, one) for stream in streams(load()) for one in stream.manifest["streams"]]
NAMES = [(stream.name, one["input"]) for stream, one in STREAMS]


@pytest.fixture(scope="session")
def handlebars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the real Handlebars, or a skip."""
    folder = tmp_path_factory.mktemp("handlebars")
    line = [need("npm", "npm"), "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *MODULES]
    done = subprocess.run(line, capture_output=True, text=True, timeout=200, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot fetch {MODULES}: {done.stderr.strip()[-300:]}")
    return folder


@pytest.fixture(scope="session", params=["defaults", "full"])
def rendered(request: pytest.FixtureRequest, handlebars: Path) -> Rendered:
    """(stream, input) → what its template says."""
    tree = load()
    asked = [
        {
            "template": tree.text(f"{stream.path}/agent/stream/{one.get('template_path', 'stream.yml.hbs')}"),
            "vars": {
                **variables(one, full=request.param == "full"),
                "data_stream": {"dataset": stream.dataset, "type": stream.type},
            },
        }
        for stream, one in STREAMS
    ]
    script = Path(__file__).with_name("render_template.js")
    done = subprocess.run(
        [need("node", "nodejs"), str(script), str(handlebars)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return dict(zip(NAMES, json.loads(done.stdout), strict=True))


def read(name: tuple[str, str], rendered: Rendered) -> dict[str, Any]:
    """What the agent would read of a stream."""
    made = rendered[name]
    assert "error" not in made, f"{made['error']}\n{made['text']}"
    found = made["read"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", NAMES, ids="-".join)
def test_the_agent_reads_a_mapping(name: tuple[str, str], rendered: Rendered) -> None:
    found = read(name, rendered)
    where = {"filestream": "paths", "prometheus/metrics": "hosts"}[name[1]]
    assert found[where], f"{where} is empty"
    if STRANGE in str(found):
        assert {"add_tags": {"tags": ["of_the_user"]}} in found["processors"]
    assert "undefined" not in json.dumps(found)


@pytest.mark.parametrize("name", NAMES, ids="-".join)
def test_what_a_user_writes_stays_as_it_is(name: tuple[str, str], rendered: Rendered) -> None:
    found = read(name, rendered)
    if "paths" in found and STRANGE in str(found):
        assert STRANGE in found["paths"]
    if "tags" in found and "forwarded" in str(found["tags"]):
        assert found["publisher_pipeline.disable_host"] is True


@pytest.mark.parametrize("name", [name for name in NAMES if name[1] == "filestream"], ids="-".join)
def test_files_are_known_by_what_they_hold_and_lines_are_bounded(name: tuple[str, str], rendered: Rendered) -> None:
    found = read(name, rendered)
    assert "file_identity.fingerprint" in found or "fingerprint" in found.get("file_identity", {})
    assert 0 < int(found["message_max_bytes"]) <= 16 << 20
