"""The signature, by both ways of checking: good, another's, and whatever a hostile medium may hold."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import MachineError
from bundler.trust.choice import seal, verifier
from bundler.trust.keys import ORDER
from bundler.trust.signature import Seal, SignatureRefused, Verifier, examine, form_fault, unchecked
from bundler.trust.with_library import WithLibrary
from bundler.trust.with_openssl import WithOpenssl
from tests.counterparts.need import need
from tests.trust.stage import key_called, openssl, write_private

SUMS = b"aa  README.md\n" * 5
WAYS = ["library", "openssl"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Verifier:
    return WithLibrary() if request.param == "library" else WithOpenssl(need("openssl", "openssl"))


def state(signature: bytes | None, way: Verifier, *names: str, sums: bytes = SUMS) -> str:
    """The state that examining ends in."""
    try:
        return examine(sums, signature, [key_called(name).public for name in names], way).state
    except SignatureRefused as refused:
        return refused.state


def test_whose_it_is(way: Verifier) -> None:
    signature = key_called("alice").sign(SUMS)
    keys = [key_called(name).public for name in ("bob", "alice", "carol")]
    assert examine(SUMS, signature, keys, way) == Seal("valid", keys[1].name)
    assert state(signature, way, "bob", "carol") == "invalid"
    assert state(signature, way, "alice", sums=SUMS + b"\n") == "invalid"
    assert state(signature, way, "alice", sums=b"") == "invalid"
    assert state(None, way, "alice") == "absent"


def test_no_key_fits_when_none_is_given(way: Verifier) -> None:
    assert state(key_called("alice").sign(SUMS), way) == "invalid"


def test_large_sums(way: Verifier) -> None:
    sums = bytes(20 << 20)
    assert state(key_called("alice").sign(sums), way, "alice", sums=sums) == "valid"


def test_what_openssl_signs_is_good(way: Verifier, tmp_path: Path) -> None:
    key = write_private(tmp_path, "alice")
    assert state(openssl("dgst", "-sha256", "-sign", str(key), data=SUMS), way, "alice") == "valid"


GOOD = key_called("alice").sign(SUMS)


@pytest.mark.parametrize("step", [1, 37])
def test_any_flipped_bit_is_found(step: int) -> None:
    """By the library each bit, by the openssl program one of 37."""
    way = WithLibrary() if step == 1 else WithOpenssl(need("openssl", "openssl"))
    for bit in range(0, 8 * len(GOOD), step):
        flipped = bytearray(GOOD)
        flipped[bit // 8] ^= 1 << bit % 8
        assert state(bytes(flipped), way, "alice") == "invalid", bit
    assert state(GOOD, way, "alice") == "valid"


R, S = decode_dss_signature(GOOD)


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        (b"", "is empty"),
        (b"\0" * 512, "not in the form"),
        (b"0", "not in the form"),
        (b"0\0", "not in the form"),
        (b"0\2\2\1", "not in the form"),
        (b"0\x80" + encode_dss_signature(R, S)[2:] + b"\0\0", "not in the form"),
        (b"0\x81" + encode_dss_signature(R, S)[1:], "not in the form"),
        (encode_dss_signature(R, S) + b"\0", "not in the form"),
        (encode_dss_signature(R, S)[:-1], "not in the form"),
        (b"-----BEGIN SIGNATURE-----", "not in the form"),
        (b"0" + bytes([len(GOOD)]) + GOOD[2:] + b"\5\0", "not in the form"),
        (encode_dss_signature(0, S), "out of range"),
        (encode_dss_signature(R, 0), "out of range"),
        (encode_dss_signature(ORDER, S), "out of range"),
        (encode_dss_signature(R, ORDER), "out of range"),
        (encode_dss_signature(ORDER + R % 9 + 1, S), "out of range"),
        (b"0\6\2\1\x81\2\1\1", "out of range"),
        (b"0\7\2\2\0\1\2\1\1", "not in the form"),
    ],
)
def test_what_is_no_signature(signature: bytes, words: str) -> None:
    fault = form_fault(signature)
    assert fault
    assert words in fault
    with pytest.raises(SignatureRefused, match=words) as caught:
        examine(SUMS, signature, [key_called("alice").public], WithLibrary())
    assert caught.value.exit_code == 5
    assert "Do not use the bundle" in caught.value.hint


def test_the_other_root_is_a_signature_too(way: Verifier) -> None:
    """ECDSA itself takes r, n - s: it is a signature of the same owner over the same bytes."""
    assert state(encode_dss_signature(R, ORDER - S), way, "alice") == "valid"


@given(st.binary(max_size=80))
def test_noise(noise: bytes) -> None:
    assert form_fault(noise) is None or state(noise, WithLibrary(), "alice") == "invalid"


@given(st.integers(1, ORDER - 1), st.integers(1, ORDER - 1))
def test_every_encoding_of_the_library_is_well_formed(r: int, s: int) -> None:
    assert form_fault(encode_dss_signature(r, s)) is None


def test_without_keys_nobody_is_checked() -> None:
    assert unchecked(None) == Seal("absent")
    assert seal(SUMS, b"rubbish", None) == Seal("unchecked")


def test_the_way_is_the_one_that_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(verifier(), WithLibrary)
    monkeypatch.setitem(sys.modules, "bundler.trust.with_library", None)
    need("openssl", "openssl")
    assert isinstance(verifier(), WithOpenssl)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MachineError, match="neither Python's cryptography library nor openssl") as caught:
        verifier()
    assert "Without --key" in caught.value.hint


@pytest.mark.parametrize(
    ("program", "words"), [("/nowhere/openssl", "cannot be run"), ("/bin/true", "could not check")]
)
def test_an_openssl_that_does_not_work_is_not_believed(program: str, words: str) -> None:
    with pytest.raises(MachineError, match=words):
        state(key_called("alice").sign(SUMS), WithOpenssl(program), "alice")
