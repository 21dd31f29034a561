"""A streamed completion read as it arrives: whole ones are timed, and no server can hold or fill us."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from bundler.errors import EngineError
from bundler.site.chat import Line
from bundler.site.stream import Streamed, stream
from tests.counterparts.model_server import Behaviour, ModelServer

PATH = "/v1/chat/completions"


def text(words: object) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {"content": words}}]}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


@contextmanager
def server(pieces: Iterable[bytes], *, kind: str = "text/event-stream", status: int = 200) -> Iterator[Line]:
    """Answers a POST with these pieces, each sent at once, and then hangs up."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            for piece in pieces:
                self.wfile.write(piece)
                self.wfile.flush()

        def log_message(self, *args: object) -> None: ...

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *args: object) -> None:
            """Clients that have heard enough leave."""

    with Server(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield Line("127.0.0.1", running.server_address[1])
        finally:
            running.shutdown()


def read(pieces: Iterable[bytes], seconds: float = 10, **answer: object) -> Streamed:
    with server(pieces, **answer) as line:  # type: ignore[arg-type]
        return stream(line, PATH, {"stream": True}, seconds=seconds)


def test_the_first_token_is_seen_long_before_the_last() -> None:
    behaviour = Behaviour(gap=0.05, events=10)
    question = {
        "model": behaviour.model,
        "messages": [{"role": "user", "content": "count"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    with ModelServer(behaviour) as model:
        port = int(model.host.rpartition(":")[2])
        found = stream(Line("127.0.0.1", port, token=behaviour.token), PATH, question, seconds=10)
    assert (found.pieces, found.tokens) == (10, 10)
    assert found.last - found.first > 0.3
    assert found.first < found.last <= found.end
    assert found.rate is not None
    assert 5 < found.rate < 30


def test_events_may_be_cut_anywhere() -> None:
    whole = b": a comment\r\nevent: message\r\n" + text("é").replace(b"\n", b"\r\n") + text("b") + DONE
    found = read(whole[at : at + 1] for at in range(len(whole)))
    assert (found.pieces, found.tokens) == (2, None)


def test_data_of_several_lines_is_one_event() -> None:
    assert read([b'data: {"choices":\ndata: [{"delta": {"reasoning_content": "x"}}]}\n\n', DONE]).pieces == 1


def test_what_is_no_text_is_not_counted() -> None:
    odd = [text(None), text(""), text(7), b'data: {"choices": []}\n\n', b'data: {"choices": [3]}\n\n', b"data: {}\n\n"]
    usage = b'data: {"usage": {"completion_tokens": 12}}\n\ndata: {"usage": {"completion_tokens": true}}\n\n'
    found = read([*odd, text("a"), usage, DONE])
    assert (found.pieces, found.tokens, found.rate) == (1, 12, None)


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([text("a")], "ended without its last event"),
        ([], "ended without its last event"),
        ([DONE], "held no text"),
        ([b'data: {"error": {"message": "EngineCore died"}}\n\n'], "ended in an error: .*EngineCore died"),
        ([b"data: {\n\n"], "expected events of JSON"),
        ([b"data: " + b"[" * 100_000 + b"\n\n"], "expected events of JSON"),
        ([b"data: [1]\n\n"], "expected events that are objects"),
        ([b"data: " + b"x" * 65_536 + b"x" * 65_536 * 20], "an event of the stream is larger than 1,048,576 bytes"),
        ([b": " + b"x" * 65_536 + b"\n"] * 300, "the stream is larger than 16,777,216 bytes"),
    ],
)
def test_what_is_no_whole_stream_is_refused(pieces: list[bytes], words: str) -> None:
    with pytest.raises(EngineError, match=words) as caught:
        read(pieces)
    assert len(caught.value.message) < 500


def test_many_small_lines_of_one_event_are_bounded_too() -> None:
    with pytest.raises(EngineError, match="larger than 1,048,576 bytes"):
        read([(b"data: " + b"x" * 1000 + b"\n") * 1100])


def test_another_answer_is_refused_by_what_it_says() -> None:
    with pytest.raises(EngineError, match="expected 200, found 503: no GPU"):
        read([b"no GPU"], status=503)
    with pytest.raises(EngineError, match="expected text/event-stream, found 'application/json'"):
        read([b"{}"], kind="application/json")


def test_a_stream_that_drips_ends_with_our_patience() -> None:
    def drips() -> Iterator[bytes]:
        for _ in range(100):
            yield b":"
            time.sleep(0.05)

    began = time.monotonic()
    with pytest.raises(EngineError, match=r"did not end in time|timed out"):
        read(drips(), seconds=0.5)
    assert time.monotonic() - began < 3


def test_silence_ends_with_our_patience() -> None:
    def silent() -> Iterator[bytes]:
        yield text("a")
        time.sleep(2)

    with pytest.raises(EngineError, match="timed out"):
        read(silent(), seconds=0.5)
