"""The text that Nginx includes: its patterns, held against Python's own comparison."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bundler.serving.nginx.tokens import ProxyToken, token_map

SECRET = "a-B_" + "c" * 39
TIMES = st.integers(1_000_000_001, 9_999_999_998)
SECRETS = st.text("abABzZ09_-", min_size=16, max_size=20)
_MAP = re.compile(
    r'^map (?P<of>"[^"]+"|\$\w+) \$(?P<name>\w+) \{\n    default "";\n(?P<rows>(?:    .*\n)*)\}$', re.MULTILINE
)


def label(text: str, header: str, now: str = "1763000000.123") -> str:
    """What ``$llm_token`` is for an Authorization header, by the maps of ``text`` as Nginx reads them."""
    maps = {found["name"]: found for found in _MAP.finditer(text)}

    def value(name: str) -> str:
        given = maps[name]["of"].strip('"').replace("$msec", now).replace("$http_authorization", header)
        subject = value(given[1:]) if given.startswith("$llm_") else given
        return chosen(maps[name]["rows"].splitlines(), subject)

    def chosen(rows: list[str], subject: str) -> str:
        for key, what in (row.strip().rstrip(";").rsplit(" ", 1) for row in rows):
            # PCRE's \z is Python's \Z, and its groups are named without P.
            pattern = key[2:-1].replace(r"\z", r"\Z").replace("(?<", "(?P<") if key.startswith('"~') else None
            found = re.search(pattern, subject) if pattern else None
            if found or (pattern is None and key == subject.lower()):
                kept = found.groupdict() if found else {}
                return str(kept.get(what[1:], "")) or value(what[1:]) if what.startswith("$") else what
        return ""

    return value("llm_token")


@given(end=TIMES, now=TIMES)
def test_a_token_lives_until_its_end(end: int, now: int) -> None:
    text = token_map([ProxyToken("0123abcd", "a", SECRET, end)])
    for moment in (now, end - 1, end, end + 1):
        assert label(text, f"Bearer {SECRET}", f"{moment}.000") == ("a" if moment < end else "")


@given(secrets=st.lists(SECRETS, min_size=1, max_size=12, unique=True), other=SECRETS)
def test_each_is_found_by_its_own_secret_and_by_no_other(secrets: list[str], other: str) -> None:
    text = token_map([ProxyToken(f"{n:08x}", f"l{n}", secret) for n, secret in enumerate(secrets)])
    assert [label(text, f"bearer  {secret}") for secret in secrets] == [f"l{n}" for n in range(len(secrets))]
    for near in (other, secrets[0].swapcase(), secrets[0][:-1], f"{secrets[0]}a", f"a{secrets[0]}"):
        assert near in secrets or label(text, f"Bearer {near}") == ""


def test_nothing_stands_before_or_behind_it() -> None:
    text = token_map([ProxyToken("0123abcd", "kibana-1", SECRET)])
    assert label(text, f"BEARER {SECRET}") == "kibana-1"
    for odd in ("", SECRET, f"Bearer{SECRET}", f"Bearer {SECRET}\n", f"Bearer {SECRET} x", f"Basic Bearer {SECRET}"):
        assert label(text, odd) == ""
    assert label(token_map([]), f"Bearer {SECRET}") == ""
