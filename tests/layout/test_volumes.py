"""Cutting a bundle into volumes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.layout.volumes import Cut, parse_size, split_name


@given(st.integers(1, 10_000), st.integers(1, 5_000), st.data())
def test_pieces_cover_a_range_exactly_once(total: int, volume_size: int, data: st.DataObject) -> None:
    cut = Cut("x.tar", total, volume_size)
    offset = data.draw(st.integers(0, total - 1))
    length = data.draw(st.integers(1, total - offset))
    at = offset
    for index, within, part in cut.pieces(offset, length):
        assert index * volume_size + within == at
        assert 0 < part <= cut.size_of(index) - within
        at += part
    assert at == offset + length
    assert sum(cut.size_of(index) for index in range(len(cut.names))) == total


def test_names() -> None:
    assert Cut("x.tar", 10, 4).names == ("x.tar.001", "x.tar.002", "x.tar.003")
    assert Cut("x.tar", 10).names == ("x.tar",)
    assert split_name("x.tar.002") == ("x.tar", 2)
    assert split_name("x.tar") is None


@pytest.mark.parametrize(
    ("text", "size"),
    [("4GiB", 4 << 30), ("700MB", 700_000_000), ("1.5 GB", 1_500_000_000), ("1048576", 1 << 20), ("2t", 2 * 10**12)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "4 parsecs", "1e9", "1" * 20])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="expected a size"):
        parse_size(text)
