"""What was replaced can be put back with what the copy says: each line as it stands."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.assets.stage import Stage
from tests.counterparts.elasticsearch import Node

ACCESS = "logs-local_llm.proxy_access"
ILM = ("--lifecycle", "ilm", "--retention", "60d")
EDITS: dict[str, dict[str, Any]] = {
    "_ingest/pipeline": {"description": "mine"},
    "_component_template": {"version": 7},
    "_index_template": {"priority": 777},
    "_ilm/policy": {"phases": {"hot": {"actions": {}}, "delete": {"min_age": "7d", "actions": {"delete": {}}}}},
}


def found(node: Node, path: str) -> dict[str, Any]:
    """The body of one object, as Elasticsearch has it."""
    answer = node.call("GET", path)
    for several, one in (("component_templates", "component_template"), ("index_templates", "index_template")):
        if several in answer:
            return dict(answer[several][0][one])
    [body] = answer.values()
    return dict(body.get("policy", body))


def edit(node: Node, path: str, change: dict[str, Any]) -> dict[str, Any]:
    """Change an object as a person would; what Elasticsearch has then, without its times."""
    body = {key: value for key, value in found(node, path).items() if "_date" not in key} | change
    node.call("PUT", path, {"policy": body} if "_ilm" in path else body)
    return body


def test_each_line_of_a_copy_can_be_put_as_it_is(mighty: Stage) -> None:
    stage, node = mighty, replace(mighty.node, url=mighty.between.url)
    try:
        assert stage.run("install", "--no-proof", *ILM).code == 0
        pipeline = next(one for one in sorted(stage.names()) if one.startswith(f"{ACCESS}-"))
        names = (pipeline, f"{ACCESS}@package", ACCESS, "local_llm")
        edited = {
            f"/{kind}/{name}": edit(node, f"{kind}/{name}", EDITS[kind])
            for kind, name in zip(EDITS, names, strict=True)
        }
        forced = stage.run("install", "--no-proof", "--force", *ILM)
        assert sorted(forced.of("update")) == sorted(names)
        [copy] = forced.document["backups"]
        lines = [json.loads(line) for line in Path(copy).read_text(encoding="utf-8").splitlines()]
        for line in lines:
            node.call("PUT", line["path"][1:], line["body"])
        assert {line["path"] for line in lines} == set(edited)
        for path, body in edited.items():
            assert {key: found(node, path[1:])[key] for key in body} == body
        removed = stage.run("uninstall", "--force")
        assert [removed.reason(name) for name in names] == ["edited by hand: removed"] * 4
    finally:
        stage.run("uninstall", "--force")
