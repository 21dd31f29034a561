"""A bundle with its tool, made once."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from bundler.cli.main import call
from examples.tiny.inputs import make_inputs

TINY = Path(__file__).parent.parent.parent / "examples" / "tiny" / "bundle.yml"


@dataclass(frozen=True, slots=True)
class Medium:
    """What is carried to the site: the bundle, the tool taken out of it, and the public key."""

    folder: Path
    bundle: Path
    tool: Path
    key: Path


@pytest.fixture(scope="session")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Medium:
    """A signed bundle, and its tool as tar takes it out."""
    desk, folder = tmp_path_factory.mktemp("desk"), tmp_path_factory.mktemp("medium")
    make_inputs(desk / "inputs")
    spec = str(shutil.copy(TINY, desk))
    key = desk / "signing.key"
    assert call(["keygen", "--no-password", "-o", str(key)]) == 0
    assert call(["lock", "-q", spec]) == 0
    assert call(["build", "-q", spec, "-o", str(folder), "--key", str(key)]) == 0
    bundle = folder / "tiny-1.0.0.tar"
    subprocess.run(["tar", "--occurrence=1", "-xf", bundle, "tiny-1.0.0/llm-bundle.pex"], cwd=folder, check=True)
    return Medium(
        folder, bundle, folder / "tiny-1.0.0" / "llm-bundle.pex", Path(shutil.copy(key.with_suffix(".pub"), folder))
    )
