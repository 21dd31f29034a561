"""What a Podman that was killed leaves: a container that its storage has, and that it itself does not know."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bundler.site.engines.podman import Podman
from tests.counterparts.engine_image import engine_image
from tests.counterparts.podman import podman_engine
from tests.site.engines.stage import NAME, make_release


def test_half_a_container_is_removed_with_its_image(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    image = make_release(tmp_path / "release", engine_image()).image
    folder = tmp_path_factory.mktemp("half")  # Podman's own paths may have 50 characters
    with podman_engine(folder) as command:
        engine = Podman(command)
        engine.load(image)
        subprocess.run([*command, "create", "--name", NAME, image.tag], check=True, capture_output=True, timeout=60)
        for database in (folder / "root").glob("**/*"):
            if database.name in ("bolt_state.db", "db.sql"):
                database.unlink()
        assert engine.inspect(NAME) is None
        assert engine.remove(NAME)
        assert not engine.remove(NAME)
        assert engine.remove_image(image.tag)
