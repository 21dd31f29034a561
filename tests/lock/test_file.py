"""bundle.lock on disk: what is written is read, an edit is seen, and what is hostile is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.digest import Digest
from bundler.errors import LockError, MachineError
from bundler.lock import file
from bundler.lock.file import decode, encode, read_lock, write_lock
from bundler.lock.model import Lock, LockedFile, LockedImage, LockedModel, LockedTool
from bundler.models.facts import ModelFacts
from bundler.sources.image import Blob
from tests.lock.strategies import locks

NULL = Digest.of(b"")
SMALL = Lock(
    tool="0.1.0",
    created=1_700_000_000,
    request={"name": "demo", "stack": None, "models": [{"id": "org/model"}]},
    images=(
        LockedImage(
            "engine", "vllm:1", "docker.io/vllm:1", "linux/amd64", NULL, "{}", Blob("c", NULL, 2), (Blob("l", NULL, 3),)
        ),
    ),
    models=(
        LockedModel("org/model", "hub", "a" * 40, "mit", (LockedFile("a.bin", 9, NULL),), ModelFacts(weights_bytes=1)),
    ),
    extras=(LockedFile("extra/a", 1, NULL),),
    rendered=(LockedFile("README.md", 7, NULL),),
    site_tool=LockedTool(5, NULL, {"pex": "2.105.2"}),
)


def forged(document: object) -> bytes:
    """A lock file with a right checksum, as someone writes who knows how it is made."""
    if isinstance(document, dict):
        rest = {key: value for key, value in document.items() if key != "checksum"}
        text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
        document = {**rest, "checksum": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"}
    return json.dumps(document).encode()


def changed(path: str, value: object) -> bytes:
    """SMALL with one value replaced, ``path`` as in ``models.0.files.0.path``."""
    document = json.loads(encode(SMALL))
    place: Any = document
    *above, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in above:
        place = place[part]
    place[last] = value
    return forged(document)


@given(locks)
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read(lock: Lock) -> None:
    data = encode(lock)
    assert decode(data) == lock
    assert encode(decode(data)) == data


@given(locks)
@settings(max_examples=50, deadline=None)
def test_a_lock_is_text_with_sorted_keys(lock: Lock) -> None:
    data = encode(lock)
    document = json.loads(data.decode())
    assert data.endswith(b"}\n")
    assert document["format"] == "llm-bundle-lock/1"
    assert data.decode() == json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


@given(at=st.integers(0, len(encode(SMALL)) - 1), byte=st.integers(0, 255))
@settings(max_examples=500, deadline=None)
def test_any_edited_byte_is_refused_or_means_the_same(at: int, byte: int) -> None:
    data = bytearray(encode(SMALL))
    data[at] = byte
    try:
        found = decode(bytes(data))
    except LockError as error:
        assert error.hint
        assert error.message.startswith("bundle.lock: ")
    else:
        assert found == SMALL


def test_most_bytes_cannot_be_edited() -> None:
    """White space may be; nothing that says something."""
    data = encode(SMALL)
    passed = []
    for at in range(len(data)):
        try:
            decode(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            passed.append(data[at : at + 1])
        except LockError:
            pass
    assert set(passed) <= {b" ", b"\n"}


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(LockError) as caught:
        decode(data)
    assert caught.value.hint


PLACES = (
    "tool", "created", "request", "images", "models", "extras", "rendered", "images.0", "images.0.role",
    "images.0.manifest", "images.0.source_digest", "images.0.config", "images.0.config.size", "images.0.layers",
    "images.0.layers.0.digest", "models.0.id", "models.0.kind", "models.0.files", "models.0.files.0",
    "models.0.files.0.path", "models.0.files.0.size", "models.0.files.0.digest", "models.0.facts",
    "models.0.facts.weights_bytes", "models.0.facts.context", "models.0.commit",
)  # fmt: skip
HOSTILE: tuple[object, ...] = (
    -1, 1.5, True, 1 << 60, "", "\ud800", "x" * 9_000_000, "sha256:" + "A" * 64, [None], {"a": 1},
    [[]], [{}] * 3,
)  # fmt: skip


def test_json_that_is_none_is_refused_before_its_checksum() -> None:
    data = encode(SMALL)
    for bad in (
        data.replace(b'"created"', b'"tool": "2", "created"', 1),
        data.replace(b'"tool"', b'"x": NaN, "tool"', 1),
    ):
        with pytest.raises(LockError, match=r"bundle\.lock: not JSON"):
            decode(bad)


@pytest.mark.parametrize("place", PLACES)
def test_a_right_checksum_does_not_make_a_lock(place: str) -> None:
    """Whatever stands in a field, the outcome is a lock of the right types or a LockError with the place."""
    for value in HOSTILE:
        try:
            found = decode(changed(place, value))
        except LockError as error:
            assert place.partition(".")[0] in error.message
            assert len(error.message) < 400
        else:
            encode(found)
            assert all(image.digest for image in found.images)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("created", (1 << 35) + 1, "created: expected a whole number"),
        ("created", True, "created: expected a whole number"),
        ("models.0.kind", "ftp", "models[0]: kind: expected one of hub, folder, http, found 'ftp'"),
        ("models.0.files.0.path", "../../etc/passwd", "models[0]: files[0]: path: holds an empty part, '.' or '..'"),
        ("extras.0.path", "/etc/passwd", "extras[0]: path: is absolute"),
        ("rendered.0.path", "a\x1b[2J", "rendered[0]: path: holds a control character"),
        ("images.0.manifest", "\ud800", "images[0]: manifest: expected a text"),
        ("models.0.license", "\udfff", "models[0]: license: expected a text"),
        ("images.0.layers.0.digest", "md5:abc", "images[0]: layers[0]: digest: expected a SHA-256 digest"),
        ("site_tool", None, "site_tool: expected an object, found NoneType"),
        ("site_tool.size", -1, "site_tool: size: expected a whole number"),
        ("site_tool.digest", "abc", "site_tool: digest: expected a SHA-256 digest"),
        ("site_tool.versions", ["pex"], "site_tool: versions: expected an object, found list"),
        ("site_tool.versions.pex", 2, "site_tool: versions: pex: expected a text"),
        ("images", [{}] * 17, "images: expected a list of at most 16"),
        ("images.0", None, "images[0]: expected an object, found NoneType"),
    ],
)
def test_places_are_named(place: str, value: object, words: str) -> None:
    with pytest.raises(LockError) as caught:
        decode(changed(place, value), where="deploy.lock")
    assert f"deploy.lock: {words}" in caught.value.message
    assert "lock --update" in caught.value.hint


@pytest.mark.parametrize("depth", [10, 500, 900, 990, 5_000, 200_000])
def test_deep_nesting(depth: int) -> None:
    request = '{"a":' * depth + "1" + "}" * depth
    data = encode(SMALL).decode().replace('"request": {', f'"request": {request}, "other": {{', 1)
    with pytest.raises(LockError, match=r"edited by hand|not JSON"):
        decode(data.encode())


@pytest.mark.parametrize("data", [b"[]", b"1", b"null", b'"x"', b"{}", b'{"format": 1}', b"\xff\xfe{\x00", b"9" * 5000])
def test_other_json(data: bytes) -> None:
    with pytest.raises(LockError):
        decode(data)


def test_a_missing_lock_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="there is no lock") as caught:
        read_lock(tmp_path / "bundle.lock")
    assert caught.value.hint == "Make it: llm-bundle lock"


def test_a_lock_larger_than_any_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_lock(tmp_path / "bundle.lock", SMALL)
    monkeypatch.setattr(file, "MAX_BYTES", 100)
    with pytest.raises(MachineError, match="larger than the 100 bytes"):
        read_lock(tmp_path / "bundle.lock")


def test_writing_replaces_the_old_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "bundle.lock"
    path.write_text("old" * 10_000)
    write_lock(path, SMALL)
    assert read_lock(path) == SMALL
    assert [entry.name for entry in tmp_path.iterdir()] == ["bundle.lock"]
