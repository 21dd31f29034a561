"""The README.md in a bundle explains every file beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

from bundler.content.render import render
from bundler.lock.resolve import resolve
from bundler.sources.kinds import Sources
from bundler.spec.parse import read_spec
from examples.tiny.inputs import make_inputs

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "tiny" / "bundle.yml"


def test_every_file_that_is_written_is_explained(tmp_path: Path) -> None:
    make_inputs(tmp_path / "inputs")
    spec = read_spec(Path(shutil.copy(EXAMPLE, tmp_path)))
    files = {file.path: file.data.decode() for file in render(resolve(spec, Sources({}, spec.base)))}
    text = files.pop("README.md")
    rows = dict(line.strip("| ").split(" | ", 1) for line in text.splitlines() if line.startswith("| `"))
    assert {path: rows[f"`{path}`"] for path in files if "written by" in rows[f"`{path}`"]} == {}
    assert "Kubernetes" in rows["`kibana/keystore-eck.sh`"]
