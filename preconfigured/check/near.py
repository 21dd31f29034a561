"""The right word for a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 80


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that is meant: equal but for case and punctuation, or close enough; None where none is."""
    plain = {_plain(choice): choice for choice in choices}
    wanted = _plain(word[:_LONGEST])
    found = [wanted] if wanted in plain else get_close_matches(wanted, plain, 1, 0.65)
    return plain[found[0]] if found else None


def _plain(word: str) -> str:
    return "".join(character for character in word.lower() if character.isalnum())
