"""manifest.json: what is written is read back, and nothing else is believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.layout.manifest import Manifest, decode
from bundler.layout.member import Member
from tests.layout.strategies import manifests

GOOD = Manifest(
    name="a",
    version="1",
    platform="linux/amd64",
    created=1,
    tool="0.1.0",
    members=(Member("README.md", 1, Digest("a" * 64), "readme"), Member("models/m/w", 2, Digest("b" * 64), "model")),
)


@given(manifests())
def test_round_trip(manifest: Manifest) -> None:
    assert decode(manifest.encode()) == manifest


@given(st.binary(max_size=200))
def test_bytes_that_are_no_manifest_are_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        decode(data)


def _member(**change: object) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["members"][1].update(change)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(format="llm-bundle/9"), 'format: expected "llm-bundle/1", found "llm-bundle/9"'),
        (lambda d: d.update(name="../x"), "name: expected a name that a folder can bear"),
        (lambda d: d.update(name=""), "name: expected a text"),
        (lambda d: d.update(created=True), "created: expected a whole number"),
        (lambda d: d.update(created=-1), "created: expected a whole number"),
        (lambda d: d.update(members={}), "members: expected a list"),
        (lambda d: d.update(members=[7]), "members[0]: expected an object"),
        (_member(path="models/../x"), "holds an empty part, '.' or '..'"),
        (_member(path="/models/x"), "is absolute"),
        (_member(path="models/a\nb"), "control character"),
        (_member(path="models\\a"), "backslash"),
        (_member(path="models/" + "x" * 300), "longer than"),
        (_member(path="config/x"), "has the role 'model' but is not below models/"),
        (_member(role="nothing"), "unknown role 'nothing'"),
        (_member(path="SHA256SUMS", role="sums"), "a member that the manifest can list"),
        (_member(path="SHA256SUMS.sig"), "cannot have the role"),
        (_member(size=-1), "size: expected a whole number"),
        (_member(size=1.5), "size: expected a whole number"),
        (_member(sha256="A" * 64), "sha256: expected a SHA-256 digest"),
        (lambda d: d["members"].append(d["members"][1]), "models/m/w is there twice"),
        (
            lambda d: d["members"].append({**d["members"][1], "path": "models/m"}),
            "models/m is both a file and a folder",
        ),
        (lambda d: d["members"].reverse(), "not in the bundle's order"),
    ],
)
def test_each_defect_is_named(change: Callable[[dict[str, Any]], None], words: str) -> None:
    document = json.loads(GOOD.encode())
    change(document)
    with pytest.raises(IntegrityError) as caught:
        decode(json.dumps(document).encode())
    assert words in caught.value.message
    assert caught.value.message.startswith("manifest.json: ")


def test_a_deep_document_does_not_exhaust_the_stack() -> None:
    with pytest.raises(IntegrityError, match="not JSON"):
        decode(b"[" * 100_000)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'"name": "a"', b'"name": "b", "name": "a"', "the key 'name' stands twice"),
        (b'"models": []', b'"members": [], "models": []', "the key 'members' stands twice"),
        (b'"stack": null', b'"stack": null, "more": NaN', "NaN is no number"),
        (b'"stack": null', b'"stack": null, "more": "\xff"', "not JSON"),
        (b'"stack": null', b'"stack": null, "more": ' + b"[" * 100_000, "not JSON"),
        (b'"stack": null', b'"stack": null, "more": [[]' + b",[]" * 2_000_000 + b"]", "more than 3,000,000 values"),
    ],
)
def test_json_that_readers_take_for_different_things_is_refused(old: bytes, new: bytes, words: str) -> None:
    """jq and Python keep the last of two keys, others the first; what one checks the other would not use."""
    data = GOOD.encode()
    assert data.count(old) == 1
    with pytest.raises(IntegrityError) as caught:
        decode(data.replace(old, new))
    assert words in caught.value.message


@pytest.mark.parametrize("facts", [{"more": "\ud800"}, {"\udfff": 1}, {"more": [[{"x": "a\udc00"}]]}])
def test_facts_that_no_terminal_could_show_are_refused(facts: dict[str, object]) -> None:
    document = json.loads(GOOD.encode())
    document["models"] = [{"id": "m", "commit": None, "license": None, "size": 2, "facts": facts}]
    with pytest.raises(IntegrityError, match=r"models\[0\]: facts: expected an object"):
        decode(json.dumps(document).encode())


def test_a_manifest_in_utf_16_is_refused() -> None:
    with pytest.raises(IntegrityError, match="not JSON"):
        decode(GOOD.encode().decode().encode("utf-16"))
