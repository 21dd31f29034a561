"""How messages show what was found. Rules: one line, bounded, printable, and never a secret."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable

# Access tokens by the prefixes that their makers gave them so that they can be found.
_TOKEN = re.compile(r"\b(?:hf_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{16,})")
# Greedy, since a password may hold a slash or a blank; a digest after the @ is none.
_USERINFO = re.compile(r"(//).*@|[^\s@:/]+:(?!//).*@(?!sha\d+:)", re.DOTALL)
_QUERY = re.compile(r"(://[^?\s]*)[?#].*")
# argparse, which reads vLLM's arguments, takes any unambiguous beginning of an option, and _ for -.
_SECRET_OPTION = re.compile(r"--(?:api-k(?:e(?:y)?)?|hf-t(?:o(?:k(?:e(?:n)?)?)?)?)")
_WORD = re.compile("[A-Za-z0-9_.:-]{1,80}")
_LONGEST = 80
_MOST_READ = 4096


def holds_token(text: str) -> bool:
    """Whether ``text`` holds what looks like an access token."""
    return _TOKEN.search(text) is not None


def secret_option(arg: str) -> str | None:
    """The option of an engine by which ``arg`` gives it a secret; None where it gives none."""
    option = arg.partition("=")[0].replace("_", "-").lower().split(" ")[0]
    return option if _SECRET_OPTION.fullmatch(option) else None


def quoted(text: str) -> str:
    """``text`` in double quotes for a message, without tokens, userinfo and queries; at most 80 characters."""
    bare = _QUERY.sub(r"\1", _USERINFO.sub(r"\1…@", _TOKEN.sub("…", text[:_MOST_READ])))
    if len(bare) > _LONGEST:
        bare = bare[:_LONGEST] + "…"
    written = json.dumps(bare, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in written)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint with the known word that is nearest to ``word``, or an empty text where none is near."""
    found = difflib.get_close_matches(word, list(known), n=1)
    if not found:
        folded = {one.replace("_", "").lower(): one for one in known}
        found = [folded[key] for key in [re.sub("[-_ ]", "", word).lower()] if key in folded]
    return f'did you mean "{found[0]}"?' if found else ""


def step(path: str, key: str) -> str:
    """The path one key deeper: ``serve.image``, or ``registries["https://…"]`` where the key is no plain word."""
    if f'"{key}"' != quoted(key) or not _WORD.fullmatch(key):
        return f"{path}[{quoted(key)}]"
    return f"{path}.{key}" if path else key


def place(where: str, line: int, path: str) -> str:
    """``bundle.yml:12: models[0].files``, the beginning of every message; lines count from 1."""
    return f"{where}:{line}: {path}" if path else f"{where}:{line}"
