"""Engine and proxy in containers of real engines: what reaches them, what they may do, and what nobody sees."""

from __future__ import annotations

import pytest

from tests.site.parts.stage import Site, chat


def test_a_chat_completion_through_tls(serving: Site) -> None:
    status, answer = chat(serving)
    assert (status, answer["object"]) == (200, "chat.completion")
    assert chat(serving, "x" * 43)[0] == 401
