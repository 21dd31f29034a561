"""Commands of ``llm-bundle assets`` that went well against a real node and a stand-in for Kibana, to be lived again.

Rules: one run is one command line, and what Elasticsearch and Kibana answered to it. Before the recording something of
each kind is put there, so that every kind of answer has something in it. Pauses are of nothing in recording and replay.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bundler.cli.main import call
from kibana_assets.elasticsearch import cluster
from kibana_assets.fleet import api
from kibana_assets.install.role import role
from kibana_assets.kibana import client
from tests.assets.between import Between
from tests.assets.stage import clear
from tests.assets.tape import Heard, Odd, Tape
from tests.counterparts.elasticsearch import PASSWORD, Node
from tests.counterparts.kibana_stack.server import KibanaStack
from tests.counterparts.kibana_stack.state import EVERYTHING, Stack

AGENT = "elastic-agent-8.19.0-linux-x86_64.tar.gz"
STREAM = "logs-local_llm.audit-default"
KEEP = ("--lifecycle", "stream", "--retention", "30d")
SPACES = ("--all-spaces",)
ENROL = ("enrol", "--enrolment-file", "token", "--agent", AGENT)
LINES: dict[str, tuple[tuple[str, ...], ...]] = {
    "--no-kibana": (
        ("plan", *KEEP),
        ("install", *KEEP),
        ("plan", "--lifecycle", "ilm"),
        ("status",),
        ("role", "install", "--create", "--key-file", "new.key"),
        ("uninstall", "--data"),
    ),
    "--no-fleet": (
        ("plan", *SPACES),
        ("install", *SPACES, "--enable-rules", "--no-proof"),
        ("plan", *SPACES, "--force"),
        ("status", "--panels"),
        ("uninstall", "--data"),
    ),
    "": (
        ("plan", *KEEP),
        ("install", *SPACES, *KEEP, "--monitor-port", "9464"),
        ("install", *SPACES, "--policy", "other", "--force", "--no-proof"),
        ENROL,
        ("status",),
        ("enrol", "--revoke"),
        ("uninstall", "--data"),
    ),
}
"""How Kibana is used, to commands in their order; the first finds nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """A command, its exit code, and what was answered to it."""

    way: str
    line: tuple[str, ...]
    code: int
    elasticsearch: dict[tuple[str, str, int], Heard] = field(repr=False)
    kibana: dict[tuple[str, str, int], Heard] = field(repr=False)

    @property
    def name(self) -> str:
        """To tell runs apart."""
        return " ".join((self.line[0], *(one for one in (self.way, *self.line[1:]) if one.startswith("--"))))


@dataclass(frozen=True, slots=True)
class Said:
    """What a command left."""

    code: int
    out: str
    err: str

    def wrong(self, secret: str) -> str:
        """What is wrong with it as an answer to a server that is; nothing if all is well."""
        told = self.err + self.out
        if self.code not in (0, 3, 4, 7, 8) and "enrol: expected an installation with Fleet" not in self.err:
            return f"exit code {self.code}: {self.err[:400]}"
        if self.code not in (0, 8) and ("llm-bundle: " not in self.err or "\n  hint: " not in self.err):
            return f"no message with a hint: {self.err[:400]}"
        if any(not (one.isprintable() or one == "\n") for one in told):
            return "characters that steer a terminal"
        if any(len(line) > 2500 for line in self.err.splitlines()) or len(self.err.splitlines()) > 4:
            return f"{len(self.err)} characters of errors"
        if len(self.out) > 100_000:
            return f"{len(self.out)} characters of output"
        return "a secret" if secret in told else ""


@dataclass(frozen=True, slots=True)
class Stand:
    """Two tapes that stand for Elasticsearch and Kibana, and a folder for whatever is written."""

    elasticsearch: Tape
    kibana: Tape
    folder: Path
    key: Path

    def replay(self, run: Run, odd: Odd | None = None, at: str = "elasticsearch") -> Said:
        """The run once more, with ``odd`` answers of one of the two."""
        self.elasticsearch.begin(run.elasticsearch, odd=odd if at == "elasticsearch" else None)
        self.kibana.begin(run.kibana, odd=odd if at == "kibana" else None)
        return self.call(run.way, run.line)

    def call(self, way: str, line: tuple[str, ...], seconds: int = 1) -> Said:
        """A command line, in the folder."""
        for name in ("token", "new.key"):
            (self.folder / name).unlink(missing_ok=True)
        where = ["--elasticsearch", self.elasticsearch.url, "--timeout", str(seconds)]
        where += ["--user", "elastic"] if line[0] == "role" else ["--api-key-file", str(self.key)]
        if line[0] != "role":
            where += ["--no-kibana"] if way == "--no-kibana" else ["--kibana", self.kibana.url, *([way] if way else [])]
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = call(["assets", line[0], *line[1:], *where])
        return Said(code, out.getvalue(), err.getvalue())


@contextmanager
def stand(folder: Path, key: str = "cmVwbGF5ZWQ6bm9ib2R5LWtub3dzLXRoaXM=") -> Iterator[Stand]:
    """Both tapes; the process stands in the folder, and waits for nothing. In a replay any key will do."""
    path = folder / "all.key"
    path.write_text(key)
    with ExitStack() as open_:
        patch = open_.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(cluster, "_PAUSES", (0.0,))
        patch.setattr(client, "_PAUSES", (0.0,))
        patch.setattr(api, "PATIENCE", 0.0)
        patch.setenv("ELASTICSEARCH_PASSWORD", PASSWORD)
        patch.chdir(folder)
        yield Stand(open_.enter_context(Tape()), open_.enter_context(Tape()), folder, path)


def record(node: Node, folder: Path) -> tuple[Run, ...]:
    """All runs of LINES. ``node`` is secure, and is left as it was."""
    rights = {"all": role("install", ilm=True, spaces=("*",), fleet=True)}
    key = str(node.call("POST", "_security/api_key", {"name": "all", "role_descriptors": rights})["encoded"])
    logins = {f"ApiKey {key}": EVERYTHING}
    runs: list[Run] = []
    before = names(node)
    with stand(folder, key) as made, Between(node.url) as between:
        for way, lines in LINES.items():
            spaces, whole = {"default": "Default", "a": "A"}, replace(node, url=between.url)
            stack = Stack(spaces=spaces, logins=logins, upload_pause=0, node=whole, version=node.version)
            with KibanaStack(stack) as kibana:
                for place, line in enumerate(lines):
                    runs.append(_recorded(made, way, line, between.url, kibana.url))
                    if place == 1:
                        node.call("PUT", f"_data_stream/{STREAM}")
            clear(node, before)
    return tuple(runs)


def _recorded(made: Stand, way: str, line: tuple[str, ...], elasticsearch: str, kibana: str) -> Run:
    run = Run(way, line, 0, {}, {})
    made.elasticsearch.begin(run.elasticsearch, elasticsearch)
    made.kibana.begin(run.kibana, kibana)
    said = made.call(way, line, 60)
    assert said.code in (0, 8), (line, said)
    return Run(way, line, said.code, run.elasticsearch, run.kibana)


def names(node: Node) -> set[str]:
    """What a node brings with itself."""
    listed = ((one, node.call("GET", one)[f"{one[1:]}s"]) for one in ("_index_template", "_component_template"))
    return {one["name"] for _, found in listed for one in found} | set(node.call("GET", "_ingest/pipeline?summary"))
