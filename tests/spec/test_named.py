"""What arguments name of the bundle."""

from __future__ import annotations

import pytest

from bundler.spec.named import Named, named, replaced
from bundler.spec.parse import parse_spec
from tests.spec.texts import SMALLEST


@pytest.mark.parametrize(
    ("argument", "found"),
    [
        ("model://org/draft", [("model", "org/draft")]),
        ("--speculative-model=model://draft", [("model", "draft")]),
        ('{"model": "model://org/draft-1.5_b", "num_speculative_tokens": 5}', [("model", "org/draft-1.5_b")]),
        ("a=model://a/b,b=extra://t/x.jinja", [("model", "a/b"), ("extra", "t/x.jinja")]),
        ("model://", [("model", "")]),
        ("https://example.com/model", []),
        ("s3-model://bucket", []),
        ("models://x", []),
        ("MODEL://x", []),
        ("model:/x", []),
    ],
)
def test_named(argument: str, found: list[tuple[str, str]]) -> None:
    assert named(argument) == tuple(Named(*one) for one in found)


def test_replaced() -> None:
    text = '{"model": "model://org/draft", "template": "extra://x.jinja"}'
    assert replaced(text, lambda part: f"/{part.kind}/\\1/{part.name}") == (
        '{"model": "/model/\\1/org/draft", "template": "/extra/\\1/x.jinja"}'
    )


def test_a_file_is_named_by_its_path_below_extra() -> None:
    files = f"files:\n  - {{url: https://example.com/t, sha256: {'b' * 64}, path: extra/a/chat.jinja}}\n"
    spec = parse_spec(f'{SMALLEST}  args: [--chat-template, "extra://a/chat.jinja"]\n{files}')
    assert spec.serve.args == ("--chat-template", "extra://a/chat.jinja")
