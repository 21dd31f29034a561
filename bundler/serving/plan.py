"""What the engine's container is to run: ``config/serve.json`` of a bundle. Made from the lock, read as hostile input.

Rules: paths are relative to the release and lead nowhere else; no text holds a control character, so that each can
stand on a line of a unit file; no secret is in it. What only the site knows (ports, GPUs as they are reached, users)
is not here but in ``container.SiteChoices``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.jsonrow import Row, parse
from bundler.relpath import path_fault
from bundler.spec.named import NAME
from bundler.spec.upstream import EXPECTED_UPSTREAM, MOST_REPLICAS, MOST_UPSTREAMS, upstreams_fault

FORMAT: Final = "llm-bundle-serve/1"
PATH: Final = "config/serve.json"
MAX_BYTES: Final = 1 << 20
INSIDE: Final = "/llm-bundle/"
"""Where what is ``beside`` lies inside the container, each at its path in the bundle."""

_MOST_ARGS: Final = 1000
_MOST_CONTEXT: Final = 100_000_000
_MOST_GPUS: Final = 1024
_BESIDE: Final = ("models/", "extra/")
_VARIABLE: Final = re.compile("[A-Za-z_][A-Za-z0-9_]{0,127}")
_HEALTH: Final = re.compile("/[A-Za-z0-9_./-]{0,127}")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class ServePlan:
    """One engine and one model.

    ``image`` and ``digest`` are name and manifest digest of the image in the bundle; ``model`` is the model's folder
    or GGUF file below the release; ``served_name`` is what clients call it; ``context`` is in tokens, None for the
    model's own; ``args`` are the family's arguments, then the user's; ``vocabularies`` is a folder below the release
    with vocabularies that the engine would fetch otherwise, or None. ``replicas`` containers run, each with ``gpus``
    GPUs of its own; ``upstreams`` (``host:port``) are engines on other hosts, which the proxy uses beside these.
    ``beside`` are further files and folders below the release; ``args`` name them by INSIDE and the same path.
    """

    image: str
    digest: Digest
    model: str
    served_name: str
    context: int | None = None
    gpus: int = 1
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    port: int = 8000
    health: str = "/health"
    tool_parser: str | None = None
    vocabularies: str | None = None
    replicas: int = 1
    upstreams: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """The bytes of config/serve.json: sorted keys, two spaces, a line feed at the end."""
        document = {
            "format": FORMAT,
            "engine": "vllm",
            "image": self.image,
            "digest": str(self.digest),
            "model": self.model,
            "served_name": self.served_name,
            "context": self.context,
            "gpus": self.gpus,
            "args": list(self.args),
            "env": dict(self.env),
            "port": self.port,
            "health": self.health,
            "tool_parser": self.tool_parser,
            "vocabularies": self.vocabularies,
            "replicas": self.replicas,
            "upstreams": list(self.upstreams),
            "beside": list(self.beside),
        }
        return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def decode(data: bytes, *, where: str = PATH) -> ServePlan:
    """Read a serve.json. Raises: IntegrityError, with the place, for anything that is not one."""
    if len(data) > MAX_BYTES:
        raise IntegrityError(f"{where}: larger than {MAX_BYTES:,} bytes")
    row = parse(data, where, IntegrityError)
    for key, expected in (("format", FORMAT), ("engine", "vllm")):
        if row.text(key) != expected:
            hint = "This bundle was made by another llm-bundle; use the tool that lies in the bundle."
            raise IntegrityError(f'{where}: {key}: expected "{expected}", found "{row.text(key)[:40]}"', hint=hint)
    return _plan(row)


def _plan(row: Row) -> ServePlan:
    context = row.optional_number("context")
    if context is not None and not 1 <= context <= _MOST_CONTEXT:
        raise row.wrong("context", f"a number of tokens from 1 to {_MOST_CONTEXT}")
    args = row.texts("args", _MOST_ARGS)
    if any(map(_CONTROL.search, args)):
        raise row.wrong("args", "texts of one line without control characters")
    return ServePlan(
        image=_line(row, "image"),
        digest=row.digest("digest"),
        model=_below(row, "model", "models/"),
        served_name=_line(row, "served_name"),
        context=context,
        gpus=_from_one(row, "gpus", _MOST_GPUS),
        args=args,
        env=_env(row),
        port=_from_one(row, "port", 65535),
        health=_health(row),
        tool_parser=_line(row, "tool_parser") if row.value.get("tool_parser") is not None else None,
        vocabularies=_below(row, "vocabularies", "") if row.value.get("vocabularies") is not None else None,
        replicas=_replicas(row),
        upstreams=_upstreams(row),
        beside=_beside(row),
    )


def _line(row: Row, key: str) -> str:
    text = row.text(key, 1024)
    if _CONTROL.search(text):
        raise row.wrong(key, "a text of one line without control characters")
    return text


def _below(row: Row, key: str, folder: str) -> str:
    path = row.text(key, 1024)
    fault = path_fault(path)
    if fault or not path.startswith(folder):
        raise row.wrong(key, f"a path below {folder or 'the release'}" + (f" (it {fault})" if fault else ""))
    return path


def _replicas(row: Row) -> int:
    replicas = _from_one(row, "replicas", MOST_REPLICAS)
    if replicas * row.number("gpus") > _MOST_GPUS:
        raise row.wrong("replicas", f"at most {_MOST_GPUS} GPUs together")
    return replicas


def _upstreams(row: Row) -> tuple[str, ...]:
    found = row.texts("upstreams", MOST_UPSTREAMS)
    fault = upstreams_fault(found)
    if fault:
        raise row.wrong("upstreams", f"{EXPECTED_UPSTREAM} (one {fault[1]})")
    return found


def _beside(row: Row) -> tuple[str, ...]:
    found = row.texts("beside", _MOST_ARGS)
    for path in found:
        fault = path_fault(path) or (None if path.startswith(_BESIDE) else "lies elsewhere")
        # A colon would mean something where engines are told what to mount.
        fault = fault or (None if NAME.fullmatch(path) else "holds other characters than A-Z, a-z, 0-9, . _ - and /")
        if fault:
            raise row.wrong("beside", f"paths below {' and '.join(_BESIDE)} (one {fault})")
    return found


def _from_one(row: Row, key: str, most: int) -> int:
    number = row.number(key, most)
    if number < 1:
        raise row.wrong(key, f"a whole number from 1 to {most}")
    return number


def _health(row: Row) -> str:
    path = row.text("health", 128)
    if not _HEALTH.fullmatch(path):
        raise row.wrong("health", "a path such as /health")
    return path


def _env(row: Row) -> tuple[tuple[str, str], ...]:
    found: dict[str, Any] = row.mapping("env")
    if len(found) > _MOST_ARGS:
        raise row.wrong("env", f"at most {_MOST_ARGS} variables")
    inner = row.row("env")
    if not all(map(_VARIABLE.fullmatch, found)):
        raise row.wrong("env", "names of A-Z, 0-9 and _")
    return tuple((name, _line(inner, name)) for name in sorted(found))
