"""A hub that lies: what the real client makes of its answers is refused with a sentence, never a traceback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bundler.errors import SourceError
from bundler.sources.hub_listing import MAX_FILES
from bundler.spec.model import HubModel
from tests.counterparts.hub import Hub as StandIn
from tests.sources.hub_stage import hub_of

COMMIT = "c" * 40
SHA256 = "5" * 64
INFO = "/api/models/org/tiny/revision/main"


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        yield stand_in


def refusal(running: StandIn, answer: bytes) -> SourceError:
    running.answers[INFO] = answer
    with pytest.raises(SourceError) as caught:
        hub_of(running).look(HubModel("org/tiny"), "vllm")
    assert "org/tiny at 127.0.0.1" in caught.value.message and "HF_ENDPOINT" in caught.value.hint
    return caught.value


def listed(*files: object, sha: object = COMMIT) -> bytes:
    return json.dumps({"id": "org/tiny", "sha": sha, "siblings": list(files)}).encode()


def lfs(path: object = "a.safetensors", **changed: object) -> dict[str, Any]:
    kept = {"sha256": SHA256, "size": 5, "pointerSize": 130} | changed
    return {"rfilename": path, "size": 5, "blobId": "b" * 40, "lfs": kept}


def test_a_good_one_is_taken(running: StandIn) -> None:
    running.answers[INFO] = listed(lfs())
    found = hub_of(running).look(HubModel("org/tiny"), "vllm")
    assert [(file.path, file.size, file.digest.hex) for file in found.files] == [("a.safetensors", 5, SHA256)]


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "../x.gguf", "a/../b", "a//b", "", ".", "a/", "a\\b", "a\nb", "a\x1b[31m", "a\x7f"),
        *("\ud800", "a\u202eb", "x" * 256, "/".join(["xx"] * 400), 7, None),
    ],
)
def test_paths(running: StandIn, path: object) -> None:
    message = refusal(running, listed(lfs(path))).message
    assert "a name that a bundle cannot hold" in message and message.isprintable() and len(message) < 300


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (listed(lfs(), lfs()), "a.safetensors is listed twice"),
        (listed(lfs("a"), lfs("a/b/c")), "a is listed as a file and as the folder of a/b/c"),
        (listed(*[lfs(f"{at}") for at in range(MAX_FILES + 1)]), "at most 10000 files, found 10001"),
        (listed(lfs(), sha="main"), "expected a commit of 40 hexadecimal digits, found 'main'"),
        (listed(lfs(), sha=None), "expected a commit of 40 hexadecimal digits, found None"),
        (listed(lfs(sha256="5" * 63)), "expected a SHA-256"),
        (listed(lfs(sha256=None)), "expected a SHA-256, found None"),
        (listed(lfs(size=6)), "expected its size in bytes"),
        (listed({"rfilename": "a"}), "a: expected its size in bytes, found None"),
        (listed({"rfilename": "a", "size": -1, "blobId": "b" * 40}), "found -1"),
        (listed({"rfilename": "a", "size": 1.5, "blobId": "b" * 40}), "found 1.5"),
        (listed({"rfilename": "a", "size": True, "blobId": "b" * 40}), "found True"),
        (listed({"rfilename": "a", "size": 1, "blobId": "xyz"}), "expected a git blob id, found 'xyz'"),
        (listed({"rfilename": "a", "size": 1}), "expected a git blob id, found None"),
        (json.dumps({"id": "org/tiny", "sha": COMMIT}).encode(), "found no files"),
        (b"", "not that of a Hugging Face hub"),
        (b"<html>login</html>", "not that of a Hugging Face hub"),
        (b"[]", "not that of a Hugging Face hub"),
        (b"7", "not that of a Hugging Face hub"),
        (b"{}", "not that of a Hugging Face hub"),
        (b'{"id": "a", "siblings": [{}]}', "not that of a Hugging Face hub"),
        (b'{"id": "a", "siblings": 7}', "not that of a Hugging Face hub"),
        (b'{"id": "a", "siblings": [{"rfilename": "a", "lfs": [1]}]}', "not that of a Hugging Face hub"),
        (b'{"id": "a", "lastModified": "soon"}', "not that of a Hugging Face hub"),
        (b"[" * 100_000, "not that of a Hugging Face hub"),
        (b"\xff\xfe\xff", "not that of a Hugging Face hub"),
    ],
)
def test_answers(running: StandIn, answer: bytes, message: str) -> None:
    assert message in refusal(running, answer).message


def test_another_commit_than_asked_for(running: StandIn) -> None:
    running.answers[f"/api/models/org/tiny/revision/{'d' * 40}"] = listed(lfs())
    with pytest.raises(SourceError, match=f"asked for {'d' * 40}, got {COMMIT}"):
        hub_of(running).look(HubModel("org/tiny", "d" * 40), "vllm")


def test_a_large_file_without_a_digest(running: StandIn) -> None:
    large = {"rfilename": "big.txt", "size": 64 * 1024 * 1024 + 1, "blobId": "b" * 40}
    running.answers[INFO] = listed(large)
    before = len(running.seen)
    with pytest.raises(SourceError, match=r"big\.txt: the hub gives no SHA-256") as caught:
        hub_of(running).look(HubModel("org/tiny"), "vllm")
    assert "files.exclude" in caught.value.hint
    assert len(running.seen) == before + 1
