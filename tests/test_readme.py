"""The handbook is true: its examples are run, and its tables are held against the code.

A block marked ``console`` is a session: lines that begin with ``$`` are typed, the others are what is seen. All of
them are run in order, README.md first, in one folder with the inputs of examples/tiny; each block begins in that
folder. ``…`` stands for anything, as a line of its own for any lines; numbers are not compared, for they change with
every byte.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bundler import errors
from bundler.cli.main import COMMANDS, INTERRUPTED, READER_LEFT, call, cli
from bundler.cli.output import FOUND
from bundler.spec import keys
from bundler.spec.families import families
from bundler.spec.keys import Keys
from bundler.spec.parse import PLATFORMS
from bundler.spec.service import PROVIDERS
from examples.tiny.inputs import make_inputs
from tests.counterparts.kibana import KEY, KibanaServer
from tests.counterparts.model_server import ModelServer
from tests.preconfigured.live.stage import CHAT, KEYSTORE, TOKEN
from tests.preconfigured.live.stage import YML as VLLM_YML

ROOT = Path(__file__).parent.parent
PAGES = ("site", "rehearse", "proxy", "security", "kibana", "assets", "bundle-yml", "commands")
HANDBOOK = tuple(ROOT / path for path in ("README.md", *(f"docs/{name}.md" for name in PAGES)))
TEXT = "".join(path.read_text(encoding="utf-8") for path in HANDBOOK)
# What these print is held against the handbook by tests/end_to_end/test_site.py.
ON_AN_ENGINE = {"install", "status", "rollback", "prune", "uninstall", "rehearse"}
# And of these by tests/assets/test_role.py.
ON_ELASTICSEARCH = {f"assets {name}" for name in ("plan", "install", "status", "uninstall", "role", "enrol")}
PREFIXES = {
    "SPEC": "",
    "HUB_MODEL": "models[].",
    "FOLDER_MODEL": "models[].",
    "URL_MODEL": "models[].",
    "PATTERNS": "models[].files.",
    "SERVE": "serve.",
    "PROXY": "proxy.",
    "CONNECTOR": "connectors[].",
    "MONITORING": "monitoring.",
    "ELASTIC": "elastic.",
    "BEAT": "elastic.beats[].",
    "PACKAGE": "elastic.packages[].",
    "FILE": "files[].",
    "SIGNING": "signing.",
    "REGISTRY": "registries.HOST.",
}


def blocks(kind: str) -> list[str]:
    """The fenced blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def rows(*header: str) -> Iterator[list[str]]:
    """The rows of all tables with this header, cell by cell."""
    inside = False
    for line in TEXT.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif cells == list(header):
            inside = True
        elif inside and not set(line) <= set("|- "):
            yield cells


def session(block: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a block with the lines that it shows."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield command, shown


def test_every_example_shows_what_is_seen(tmp_path: Path) -> None:
    place = tmp_path / "tiny"
    make_inputs(place / "inputs")
    shutil.copy(ROOT / "examples" / "tiny" / "bundle.yml", place)
    found = blocks("console")
    assert len(found) >= 9
    for block in found:
        steps = list(session(block))
        for (command, shown), seen in zip(steps, run_block([c for c, _ in steps], place, tmp_path), strict=True):
            assert fits(shown, seen), f"$ {command}\n" + "\n".join(seen)


def run_block(commands: list[str], place: Path, tmp_path: Path) -> list[list[str]]:
    """What each command shows, stdout and stderr together, when they are typed into one shell."""
    shim = tmp_path / "bin" / "llm-bundle"
    shim.parent.mkdir(exist_ok=True)
    shim.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {sys.executable} -m bundler.cli.main "$@"\n')
    shim.chmod(0o755)
    mark = "-- next command --"
    script = f"\necho '{mark}'\n".join(commands)
    environment = {**os.environ, "PATH": f"{shim.parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["sh", "-c", f"exec 2>&1\n{script}"],
        cwd=place, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return [part.splitlines() for part in done.stdout.split(f"{mark}\n")]


def fits(shown: list[str], seen: list[str]) -> bool:
    """Whether ``seen`` is what the handbook shows."""
    if not shown:
        return not seen
    if shown[0] == "…":
        return any(fits(shown[1:], seen[skip:]) for skip in range(len(seen) + 1))
    return bool(seen) and fnmatch.fnmatchcase(masked(seen[0]), pattern(shown[0])) and fits(shown[1:], seen[1:])


def masked(line: str) -> str:
    """``line`` with every size, count, time and run of blanks of one kind."""
    line = re.sub(r"\d[\d,.]* (bytes|kB|MB|GB)\b", "N bytes", line)
    line = re.sub(r"\d[\d,.]* s\b", "N s", line)
    line = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "DATE", line)
    line = re.sub(r'(members +|"(?:bytes|members)": )\d+', r"\1N", line)
    return re.sub(r" +", " ", re.sub(r"\d+( members)", r"N\1", line)).rstrip()


def pattern(line: str) -> str:
    """``masked`` of a line of the handbook as a pattern: a digest that is cut short is any digest."""
    line = re.sub(r"[0-9a-f]{8}…", "…", line)
    return re.sub(r"([\[*?])", r"[\1]", masked(line)).replace("…", "*")


@pytest.mark.parametrize(
    ("shown", "seen", "expected"),
    [
        (["a 1.2 kB"], ["a  17 bytes"], True),
        (["sha256:01234567…, x"], ["sha256:99, x"], True),
        (["[a]"], ["a"], False),
        (["a"], ["a", "b"], False),
        (["a", "…"], ["a", "b", "c"], True),
        (["…", "c"], ["a", "b"], False),
        (["exit code 5"], ["exit code 0"], False),
    ],
)
def test_the_comparison_itself(shown: list[str], seen: list[str], expected: bool) -> None:
    assert fits(shown, seen) is expected


def test_every_command_has_an_example() -> None:
    # Those that need a container engine are run by tests/end_to_end/test_site.py.
    typed = [command for block in (*blocks("console"), *blocks("shell-session")) for command, _ in session(block)]
    examples = {name for line in typed for name in re.findall(r"llm-bundle (\w+)", line)}
    assert examples == COMMANDS.keys()
    listed = {re.sub(r"`llm-bundle (\w+).*", r"\1", cells[0]) for cells in rows("command", "what it does")}
    assert listed == examples


def test_every_option_is_listed_and_no_other() -> None:
    listed = {
        (command, option)
        for commands, options, _ in rows("command", "option", "what")
        for command in re.findall(r"`(\w[\w -]+)`", commands)
        for option in re.findall(r"`(-[-\w]+)`", options)
    }
    offered = {
        (name, option)
        for name, command in every_command(cli, "")
        for one in command.params
        if isinstance(one, click.Option)
        for option in one.opts
    }
    assert listed == offered


def every_command(group: click.Group, prefix: str) -> Iterator[tuple[str, click.Command]]:
    """Each command with its whole name, also those of groups."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from every_command(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def test_json_has_the_keys_that_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_inputs(tmp_path / "inputs")
    shutil.copy(ROOT / "examples" / "tiny" / "bundle.yml", tmp_path)
    monkeypatch.chdir(tmp_path)
    bundle = "tiny-1.0.0.tar"
    calls: dict[str, list[list[str]]] = {
        "init": [["generic", "-o", "x.yml"], []],
        "lock": [[]],
        "plan": [[]],
        "build": [[]],
        "keygen": [["--no-password"]],
        "sign": [[bundle, "--key", "signing.key"]],
        "verify": [[bundle]],
        "inspect": [[bundle]],
        "unpack": [[bundle, "site"]],
        "diff": [[bundle, bundle]],
        "token new": [["--label", "a", "--root", "site"], ["--label", "b", "--root", "site", "-o", "token"]],
        "token rotate": [["a", "--root", "site"], ["b", "--root", "site", "-o", "newer"]],
        "token list": [["--root", "site"]],
        "token revoke": [["a", "--root", "site"]],
        "tls make-ca": [["--server-name", "llm.example.internal", "--out", "ca"]],
        "tls renew": [["--out", "ca"]],
        "assets build": [[]],
        "assets check": [[]],
        "assets host-config": [["-o", "agent", "--elasticsearch", "https://es.example.internal:9200"]],
        "connectors render": [[]],
        "connectors apply": [["--kibana-yml", "kibana.yml"]],
        "connectors check": [["kibana.yml", "--stack", "9.2.0"]],
        "connectors remove": [["vllm-tiny-llama", "--kibana-yml", "kibana.yml"]],
    }
    (tmp_path / "kibana.yml").write_text("server.port: 5601\n")
    assert call(["doctor", "--root", ".", "--json"]) in (0, 8)  # as this machine is
    doctor = json.loads(capsys.readouterr().out)
    found = {name: [seen_json([*name.split(), *args], capsys) for args in several] for name, several in calls.items()}
    found["doctor"] = [doctor]
    with ModelServer() as model, KibanaServer(VLLM_YML.format(url=f"{model.url}{CHAT}", model="mistral-small", more=""),
                                              keystore=KEYSTORE) as kibana:  # fmt: skip
        monkeypatch.setenv("KIBANA_API_KEY", KEY)
        monkeypatch.setenv("LLM_BUNDLE_VLLM_API_KEY", TOKEN)
        asked = ["--kibana", kibana.url]
        found["connectors list"] = [seen_json(["connectors", "list", *asked], capsys)]
        direct = ["--direct", f"{model.url}/v1"]
        found["connectors try"] = [seen_json(["connectors", "try", "vllm", *asked, *direct], capsys)]
        found["connectors prompts"] = [seen_json(["connectors", "prompts", *asked], capsys)]
    listed = {cells[0].strip("`"): re.findall(r"`(\w+)`", cells[1]) for cells in rows("command", "keys")}
    listed["inspect"] += json.loads((tmp_path / "site" / "tiny-1.0.0" / "manifest.json").read_text())
    listed["unpack"] += listed["verify"]
    printed = {name: set().union(*documents) for name, documents in found.items()}
    here = listed.keys() - ON_AN_ENGINE - ON_ELASTICSEARCH
    assert {name: set(listed[name]) for name in here} == printed


def seen_json(args: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """What a command prints with ``--json``."""
    assert call([*args, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return document


def test_the_exit_codes_are_those_of_the_errors() -> None:
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    found = {one.exit_code for one in classes if issubclass(one, errors.BundleError)}
    listed = [int(cells[0]) for cells in rows("code", "meaning", "what to do")]
    assert listed == sorted({0, FOUND, INTERRUPTED, READER_LEFT, *found})


def test_the_keys_are_those_that_the_parser_knows() -> None:
    parts = {name: value for name, value in vars(keys).items() if isinstance(value, Keys)}
    assert parts.keys() == PREFIXES.keys() | {"IMAGE"}
    known = {f"{prefix}{key}" for name, prefix in PREFIXES.items() for key in parts[name].all}
    required = {f"{prefix}{key}" for name, prefix in PREFIXES.items() for key in parts[name].required}
    table = {cells[0].strip("`"): cells[1] for cells in rows("key", "needed", "what")}
    assert table.keys() == known
    assert {key for key, needed in table.items() if needed.startswith("yes")} == required
    assert f"{{{parts['IMAGE'].all[0]}: …}}" in TEXT


@pytest.mark.parametrize("word", [*PLATFORMS, *PROVIDERS, *(family.name for family in families())])
def test_the_choices_are_named(word: str) -> None:
    assert re.search(rf"(`|^  ){re.escape(word)}(`| )", TEXT, re.MULTILINE)


def test_links_lead_somewhere() -> None:
    for path in (*HANDBOOK, ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8")):
            file, _, anchor = target.partition("#")
            if "://" not in target:
                found = path.parent / file if file else path
                assert found.exists(), f"{path.name}: {target}"
                assert not anchor or anchor in anchors(found), f"{path.name}: {target}"


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
