"""The text that Nginx includes: its patterns, held against Python's own comparison."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bundler.serving.nginx.tokens import ProxyToken, token_map

SECRET = "a-B_" + "c" * 39
TIMES = st.integers(1_000_000_001, 9_999_999_998)


def patterns(text: str) -> list[str]:
    # PCRE's \z is Python's \Z, and its groups are named without P.
    found = re.findall(r'^    "~(.*)" \S+;$', text, re.MULTILINE)
    return [pattern.replace(r"\z", r"\Z").replace("(?<", "(?P<") for pattern in found]


@given(end=TIMES, now=TIMES)
def test_a_token_lives_until_its_end(end: int, now: int) -> None:
    ends = patterns(token_map([ProxyToken("0123abcd", "a", SECRET, end)]))[1]
    for moment in (now, end - 1, end, end + 1):
        assert bool(re.search(ends, f"@0123abcd {moment}.000")) is (moment < end)
        assert not re.search(ends, f"@0123abce {moment}.000")


def test_one_that_does_not_end_is_its_label() -> None:
    token, lasting = patterns(token_map([ProxyToken("0123abcd", "kibana-1", SECRET)]))
    assert re.search(token, f"bearer {SECRET}")
    assert not re.search(token, f"Bearer {SECRET}\n")
    found = re.search(lasting, "kibana-1 1763000000.123")
    assert found and found["llm_lasting"] == "kibana-1"
    assert not re.search(lasting, " 1763000000.123")
    assert not re.search(lasting, "@0123abcd 1763000000.123")
