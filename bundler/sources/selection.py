"""Which files of a model go into the bundle: those that the patterns choose, else one set of weights.

Rules: no I/O. Patterns are read as ``huggingface_hub`` reads them (``utils/_paths.py``: fnmatch over the whole
path, ``*`` crosses ``/``, a trailing ``/`` is a folder); with patterns nothing else is left out. Without
any, the rules of ``weight_sets.py`` hold one after the other, and every choice is said.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bundler.errors import SpecError
from bundler.sources.weight_sets import PICKLES, RULES, TWINS, Rule
from bundler.spec.model import Engine, FilePatterns

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen paths in order, and sentences for the user on what was left out."""

    paths: tuple[str, ...]
    notes: tuple[str, ...] = ()


def select(
    files: Mapping[str, int],
    patterns: FilePatterns,
    *,
    engine: Engine,
    where: str,
    allow_pickle: Collection[str] = (),
) -> Selection:
    """Choose of ``files`` (path → size in bytes). ``where`` names the model, as ``models[0]`` does.

    Pickles that ``allow_pickle`` names are never left out by rule. Raises: SpecError when a pattern matches
    nothing or nothing is chosen.
    """
    if patterns.include or patterns.exclude:
        return _by_patterns(files, patterns, engine, where)
    chosen, left_out = _by_rules(files, RULES, engine, allow_pickle)
    if not chosen:
        raise SpecError(
            f"{where}: expected weights, found {_some(files)}",
            hint="Check the id and the revision, or choose files with files.include.",
        )
    notes = (f"left out {one}; files.include in bundle.yml chooses otherwise" for one in left_out)
    return Selection(tuple(sorted(chosen)), tuple(notes))


def matches(path: str, pattern: str) -> bool:
    """Whether ``pattern`` chooses ``path``, as in ``huggingface_hub``."""
    return fnmatchcase(path, f"{pattern}*" if pattern.endswith("/") else pattern)


def _by_patterns(files: Mapping[str, int], patterns: FilePatterns, engine: Engine, where: str) -> Selection:
    for key, group in (("include", patterns.include), ("exclude", patterns.exclude)):
        for at, pattern in enumerate(group):
            if not any(matches(path, pattern) for path in files):
                raise SpecError(
                    f"{where}: files.{key}[{at}]: no file matches {pattern!r}, found {_some(files)}",
                    hint="Patterns match the whole path; * also matches /, a trailing / means the folder.",
                )
    chosen = {
        path: size
        for path, size in files.items()
        if (not patterns.include or any(matches(path, one) for one in patterns.include))
        and not any(matches(path, one) for one in patterns.exclude)
    }
    if not chosen:
        raise SpecError(
            f"{where}: files: nothing is left of {_some(files)}", hint="files.exclude takes away all files."
        )
    twice = _by_rules(chosen, TWINS, engine, chosen)[1]
    notes = (f"files brings weights more than once: {one}; files.exclude leaves it out" for one in twice)
    return Selection(tuple(sorted(chosen)), tuple(notes))


def _by_rules(
    files: Mapping[str, int], rules: Collection[Rule], engine: Engine, allow_pickle: Collection[str]
) -> tuple[dict[str, int], list[str]]:
    """What is left of ``files``, and what each rule took away, with size and reason."""
    allowed = {path for path in files if any(matches(path, one) for one in allow_pickle)}
    kept, left_out = dict(files), []
    for rule in rules:
        found = rule(kept, engine)
        dropped = found.paths - {path for path in allowed if path.lower().endswith(PICKLES)}
        if dropped:
            size = sum(kept.pop(path) for path in dropped)
            left_out.append(f"{_some(dropped)} ({_size(size)}), {found.why}")
    return kept, left_out


def _some(paths: Collection[str]) -> str:
    if not paths:
        return "no files"
    shown = ", ".join(sorted(paths)[:_SHOWN])
    more = len(paths) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _size(count: int) -> str:
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} bytes"
