"""agent/stream/*.yml.hbs through the real Handlebars, read back by the real YAML libraries: what the agent is told.

Rules: each template is rendered as Kibana 8.19 does (js-yaml) and as newer ones do (yaml), with the defaults, with
every switch on and something strange in every text, and with nothing where a user may leave nothing.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kibana_assets.package.streams import streams
from kibana_assets.package.tree import load
from tests.counterparts.need import need

MODULES = ("handlebars@4.7.8", "js-yaml@4.1.0", "yaml@2.8.1")
LIBRARIES = ("js-yaml", "yaml")
STRANGE = (
    "/var/log/a b/#1: [x] & {y}, 100%.log",
    "/srv/O'Neill's logs/*.log",
    "''",
    "- x",
    "# y",
    "*z",
    "!!int 7",
    "null",
    "C:\\tmp\\new\\x.log",
    'say "when"',
    "{{tags}}",
    "$1 $& ##processors##",
    "ключ: 值\u2028",
)
USERS = "- add_locale: ~\n- add_fields:\n    target: a\n    fields: {b: \"it's\", c: 'x: y'}\n"
USERS_READ = [{"add_locale": None}, {"add_fields": {"target": "a", "fields": {"b": "it's", "c": "x: y"}}}]
Rendered = dict[tuple[str, str], Any]
Render = Callable[..., Rendered]

STREAMS = [(stream, one) for stream in streams(load()) for one in stream.manifest["streams"]]
NAMES = [(stream.name, one["input"]) for stream, one in STREAMS]
FILES = [name for name in NAMES if name[1] == "filestream"]


def strange(var: dict[str, Any]) -> Any:
    """What a hostile or careless user could write into a variable."""
    if var["type"] in ("bool", "integer", "select", "duration"):
        return True if var["type"] == "bool" else var.get("default")
    return ["forwarded", *STRANGE] if var.get("multi") else STRANGE[0]


def emptied(var: dict[str, Any]) -> Any:
    """What a user leaves who fills in as little as the form lets."""
    if var["type"] in ("bool", "integer", "select", "duration"):
        return False if var["type"] == "bool" else var.get("default")
    return ["", "/only"] if var.get("multi") else ""


def default(var: dict[str, Any]) -> Any:
    return var.get("default")


@pytest.fixture(scope="session")
def handlebars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the real Handlebars, or a skip."""
    folder = tmp_path_factory.mktemp("handlebars")
    line = [need("npm", "npm"), "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *MODULES]
    done = subprocess.run(line, capture_output=True, text=True, timeout=200, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot fetch {MODULES}: {done.stderr.strip()[-300:]}")
    return folder


@pytest.fixture(scope="session", params=LIBRARIES)
def render(request: pytest.FixtureRequest, handlebars: Path) -> Render:
    """(what a variable holds, the YAML variables' text) → (stream, input) → what its template says."""

    def made(value: Callable[[dict[str, Any]], Any], users: str = "") -> Rendered:
        tree = load()
        asked = [
            {
                "template": tree.text(f"{stream.path}/agent/stream/{one.get('template_path', 'stream.yml.hbs')}"),
                "vars": {var["name"]: value(var) for var in one.get("vars", ())}
                | {"data_stream": {"dataset": stream.dataset, "type": stream.type}},
                "yaml": {var["name"]: users for var in one.get("vars", ()) if var["type"] == "yaml"},
            }
            for stream, one in STREAMS
        ]
        script = Path(__file__).with_name("render_template.js")
        done = subprocess.run(
            [need("node", "nodejs"), str(script), str(handlebars)],
            input=json.dumps({"library": request.param, "asked": asked}),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return dict(zip(NAMES, json.loads(done.stdout), strict=True))

    return made


def read(name: tuple[str, str], rendered: Rendered) -> dict[str, Any]:
    """What the agent would read of a stream."""
    made = rendered[name]
    assert "error" not in made, f"{made['error']}\n{made['text']}"
    found = made["read"]
    assert isinstance(found, dict)
    assert "undefined" not in json.dumps(found)
    return found


def where(name: tuple[str, str]) -> str:
    return {"filestream": "paths", "prometheus/metrics": "hosts"}[name[1]]


def test_the_agent_reads_the_defaults(render: Render) -> None:
    rendered = render(default)
    for (stream, one), name in zip(STREAMS, NAMES, strict=True):
        found = read(name, rendered)
        defaults = {var["name"]: var.get("default") for var in one["vars"]}
        assert found[where(name)] == defaults[where(name)], stream.name
        assert found.get("tags") == defaults.get("tags")


def test_what_a_user_writes_stays_as_it_is(render: Render) -> None:
    rendered = render(strange, USERS)
    for (_, one), name in zip(STREAMS, NAMES, strict=True):
        found = read(name, rendered)
        declared = {var["name"]: var for var in one["vars"]}
        for key in {where(name), "tags"} & set(declared):
            written = [text for text in found[key] if text in ("forwarded", *STRANGE)]
            assert written[: len(STRANGE) + 1] == ["forwarded", *STRANGE], name
        if "tags" in declared and name[1] == "filestream":
            assert found["publisher_pipeline.disable_host"] is True
        if "processors" in declared:
            assert found["processors"][-2:] == USERS_READ, name
            assert len(found["processors"]) <= 3
        if "tz_offset" in declared:
            assert found["fields"] == {"_conf": {"tz_offset": STRANGE[0]}}


def test_the_switches_are_tags(render: Render) -> None:
    rendered = render(strange)
    for (_, one), name in zip(STREAMS, NAMES, strict=True):
        for switch in {"preserve_original_event", "keep_prompts"} & {var["name"] for var in one["vars"]}:
            assert switch in read(name, rendered)["tags"]
            assert switch not in read(name, render(default))["tags"]


def test_what_is_left_empty_is_left_out(render: Render) -> None:
    rendered = render(emptied)
    for name in FILES:
        found = read(name, rendered)
        assert set(found[where(name)]) == {"/only"}, name
        assert found.get("tags") in (["/only"], None)
        assert found.get("fields", {}).get("_conf", {}).get("tz_offset") is None
        assert found.get("processors") in (None, [{"add_locale": None}])


def test_a_comment_alone_is_no_processor(render: Render) -> None:
    rendered = render(default, "# - add_tags: {}\n")
    for name in NAMES:
        assert read(name, rendered).get("processors") in (None, [{"add_locale": None}])


def test_a_line_break_writes_no_key_of_its_own(render: Render) -> None:
    """Fleet's form has no way to write one; over its API it is refused, or is text."""

    def broken(var: dict[str, Any]) -> Any:
        return [f"a\n{key}: [stolen]" for key in ("tags", "x'\n\"y")] if var.get("multi") else default(var)

    for made in render(broken).values():
        assert "error" in made or ["stolen"] not in made["read"].values()


@pytest.mark.parametrize("name", FILES, ids="-".join)
def test_files_are_known_by_what_they_hold_and_lines_are_bounded(name: tuple[str, str], render: Render) -> None:
    found = read(name, render(default))
    assert "file_identity.fingerprint" in found or "fingerprint" in found.get("file_identity", {})
    assert 0 < int(found["message_max_bytes"]) <= 16 << 20
