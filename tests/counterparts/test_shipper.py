"""The shipper is what the end-to-end run stands on: its parsers, its files, its patience."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.counterparts.filestream import Event, Reader, Settings
from tests.counterparts.shipper import Input, Said, Shipper

AFTER = {"type": "pattern", "pattern": r"^\[", "negate": True, "match": "after", "max_lines": 3, "timeout": "5s"}
BEFORE = {**AFTER, "pattern": r"\\$", "negate": False, "match": "before"}
DOCKER = {"container": {"stream": "all", "format": "auto"}}


def settings(*parsers: dict[str, Any], paths: str = "/nowhere", most: int = 1000) -> Settings:
    return Settings.of(
        {
            "paths": [paths],
            "prospector.scanner.exclude_files": [r"\.gz$"],
            "prospector.scanner.fingerprint": {"enabled": True, "offset": 0, "length": 8},
            "file_identity.fingerprint": None,
            "encoding": "utf-8",
            "message_max_bytes": most,
            "parsers": list(parsers),
            "tags": ["forwarded"],
        }
    )


def read(data: bytes, *parsers: dict[str, Any], most: int = 1000) -> list[Event]:
    """The events of a file in which nothing more is written."""
    reader = Reader(settings(*parsers, most=most))
    found = [event for byte in data for event in reader.feed(bytes([byte]), 0.0)]
    for seconds in (10.0, 20.0):
        found += reader.idle(seconds)
    return found


def texts(data: bytes, *parsers: dict[str, Any]) -> list[str]:
    return [event.text for event in read(data, *parsers)]


def test_lines() -> None:
    assert texts(b"one\r\n\ntwo\nno end") == ["one", "two"]
    assert texts(b"\xff\xc3(\xe2\x82\n") == ["\ufffd\ufffd(\ufffd\ufffd"]
    assert [(event.start, event.end) for event in read(b"a\n\nbcd\n")] == [(0, 2), (3, 7)]


def test_bounds() -> None:
    (cut,) = read("äöü\n".encode(), most=3)
    assert (cut.text, cut.flags, cut.end) == ("ä\ufffd", ("truncated",), 7)
    (short,) = read(b"x" * 12 + b"\nab\n", most=3)
    assert (short.text, short.start) == ("ab", 13), "over four times the bound nothing is left of a line"


def test_multiline_after() -> None:
    events = read(b" first\n[a] 1\n 2\n\n 4\n\n[b]\n", {"multiline": AFTER})
    assert [event.text for event in events] == [" first", "[a] 1\n 2\n", "[b]"]
    assert [event.flags for event in events] == [(), ("truncated", "multiline"), ()]
    assert [(event.start, event.end) for event in events] == [(0, 7), (7, 21), (21, 25)]


def test_multiline_before() -> None:
    assert texts(b"a\\\nb\\\nc\nd\n", {"multiline": BEFORE}) == ["a\\\nb\\\nc", "d"]


def test_multiline_waits_for_its_time() -> None:
    reader = Reader(settings({"multiline": AFTER}))
    assert list(reader.feed(b"[a]\n", 0.0)) == []
    assert list(reader.idle(4.9)) == []
    assert list(reader.feed(b" b\n", 4.9)) == []
    assert list(reader.idle(9.0)) == []
    assert [event.text for event in reader.idle(9.9)] == ["[a]\n b"]
    assert [event.text for event in reader.feed(b" c\n[d]\n", 11.0)] == [" c"], "what comes too late is alone"


def docker(log: str, stream: str = "stdout") -> bytes:
    return json.dumps({"log": log, "stream": stream, "time": "2026-11-21T10:00:00.123456789Z"}).encode() + b"\n"


def test_containers() -> None:
    data = docker("[a]\n") + docker(" b\n", "stderr") + b"no JSON\n" + docker("[c") + docker("d]\n")
    events = read(data, DOCKER, {"multiline": AFTER})
    assert [event.text for event in events] == ["[a]\n\n b\n", "[cd]\n"], "Docker's own line ends stay, as in Filebeat"
    assert (events[0].time, events[0].stream) == ("2026-11-21T10:00:00.123Z", "stdout")
    cri = b"2026-11-21T11:00:00.5+01:00 stderr P [a \n2026-11-21T11:00:01+01:00 stderr F b]\n"
    (event,) = read(cri, DOCKER)
    assert (event.text, event.time, event.stream) == ("[a b]", "2026-11-21T10:00:00.500Z", "stderr")


def test_what_is_not_known_is_an_error() -> None:
    with pytest.raises(AssertionError, match="parsers"):
        read(b"", {"ndjson": {}})
    with pytest.raises(AssertionError, match="flush_pattern"):
        read(b"", {"multiline": {**AFTER, "flush_pattern": "x"}})
    with pytest.raises(AssertionError, match="ignore_older"):
        Settings.of({"paths": [], "ignore_older": "1h"})


@dataclass(slots=True)
class Taker:
    """Stands for Elasticsearch: takes what is sent, unless ``moods`` says otherwise: a status, or ``cut``."""

    moods: list[int | str] = field(default_factory=list)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    url: str = ""


@pytest.fixture
def taker() -> Iterator[Taker]:
    made = Taker()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class calls it so)
            """Nothing on stderr."""

        def do_POST(self) -> None:
            rows = self.rfile.read(int(self.headers["Content-Length"])).decode().splitlines()
            mood = made.moods.pop(0) if made.moods else 200
            items = []
            for action, document in zip(rows[::2], rows[1::2], strict=True):
                key = json.loads(action)["create"]["_id"]
                status = 409 if key in made.documents else 429 if mood == "busy" else 201
                if status == 201 and mood in (200, "cut"):
                    made.documents[key] = json.loads(document)
                items.append({"create": {"_id": key, "status": status}})
            if mood == "cut":  # taken, but nobody is told
                self.close_connection = True
                return
            body = json.dumps({"items": items}).encode()
            self.send_response(mood if isinstance(mood, int) else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    server.server_close()


def shipper(taker: Taker, folder: Path, *parsers: dict[str, Any]) -> Shipper:
    one = Input(settings(*parsers, paths=f"{folder}/log*"), "logs-a.b-default", "a.b")
    return Shipper(taker.url, [one], folder / "registry.json", said=Said(seconds=lambda: 0.0), batch=2)


def messages(taker: Taker) -> list[str]:
    return [document["message"] for document in taker.documents.values()]


def test_a_file_that_is_renamed_is_read_on(taker: Taker, tmp_path: Path) -> None:
    one, log = shipper(taker, tmp_path), tmp_path / "log"
    log.write_text("short\n")
    assert one.turn() == 0, "too short to be known again"
    log.write_text("a, line 1\na, line 2\n")
    assert one.turn() == 2
    with log.open("a") as open_still:
        log.rename(tmp_path / "log.1")
        log.write_text("b, line 1\n")
        open_still.write("a, line 3\n")
    assert one.turn() == 2
    (tmp_path / "log.2.gz").write_text("c, line 1\n")
    assert one.turn() == 0
    assert sorted(messages(taker)) == ["a, line 1", "a, line 2", "a, line 3", "b, line 1"]
    assert {Path(document["log"]["file"]["path"]).name for document in taker.documents.values()} == {"log", "log.1"}


def test_files_that_begin_alike_are_one(taker: Taker, tmp_path: Path) -> None:
    one = shipper(taker, tmp_path)
    (tmp_path / "log").write_text("the same\n")
    (tmp_path / "log.1").write_text("the same\nand more\n")
    assert (one.turn(), messages(taker)) == (1, ["the same"])


def test_a_file_that_is_copied_and_cut_is_read_once(taker: Taker, tmp_path: Path) -> None:
    one, log = shipper(taker, tmp_path), tmp_path / "log"
    log.write_text("a, line 1\n")
    assert one.turn() == 1
    (tmp_path / "log.1").write_text(log.read_text())
    assert one.turn() == 0
    log.write_text("b, line 1\n")
    assert (one.turn(), one.turn()) == (1, 0)
    assert messages(taker) == ["a, line 1", "b, line 1"]


@pytest.mark.parametrize("mood", ["cut", "busy", 503, 429])
def test_what_was_not_taken_is_sent_again(taker: Taker, tmp_path: Path, mood: int | str) -> None:
    one = shipper(taker, tmp_path)
    taker.moods = [mood, mood]
    (tmp_path / "log").write_text("a, line 1\na, line 2\na, line 3\n")
    assert one.turn() == 3
    assert messages(taker) == ["a, line 1", "a, line 2", "a, line 3"]
    assert (one.taken, one.again) == ((1, 2) if mood == "cut" else (3, 0))
    assert one.failures > 0


def test_a_refused_request_is_an_error(taker: Taker, tmp_path: Path) -> None:
    taker.moods = [400]
    (tmp_path / "log").write_text("a, line 1\n")
    with pytest.raises(AssertionError, match="_bulk: 400"):
        shipper(taker, tmp_path).turn()


def test_after_a_crash_it_goes_on_from_what_was_written_down(taker: Taker, tmp_path: Path) -> None:
    log, registry = tmp_path / "log", tmp_path / "registry.json"
    log.write_text("[1] of a\n more\n[2] of a\n")
    assert shipper(taker, tmp_path, {"multiline": AFTER}).turn() == 1
    old = registry.read_text()
    with log.open("a") as file:
        file.write(" more\n[3] of a\n")
    second = shipper(taker, tmp_path, {"multiline": AFTER})
    assert (second.turn(), second.again) == (1, 0), "the event that waited was read anew"
    registry.write_text(re.sub(r"\d+}", "0}", old))
    third = shipper(taker, tmp_path, {"multiline": AFTER})
    assert (third.turn(), third.taken, third.again) == (2, 0, 2)
    assert messages(taker) == ["[1] of a\n more", "[2] of a\n more"]
