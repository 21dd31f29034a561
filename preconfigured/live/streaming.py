"""Whether a streamed answer comes event by event, or is held back on the way. No I/O.

Rules: what counts is how many events came at once, not how fast the model is: a proxy that buffers hands on thousands
of bytes in one piece, a model sends one event for each token. Pieces less than half a millisecond apart count as one.
Format: server-sent events of OpenAI's chat completions, ``data: {json}`` lines that end with ``data: [DONE]``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from preconfigured.live.finding import Finding, said

_BURST_SECONDS = 0.0005
_FEWEST_EVENTS = 8
_EVENTS_A_BURST = 4.0
# A shorter answer than this says nothing: it may have been ready at once.
_SHORTEST_SECONDS = 0.1
_SLOW_SECONDS = 30.0
# Reasoning models think aloud first; the name differs by server and version.
_TEXTS = ("content", "reasoning_content", "reasoning")


@dataclass(frozen=True, slots=True)
class Streamed:
    """What came of a stream: ``first`` is the seconds to the first text, None where there was none."""

    events: int
    bursts: int
    first: float | None
    seconds: float
    done: bool
    error: str = ""


def read(pieces: Iterable[tuple[float, bytes]]) -> Streamed:
    """Take a stream apart: each piece with its seconds since the request."""
    rest, events, bursts, first = b"", 0, 0, None
    last, done, error = 0.0, False, ""
    for at, piece in pieces:
        if not bursts or at - last > _BURST_SECONDS:
            bursts += 1
        last = at
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            data = line.strip().removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
            if data == b"[DONE]":
                done = True
            elif data:
                events += 1
                text, failure = _event(data)
                error = error or failure
                first = at if first is None and text else first
    return Streamed(events, bursts, first, last, done, error)


def judge(streamed: Streamed) -> list[Finding]:
    """The findings about a stream: whether it is one, whether it is held back, when its first text came."""
    if streamed.error:
        found = f"the stream broke off with an error: {streamed.error}"
        return [Finding("stream", "block", found, "model-server", "The server's log has the reason.")]
    if streamed.first is None:
        fix = "The server or a proxy does not stream: look whether it passes text/event-stream on unchanged."
        return [Finding("stream", "block", "the answer is no stream of events with text", "buffering", fix)]
    if not streamed.done:
        fix = "Raise proxy_read_timeout at the proxy, and see the server's log for an aborted request."
        found = f"the stream ended after {streamed.events} events without its last one ([DONE])"
        return [Finding("stream", "block", found, "proxy-timeout", fix)]
    return [_buffering(streamed), _first(streamed.first)]


def _buffering(streamed: Streamed) -> Finding:
    many = f"{streamed.events} events in {streamed.bursts} piece{'s' if streamed.bursts > 1 else ''}"
    enough = streamed.events >= _FEWEST_EVENTS and streamed.seconds >= _SHORTEST_SECONDS
    if enough and streamed.events / streamed.bursts >= _EVENTS_A_BURST:
        found = f"the stream is held back: {many} after {streamed.seconds:.1f} s"
        fix = "Set proxy_buffering off and proxy_http_version 1.1 at the proxy; no gzip for text/event-stream."
        return Finding("stream", "block", found, "buffering", fix)
    return Finding("stream", "ok", f"{many}, one after the other" if enough else f"{many}: too few to judge the pace")


def _first(seconds: float) -> Finding:
    if seconds > _SLOW_SECONDS:
        fix = "Kibana and proxies wait 60 s by default: raise responseTimeout and proxy_read_timeout."
        return Finding("first-token", "warn", f"the first token took {seconds:.1f} s", "model-server", fix)
    return Finding("first-token", "ok", f"after {seconds:.2f} s")


def _event(data: bytes) -> tuple[bool, str]:
    """Whether an event has text, and the error that it reports."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return False, "an event that is no JSON"
    if not isinstance(document, dict):
        return False, "an event that is no JSON object"
    if document.get("error"):
        error = document["error"]
        return False, said(str(error.get("message", error) if isinstance(error, dict) else error))
    choices = document.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    delta = first.get("delta") if isinstance(first, dict) else None
    return isinstance(delta, dict) and any(isinstance(delta.get(key), str) and delta[key] for key in _TEXTS), ""
