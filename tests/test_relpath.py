"""The one rule for relative paths."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.relpath import path_fault


@given(st.text(max_size=30))
def test_what_is_let_through_stays_in_its_folder(text: str) -> None:
    if path_fault(text) is None:
        assert os.path.normpath(f"/folder/{text}") == f"/folder/{text}"
        assert not set(text) & set("\\\n\r\t\x00\x1b\u2028\u202e")


@pytest.mark.parametrize("path", ["a", "a/b c/é漢.txt", "-rf", "~", "a'b\"$(x)", "x" * 255, ".hidden/..a"])
def test_good(path: str) -> None:
    assert path_fault(path) is None


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "is empty"),
        ("/a", "is absolute"),
        ("a//b", "empty part"),
        ("a/", "empty part"),
        ("./a", "empty part"),
        ("a/../b", "'..'"),
        ("a\nb", "control character"),
        ("a\x85b", "control character"),
        ("evil\u202egpj.exe", "control character"),
        ("a\\b", "backslash"),
        ("\udc80", "UTF-8"),
        ("é" * 128, "longer than"),
        ("/".join("a" * 513), "longer than"),
    ],
)
def test_bad(path: str, words: str) -> None:
    assert words in (path_fault(path) or "")
