"""``python -m tests.package.update [DS …]``: writes what the pipelines make now as what is expected.

Rules: a person reads the result. Both versions must agree. The first document of the first test (or of the one whose
name has ``sample``) becomes the stream's ``sample_event.json``; it has no dynamic fields left out.
"""

from __future__ import annotations

import json
import os
import sys

import pytest

from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.tree import CHECKOUT, load
from tests.counterparts.elasticsearch import VERSIONS, Node, Nodes
from tests.package.case import Case, cases
from tests.package.simulate import Document, install, results, text, without_dynamic


def update(nodes: list[Node], stream: Stream) -> int:
    """Write the expectations of a stream; how many files."""
    for node in nodes:
        install(node, stream)
    samples: list[tuple[bool, Document]] = []
    count = 0
    for case in cases(stream):
        made = _agreed(nodes, case)
        case.expected_path.write_text(text(made), encoding="utf-8")
        count += 1
        samples += [("sample" not in case.path.name, document) for document in made[:1] if document]
    if samples:
        sample = min(samples, key=lambda pair: pair[0])[1]
        written = json.dumps(_complete(stream, sample), indent=4, sort_keys=True, ensure_ascii=False) + "\n"
        (CHECKOUT / stream.path / "sample_event.json").write_text(written, encoding="utf-8")
    return count


def _agreed(nodes: list[Node], case: Case) -> list[Document | None]:
    made = [results(node, case) for node in nodes]
    compared = {text(without_dynamic(case, one)) for one in made}
    assert len(compared) == 1, f"{case.path}: {' and '.join(node.version for node in nodes)} do not agree"
    return made[0]


def _complete(stream: Stream, sample: Document) -> Document:
    """The document as it is stored: with the fields of its data stream."""
    own = {"type": stream.type, "dataset": stream.dataset, "namespace": "default"}
    return {**sample, "data_stream": own, "event": {**sample.get("event", {}), "dataset": stream.dataset}}


def main(names: list[str]) -> int:
    """The streams that ``names`` names, or all."""
    known = {stream.name: stream for stream in streams(load())}
    wrong = [name for name in names if name not in known]
    if wrong:
        print(f"no data stream {' '.join(wrong)}: expected of {' '.join(known)}", file=sys.stderr)
        return 2
    nodes = Nodes()
    try:  # a skip is how a missing node is told
        versions = os.environ.get("ELASTICSEARCH_VERSIONS", " ".join(VERSIONS)).split()
        running = [nodes.get(version) for version in versions]
        for name in names or known:
            print(
                f"{name}: {update(running, known[name])} files written; read them: git diff package/data_stream/{name}"
            )
    except pytest.skip.Exception as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        nodes.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
