"""Where nodes come from, and what is said when none can be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.counterparts import elasticsearch as module
from tests.counterparts.elasticsearch import IMAGE, Nodes, RefusedError, connect

SKIPPED = pytest.skip.Exception
FAILED = pytest.fail.Exception


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without nodes, scripts and Docker; programs may be put into the folder."""
    for name in ("ELASTICSEARCH_URL", "ELASTICSEARCH_VERSIONS", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LLM_BUNDLE_SHARED", str(tmp_path / "shared"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("shutil.which", lambda name: str(tmp_path / name) if (tmp_path / name).exists() else None)
    return tmp_path


def script(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_without_any_the_skip_says_what_to_do(nothing: Path) -> None:
    with pytest.raises(SKIPPED, match=r"Elasticsearch 9 is missing: set ELASTICSEARCH_URL .* docker pull"):
        Nodes().get("943")


def test_a_version_that_is_left_out(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_VERSIONS", "943")
    with pytest.raises(SKIPPED, match="ELASTICSEARCH_VERSIONS leaves 819 out"):
        Nodes().get("819")


def test_scripts_that_start_nothing_are_a_failure_in_ci(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = nothing / "shared" / "counterparts" / "elasticsearch"
    script(scripts, "setup.sh", "exit 0")
    monkeypatch.setattr(module, "_with_open_tmp", list)  # the script lies in /tmp itself
    script(scripts, "start.sh", "echo the node did not start >&2; exit 1")
    with pytest.raises(SKIPPED, match="the node did not start"):
        Nodes().get("943")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(FAILED, match="the node did not start"):
        Nodes().get("943")


def test_the_newest_image_of_the_version(nothing: Path) -> None:
    listed = [f"{IMAGE}:{tag}" for tag in ("8.19.2", "8.19.10", "9.0.1", "latest", "8.19.2-arm64")]
    script(nothing, "docker", "printf '%s\\n' " + " ".join(listed))
    assert module._image("819") == f"{IMAGE}:8.19.10"
    assert module._image("943") == f"{IMAGE}:9.0.1"
    script(nothing, "docker", "exit 1")
    assert module._image("943") == ""


def test_a_real_node_refuses_with_its_own_words(elasticsearch: Nodes) -> None:
    node = elasticsearch.get("943")
    assert connect(node.url.replace("http://", "http://user:word@")).url == node.url
    assert node.version.startswith("9.")
    with pytest.raises(RefusedError, match=r"GET nothing-here: 404: .*index_not_found_exception") as caught:
        node.call("GET", "nothing-here")
    assert caught.value.status == 404
