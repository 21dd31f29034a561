"""config/lmstudio.json: written and read back, everything that it must not be, and the command lines from it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.serving.lmstudio import LmStudioPlan, ModelFile, decode, load_args, server_args

FILES = tuple(
    ModelFile(f"models/org/Tiny-GGUF/q4/{name}", 7, Digest.of(name.encode()))
    for name in ("tiny-00001-of-00002.gguf", "tiny-00002-of-00002.gguf", "mmproj-tiny.gguf")
)
PLAN = LmStudioPlan("org/Tiny-GGUF", "org/Tiny-GGUF-0123456789ab", FILES[0].name, FILES, 64_000, ("--parallel", "2"))


def changed(**fields: Any) -> bytes:
    return json.dumps({**json.loads(PLAN.encode()), **fields}).encode()


def test_there_and_back() -> None:
    assert decode(PLAN.encode()) == PLAN
    assert PLAN.encode().endswith(b"}\n")
    assert decode(replace(PLAN, args=(), port=4321).encode()).port == 4321


def test_the_path_as_lm_studio_lists_it() -> None:
    assert PLAN.path == "org/Tiny-GGUF-0123456789ab/tiny-00001-of-00002.gguf"


def test_the_command_lines() -> None:
    fixed = "--exact --context-length 64000 --gpu max --identifier org/Tiny-GGUF -y"
    assert " ".join(load_args(PLAN)) == f"load --parallel 2 {fixed} {PLAN.path}"
    assert load_args(PLAN, gpu=False)[load_args(PLAN, gpu=False).index("--gpu") + 1] == "off"
    assert server_args(PLAN) == ("server", "start", "--port", "1234", "--bind", "127.0.0.1")
    assert server_args(PLAN, bind=False) == ("server", "start", "--port", "1234")


ROW = json.loads(PLAN.encode())["files"][0]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"format": "llm-bundle-lmstudio/9"}, "format: expected"),
        ({"engine": "vllm"}, 'engine: expected "lmstudio"'),
        ({"identifier": ""}, "identifier: expected a text"),
        ({"identifier": "--all"}, "identifier: expected a text of one line that does not begin with -"),
        ({"identifier": "a\nExecStart=/bin/sh"}, "identifier: expected a text of one line"),
        ({"folder": "org"}, "folder: expected publisher/repository"),
        ({"folder": "../../etc"}, "folder: expected publisher/repository"),
        ({"folder": "/etc/cron.d"}, "folder: expected publisher/repository"),
        ({"folder": "a/b/c"}, "folder: expected publisher/repository"),
        ({"folder": "-y/b"}, "folder: expected publisher/repository"),
        ({"folder": "a/.b"}, "folder: expected publisher/repository"),
        ({"main": "other.gguf"}, "main: expected the name of one of the files"),
        ({"files": []}, "main: expected the name of one of the files"),
        ({"files": None}, "files: expected a list"),
        ({"files": [ROW, {**ROW, "source": "models/org/TINY-00001-of-00002.GGUF"}]}, "files: expected files with diff"),
        ({"files": [{**ROW, "source": "models/../../etc/x.gguf"}]}, r"files[0]: source: expected a path below models/"),
        ({"files": [{**ROW, "source": "config/x.gguf"}]}, r"files[0]: source: expected a path below models/"),
        ({"files": [{**ROW, "source": "models/org/.x.gguf"}]}, r"files[0]: source: expected a file *.gguf"),
        ({"files": [{**ROW, "source": "models/org/x.sh"}]}, r"files[0]: source: expected a file *.gguf"),
        ({"files": [{**ROW, "digest": "md5:0"}]}, r"files[0]: digest: expected a SHA-256 digest"),
        ({"files": [{**ROW, "size": -1}]}, r"files[0]: size: expected a whole number"),
        ({"context": 0}, "context: expected a whole number from 1"),
        ({"context": True}, "context: expected a whole number"),
        ({"args": ["a\n"]}, "args: expected texts of one line"),
        ({"port": 65536}, "port: expected a whole number"),
        ({"port": 0}, "port: expected a whole number from 1"),
    ],
)
def test_what_it_must_not_be(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        decode(changed(**fields))
    assert f"config/lmstudio.json: {words}" in caught.value.message


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b" " * ((1 << 20) + 1)])
def test_no_such_file_at_all(data: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"config/lmstudio\.json"):
        decode(data)
