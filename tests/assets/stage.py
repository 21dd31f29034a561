"""A real node behind a server that can fail, a least-privilege key for it, and the command line called on both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bundler.cli.main import call
from kibana_assets.install.role import Purpose, role
from tests.assets.between import Between
from tests.counterparts.elasticsearch import Node

OURS = "logs-local_llm.*,metrics-local_llm.*"


@dataclass(frozen=True, slots=True)
class Said:
    """What a command left: exit code, JSON and stderr."""

    code: int
    document: dict[str, Any]
    errors: str

    def of(self, *actions: str) -> list[str]:
        """The ids of the changes with these actions."""
        return [one["id"] for one in self.document["changes"] if one["action"] in actions]

    def reason(self, name: str) -> str:
        """Why a change is as it is."""
        [found] = [one["reason"] for one in self.document["changes"] if one["id"] == name]
        return str(found)


@dataclass(frozen=True, slots=True)
class Stage:
    """``run`` is the command line with the address and the key."""

    node: Node
    between: Between
    key: Path
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def run(self, command: str, *args: str, key: Path | None = None) -> Said:
        """``llm-bundle assets COMMAND``; copies go to the stage's folder."""
        copies = ["--backup", str(self.folder)] if command in ("install", "uninstall") else []
        where = ["--elasticsearch", self.between.url, "--api-key-file", str(key or self.key)]
        self.capsys.readouterr()
        code = call(["assets", command, *where, *copies, *args, "--json"])
        said = self.capsys.readouterr()
        return Said(code, json.loads(said.out), said.err)

    def names(self) -> set[str]:
        """Everything of anybody's in the node that could be ours."""
        pipelines = set(self.node.call("GET", "_ingest/pipeline?summary")) - {"reindex-data-stream-pipeline"}
        components = self.node.call("GET", "_component_template")["component_templates"]
        indices = self.node.call("GET", "_index_template")["index_templates"]
        streams = self.node.call("GET", "_data_stream?expand_wildcards=all")["data_streams"]
        return pipelines | {one["name"] for one in (*components, *indices, *streams)}

    def send(self, stream: str, event: dict[str, Any]) -> dict[str, Any]:
        """Store an event, as an agent would, and read it back."""
        made = self.node.call("POST", f"{stream}/_doc?op_type=create&refresh=true", event)
        source = self.node.call("GET", f"{made['_index']}/_doc/{made['_id']}")["_source"]
        assert isinstance(source, dict)
        return source


def make_key(node: Node, folder: Path, purpose: Purpose = "install", without: str = "") -> Path:
    """A file with a new API key that has what the role gives, perhaps without one cluster privilege."""
    wanted = role(purpose)
    rights = {**wanted, "cluster": [one for one in wanted["cluster"] if one != without]}
    made = node.call("POST", "_security/api_key", {"name": "test", "role_descriptors": {"test": rights}})
    path = folder / f"{made['id']}.key"
    path.write_text(made["encoded"], encoding="ascii")
    return path


@contextmanager
def staged(node: Node, folder: Path, capsys: pytest.CaptureFixture[str], base_path: str = "") -> Iterator[Stage]:
    """A stage whose node is as empty afterwards as it was before."""
    with Between(node.url, base_path) as between:
        stage = Stage(node, between, make_key(node, folder), folder, capsys)
        before = stage.names()
        yield stage
        clear(node, before)


def clear(node: Node, keep: set[str]) -> None:
    """Remove what a test left."""
    for one in node.call("GET", "_data_stream?expand_wildcards=all")["data_streams"]:
        node.call("DELETE", f"_data_stream/{one['name']}")
    for kind, key in (("_index_template", "index_templates"), ("_component_template", "component_templates")):
        for one in node.call("GET", kind)[key]:
            if one["name"] not in keep:
                node.call("DELETE", f"{kind}/{one['name']}")
    for name in node.call("GET", "_ingest/pipeline?summary"):
        if name not in keep and name != "reindex-data-stream-pipeline":
            node.call("DELETE", f"_ingest/pipeline/{name}")
