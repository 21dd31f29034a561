"""What the package tells the agent: its stream templates, rendered by the real Handlebars with a user's values."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from kibana_assets.package.streams import Stream
from kibana_assets.package.tree import load
from tests.counterparts.filestream import Settings
from tests.counterparts.need import need

MODULES: Final = ("handlebars@4.7.8", "yaml@2.8.1")
SCRIPT: Final = Path(__file__).parent.parent / "render_template.js"


def settings(folder: Path, said: Sequence[tuple[Stream, Mapping[str, Any]]]) -> dict[str, Settings]:
    """Stream's name → its filestream input, with the defaults of its variables but for those that are said.

    ``folder`` is where the modules of Handlebars are or are put. Skips where npm cannot fetch them.
    """
    fetch(folder)
    asked = []
    for stream, values in said:
        (one,) = (one for one in stream.manifest["streams"] if one["input"] == "filestream")
        known = {var["name"]: var.get("default") for var in one.get("vars", ())}
        assert set(values) <= set(known), f"{stream.name}: no variable {sorted(set(values) - set(known))}"
        asked.append(
            {
                "template": load().text(f"{stream.path}/agent/stream/{one['template_path']}"),
                "vars": {**known, **values, "data_stream": {"dataset": stream.dataset, "type": stream.type}},
                "yaml": {var["name"]: "" for var in one.get("vars", ()) if var["type"] == "yaml"},
            }
        )
    command = [need("node", "nodejs"), str(SCRIPT), str(folder)]
    question = json.dumps({"library": "yaml", "asked": asked})
    done = subprocess.run(command, input=question, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    rendered = json.loads(done.stdout)
    assert all("read" in one for one in rendered), rendered
    return {stream.name: Settings.of(one["read"]) for (stream, _), one in zip(said, rendered, strict=True)}


def fetch(folder: Path) -> None:
    """Put the modules there, unless they are there."""
    if all((folder / "node_modules" / one.partition("@")[0]).is_dir() for one in MODULES):
        return
    folder.mkdir(parents=True, exist_ok=True)
    line = [need("npm", "npm"), "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *MODULES]
    done = subprocess.run(line, capture_output=True, text=True, timeout=200, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot fetch {MODULES}: {done.stderr.strip()[-300:]}")
