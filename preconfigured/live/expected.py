"""Which connectors a kibana.yml names: the ids under ``xpack.actions.preconfigured``, in both spellings.

Rules: the file is only read. Dots split keys, as Kibana splits them. A file with one key twice is refused; what else is
wrong with it is for ``check`` to say.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from preconfigured.errors import ConnectorError, UsageError

_LARGEST = 4 * 1024 * 1024
_PATH = ("xpack", "actions", "preconfigured")
_HINT = "llm-bundle connectors check names the line."


def read_ids(path: Path) -> tuple[str, ...]:
    """The ids of the preconfigured connectors in a kibana.yml.

    Raises:
        UsageError: the file cannot be read.
        ConnectorError: it is no kibana.yml.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or 'cannot be read'}", hint="Name a kibana.yml.") from error
    if len(data) > _LARGEST:
        raise ConnectorError(f"{path}: expected at most {_LARGEST} bytes, found more", hint="Name a kibana.yml.")
    return ids_of(data, str(path))


def ids_of(data: bytes, place: str) -> tuple[str, ...]:
    """The ids of the preconfigured connectors in the bytes of a kibana.yml.

    Raises:
        ConnectorError: it is no kibana.yml.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    reader = YAML(typ="safe", pure=True)
    try:
        tree = reader.load(data)
    except (YAMLError, UnicodeError, ValueError, RecursionError) as error:
        raise ConnectorError(f"{place}: expected YAML, found something else", hint=_HINT) from error
    if tree is None:
        return ()
    if not isinstance(tree, dict):
        raise ConnectorError(f"{place}: expected settings, found something else", hint=_HINT)
    return tuple(dict.fromkeys(_ids(tree, _PATH)))


def _ids(tree: dict[Any, Any], path: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for key, value in tree.items():
        parts = tuple(str(key).split("."))
        shared = min(len(parts), len(path))
        if parts[:shared] != path[:shared]:
            continue
        if len(parts) > len(path):
            found.append(parts[len(path)])
        elif isinstance(value, dict):
            rest = path[len(parts) :]
            found.extend(_ids(value, rest) if rest else [str(name).split(".")[0] for name in value])
    return found
