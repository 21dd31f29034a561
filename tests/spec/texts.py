"""Texts of bundle.yml that several tests use: the smallest one, and one that uses every key."""

from __future__ import annotations

from pathlib import Path

from bundler.spec.document import Mapping, Node, Scalar, read_document

SMALLEST = """\
apiVersion: llm-bundle/v1
name: demo
version: 1.0.0
platform: linux/amd64
models:
  - org/model
serve:
  engine: vllm
  image: vllm/vllm-openai:v0.9.1
  model: org/model
"""

FULL = (Path(__file__).parent.parent / "data" / "valid-full.yml").read_text(encoding="utf-8")


def plain(node: Node) -> object:
    """The tree as Python values, by which a JSON schema can check it."""
    if isinstance(node, Mapping):
        return {entry.key: plain(entry.value) for entry in node.entries}
    if not isinstance(node, Scalar):
        return [plain(item) for item in node.items]
    if node.kind == "integer":
        return int(node.text, 0)
    if node.kind == "number":
        return float(node.text)
    return {"null": None, "boolean": node.text.lower() == "true"}.get(node.kind, node.text)


def load(text: str) -> object:
    """``text`` as Python values."""
    return plain(read_document(text, "bundle.yml"))
