"""What engines answer when they are not well, and what is made of it."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bundler.errors import EngineError, IntegrityError, MachineError, UsageError
from bundler.site.engines.docker import Docker
from bundler.site.engines.docker_api import socket_path
from bundler.site.engines.podman import Podman
from bundler.site.engines.process import Program
from bundler.site.engines.secrets import read_env_file
from bundler.site.engines.words import clean, refused
from tests.site.engines.test_images import stored


@contextmanager
def daemon(path: Path, *answers: bytes) -> Iterator[Docker]:
    """A Docker behind ``path`` that gives these answers, one for each connection."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def serve() -> None:
        for answer in answers:
            connection = server.accept()[0]
            read_all(connection)
            connection.sendall(answer)
            connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield Docker(path)
    server.close()


def read_all(connection: socket.socket) -> None:
    """A request to its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    size = re.search(rb"Content-Length: ([0-9]+)", head)
    left = int(size[1]) - len(body) if size else 0
    while left > 0:
        left -= len(connection.recv(65536))


def answer(status: str, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


VERSION = answer("200 OK", json.dumps({"ApiVersion": "1.41", "MinAPIVersion": "1.12"}).encode())


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"nobody listens on .*docker\.sock") as caught:
        Docker(tmp_path / "docker.sock").info()
    assert "systemctl start docker" in caught.value.hint


def test_the_daemon_is_too_old(tmp_path: Path) -> None:
    old = answer("200 OK", b'{"ApiVersion": "1.39", "Version": "18.09.1"}')
    with daemon(tmp_path / "s", old) as docker, pytest.raises(EngineError, match=r"20\.10 or newer, found 18\.09\.1"):
        docker.info()


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (answer("500 Internal Server Error", b'{"message": "the disk\\u001b[31m is\\nbroken"}'), "the disk is broken"),
        (answer("500 Oops", b"<html>"), "<html>"),
        (answer("200 OK", b"not json"), "its answer is no JSON"),
        (answer("200 OK", b"[" * 100_000), "its answer is no JSON"),
        (b"garbage\r\n\r\n", "the connection broke"),
        (b"", "the connection broke"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", "the connection broke"),
    ],
)
def test_bad_answers(tmp_path: Path, second: bytes, words: str) -> None:
    with daemon(tmp_path / "s", VERSION, second) as docker, pytest.raises(EngineError) as caught:
        docker.info()
    assert words in caught.value.message


@pytest.mark.parametrize("version", [b"not json", b"[]", b'{"ApiVersion": 7}', b'{"ApiVersion": "x.y"}', b""])
def test_bad_versions(tmp_path: Path, version: bytes) -> None:
    with daemon(tmp_path / "s", answer("200 OK", version)) as docker, pytest.raises(EngineError):
        docker.info()


@pytest.mark.parametrize("host", ["tcp://user:pw@10.0.0.1:2375", "ssh://host", "unix://relative", "nonsense"])
def test_docker_host(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(UsageError, match="DOCKER_HOST: expected unix:///path") as caught:
        socket_path()
    assert "pw" not in caught.value.message


def test_docker_host_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/user/7/docker.sock")
    assert socket_path() == Path("/run/user/7/docker.sock")


def test_docker_has_another_image_afterwards(tmp_path: Path) -> None:
    image = stored(tmp_path / "images")
    other = answer("200 OK", json.dumps({"Id": "sha256:" + "f" * 64}).encode())
    with (
        daemon(tmp_path / "s", VERSION, answer("200 OK", b"{}"), answer("200 OK", b"{}"), other) as docker,
        pytest.raises(IntegrityError, match=f"expected the image {image.config.digest} or .*, found sha256:ffff"),
    ):
        docker.load(image)


def test_docker_says_why_in_the_midst_of_loading(tmp_path: Path) -> None:
    image = stored(tmp_path / "images")
    said = b'{"stream":"Loading"}\r\nnonsense\r\n{"errorDetail":{"message":"no"},"error":"no space left on device"}\r\n'
    with (
        daemon(tmp_path / "s", VERSION, answer("200 OK", b"{}"), answer("200 OK", said)) as docker,
        pytest.raises(EngineError, match=r"loading docker\.io/vllm/small:v1: no space left on device") as caught,
    ):
        docker.load(image)
    assert "Free space" in caught.value.hint


def test_podman_has_another_image_afterwards(tmp_path: Path) -> None:
    image = stored(tmp_path / "images")
    text = """case "$*" in *inspect*) echo '[{"Id": "ffff"}]';; *exists*) exit 1;; esac"""
    with pytest.raises(IntegrityError, match="found sha256:ffff"):
        Podman((program(tmp_path, text),)).load(image)


def program(folder: Path, text: str) -> str:
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo 'level=warning msg=x' >&2; echo 'Error: no space left on device' >&2; exit 125", "no space left"),
        ("exit 3", "exit status 3"),
        ("echo nonsense", "its answer is no JSON"),
        ("echo '[]'", "expected an object, found list"),
    ],
)
def test_bad_programs(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(EngineError) as caught:
        Podman((program(tmp_path, text),)).info()
    assert words in caught.value.message
    assert "level=warning" not in caught.value.message


def test_a_program_that_does_not_end(tmp_path: Path) -> None:
    slow = Program("Slow", (program(tmp_path, "exec sleep 60"),))
    with pytest.raises(EngineError, match=r"Slow: waiting: not done after 0\.2 s"):
        slow.run([], "waiting", seconds=0.2)


def test_a_program_that_reads_nothing(tmp_path: Path) -> None:
    deaf = Program("Deaf", (program(tmp_path, "echo 'Error: not today' >&2; exit 1"),))
    with pytest.raises(EngineError, match="Deaf: loading: not today"):
        deaf.run([], "loading", body=iter([b"x" * 100_000] * 50))


def test_a_program_that_cannot_be_run(tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_bytes(b"\x7fELFnonsense")
    path.chmod(0o755)
    with pytest.raises(MachineError, match="cannot be run: Exec format error"):
        Program("Broken", (str(path),)).run([], "starting")


def test_words_are_bounded_and_plain() -> None:
    assert clean(b"a\x1b[31mb\r\n\x00c\xff") == "a b c\ufffd"
    assert len(clean("x" * 10_000)) < 700
    assert refused("Docker", "x", "").message == "Docker: x: it gave no reason"
    assert "Free space" in refused("Docker", "x", "write: no space left on device").hint


@pytest.mark.parametrize("line", ["NAME", "1A=x", "A B=c", "A=b\x00c", "A=\x1b", "=x"])
def test_bad_env_files(tmp_path: Path, line: str) -> None:
    path = tmp_path / "env"
    path.write_text(f"# why\n\nGOOD=secret-value\n{line}-secret\n")
    path.chmod(0o600)
    with pytest.raises(MachineError, match="line 4: expected NAME=value") as caught:
        read_env_file(path)
    assert "secret" not in caught.value.message


def test_env_files(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("# why\n\nA=b=c d\nB=\n")
    path.chmod(0o600)
    assert read_env_file(path) == (("A", "b=c d"), ("B", ""))
    with pytest.raises(MachineError, match="No such file"):
        read_env_file(tmp_path / "nowhere")
