"""Which connectors a kibana.yml names."""

from __future__ import annotations

from pathlib import Path

import pytest

from preconfigured.errors import ConnectorError, UsageError
from preconfigured.live.expected import ids_of, read_ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", ()),
        ("# nothing but a comment\n", ()),
        ("server.port: 5601\n", ()),
        ("xpack.actions.preconfigured: {a: {name: A}, b: {name: B}}\n", ("a", "b")),
        ("xpack:\n  actions:\n    preconfigured:\n      a: {name: A}\n", ("a",)),
        ("xpack.actions:\n  preconfigured.a.name: A\n  preconfigured.a.actionTypeId: .gen-ai\n", ("a",)),
        ("xpack.actions.preconfigured.a: {name: A}\nxpack: {actions.preconfigured: {b: {}}}\n", ("a", "b")),
        ("xpack.actions.preconfigured.a.config.headers: {X-Team: x}\n", ("a",)),
        ("xpack.actions.preconfiguredAlertHistoryEsIndex: true\nxpack.actions.enabledActionTypes: ['*']\n", ()),
        ("xpack.actions.preconfigured: null\nxpack: text\n", ()),
    ],
)
def test_ids(text: str, ids: tuple[str, ...]) -> None:
    assert ids_of(text.encode(), "kibana.yml") == ids


@pytest.mark.parametrize(
    "data", [b"a: [", b"- list", b"\xff\xfe\x00", b"a: b: c", b"a: !!python/object:os.system x", b"\x00", b"a: 1\na: 2"]
)
def test_files_that_are_none(data: bytes) -> None:
    with pytest.raises(ConnectorError, match=r"kibana\.yml: expected"):
        ids_of(data, "kibana.yml")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_ids(tmp_path / "kibana.yml")
    (tmp_path / "large").write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    with pytest.raises(ConnectorError, match="at most 4194304 bytes"):
        read_ids(tmp_path / "large")
