"""A secure node of each version, and a stage on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kibana_assets.package import tree
from tests.assets.recorded_runs import Run, Stand, record, stand
from tests.assets.stage import Stage, staged
from tests.counterparts.elasticsearch import VERSIONS, Node, Nodes, chosen

SMALL = ("audit", "proxy_access", "vllm_metrics")


@pytest.fixture(scope="session")
def secured() -> Iterator[Nodes]:
    """Nodes with users, roles and API keys."""
    nodes = Nodes(security=True)
    yield nodes
    nodes.stop()


@pytest.fixture(scope="session", params=VERSIONS)
def node(request: pytest.FixtureRequest, secured: Nodes) -> Node:
    """A secure node of a version."""
    return secured.get(chosen(request.param))


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with three of its data streams: to compile the pipelines of all takes seconds each time."""
    folder = tmp_path_factory.mktemp("small") / "package"
    for name, data in tree.load().files.items():
        if not name.startswith("data_stream/") or name.split("/")[1] in SMALL:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="session")
def hollow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole package with pipelines that do nothing, and so take no time."""
    folder = tmp_path_factory.mktemp("hollow") / "package"
    for name, data in tree.load().files.items():
        if "/ingest_pipeline/" not in name or name.endswith("/default.yml"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"---\nprocessors: []\n" if "/ingest_pipeline/" in name else data)
    return folder


@pytest.fixture
def whole() -> None:
    """For a test that wants the whole package."""


@pytest.fixture
def all_streams() -> None:
    """For a test that wants all data streams, but not what their pipelines do."""


@pytest.fixture
def stage(
    node: Node,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    small: Path,
    hollow: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stage]:
    """A stage on the node; what is installed is the small package, unless the test names ``whole``."""
    # By the test's own monkeypatch: two of them would be undone in the wrong order, and leave a package behind.
    if "whole" not in request.fixturenames:
        monkeypatch.setattr(tree, "CHECKOUT", hollow if "all_streams" in request.fixturenames else small)
    with staged(node, tmp_path, capsys) as made:
        yield made


@pytest.fixture
def mighty(stage: Stage) -> Stage:
    """A key that may also make policies."""
    rights = {"cluster": ["all"], "indices": [{"names": ["*"], "privileges": ["all"]}]}
    made = stage.node.call("POST", "_security/api_key", {"name": "all", "role_descriptors": {"all": rights}})
    stage.key.write_text(made["encoded"])
    return stage


@pytest.fixture(scope="session")
def recorded(secured: Nodes, hollow: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, ...]:
    """Good runs of all commands, with what was answered to them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree, "CHECKOUT", hollow)
        return record(secured.get(VERSIONS[0]), tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def again(hollow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    """Where recorded runs are lived again."""
    monkeypatch.setattr(tree, "CHECKOUT", hollow)
    with stand(tmp_path) as made:
        yield made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A node's first start may take minutes on a busy machine, and counts as the first test's time."""
    for item in items:
        if {"node", "recorded"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.timeout(1200))
