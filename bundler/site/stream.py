"""A streamed chat completion, read as it arrives: server-sent events, each with a time.

Rules: as in ``chat``; an event has at most 1 MiB, all of them 16 MiB, and the whole of it a time. What was said is
counted and not kept. Format: https://html.spec.whatwg.org/multipage/server-sent-events.html, with OpenAI's chunks and
its last event, ``[DONE]``.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from bundler.errors import EngineError
from bundler.site.chat import Line, connected, said, send

_EVENT: Final = 1 << 20
_ALL: Final = 16 << 20
_PIECE: Final = 64 << 10
_WORDS: Final = ("content", "reasoning_content", "reasoning")
_DONE: Final = "[DONE]"


@dataclass(frozen=True, slots=True)
class Streamed:
    """Seconds from the question to the first piece of text, to the last one, and to the end; how many there were.

    ``tokens`` is what the server counted, None where it did not say.
    """

    first: float
    last: float
    end: float
    pieces: int
    tokens: int | None

    @property
    def rate(self) -> float | None:
        """Tokens a second after the first one, as far as that can be seen."""
        spent = self.last - self.first
        count = (self.tokens or self.pieces) - 1
        return count / spent if spent > 0 and count > 0 else None


def stream(line: Line, path: str, body: dict[str, Any], *, seconds: float) -> Streamed:
    """POST ``body``, which asks for a stream, and read it to its end. Raises: EngineError unless it is a whole one."""
    began = time.monotonic()
    texts: list[float] = []
    tokens: int | None = None
    for event in _events(line, path, body, began + seconds):
        if event == _DONE:
            return _streamed(path, began, texts, tokens)
        chunk = _chunk(event, path)
        if _has_text(chunk):
            texts.append(time.monotonic() - began)
        tokens = _count(chunk, tokens)
    raise EngineError(f"{path}: the stream ended without its last event, {_DONE}")


def _streamed(path: str, began: float, texts: list[float], tokens: int | None) -> Streamed:
    if not texts:
        raise EngineError(f"{path}: the stream held no text")
    return Streamed(texts[0], texts[-1], time.monotonic() - began, len(texts), tokens)


def _events(line: Line, path: str, body: dict[str, Any], until: float) -> Iterator[str]:
    """The data of each event."""
    data: list[str] = []
    size = 0
    for row in _rows(line, path, body, until):
        field, _, value = row.partition(":")
        if not row and data:
            yield "\n".join(data)
            data, size = [], 0
        elif field == "data":
            data.append(value.removeprefix(" "))
            size += len(row)
            _require_small(path, size)


def _rows(line: Line, path: str, body: dict[str, Any], until: float) -> Iterator[str]:
    """The lines, each as soon as it is whole; an end of line is LF or CR LF, as every server of models sends it."""
    left = b""
    for piece in _pieces(line, path, body, until):
        *whole, left = (left + piece).split(b"\n")
        _require_small(path, len(left))
        yield from (row.removesuffix(b"\r").decode("utf-8", "replace") for row in whole)


def _pieces(line: Line, path: str, body: dict[str, Any], until: float) -> Iterator[bytes]:
    """The bytes as they arrive."""
    with connected(line, path, _left(path, until)) as connection:
        send(connection, line, "POST", path, body)
        socket = connection.sock
        with connection.getresponse() as answer:
            _require_stream(answer, path)
            total = 0
            while piece := answer.read1(_PIECE):
                total += len(piece)
                if total > _ALL:
                    raise EngineError(f"{path}: the stream is larger than {_ALL:,} bytes")
                yield piece
                socket.settimeout(_left(path, until))


def _require_stream(answer: http.client.HTTPResponse, path: str) -> None:
    if answer.status != 200:
        raise EngineError(f"{path}: expected 200, found {answer.status}: {said(answer.read(_PIECE))}")
    kind = answer.headers.get_content_type()
    if kind != "text/event-stream":
        raise EngineError(f"{path}: expected text/event-stream, found {kind[:60]!r}")


def _require_small(path: str, size: int) -> None:
    if size > _EVENT:
        raise EngineError(f"{path}: an event of the stream is larger than {_EVENT:,} bytes")


def _left(path: str, until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise EngineError(f"{path}: the stream did not end in time")
    return left


def _chunk(event: str, path: str) -> dict[str, Any]:
    try:
        chunk = json.loads(event)
    except (ValueError, RecursionError) as error:
        raise EngineError(f"{path}: expected events of JSON, found something else") from error
    if not isinstance(chunk, dict):
        raise EngineError(f"{path}: expected events that are objects, found something else")
    if "error" in chunk:
        raise EngineError(f"{path}: the stream ended in an error: {said(event.encode())}")
    return chunk


def _has_text(chunk: dict[str, Any]) -> bool:
    try:
        delta = chunk["choices"][0]["delta"]
        return any(isinstance(delta.get(word), str) and delta[word] for word in _WORDS)
    except (KeyError, IndexError, TypeError, AttributeError):
        return False


def _count(chunk: dict[str, Any], before: int | None) -> int | None:
    usage = chunk.get("usage")
    count = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return count if type(count) is int and 0 <= count < 1 << 40 else before
