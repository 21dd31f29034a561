"""Public keys: P-256 in PEM is read, everything else is named and refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import BundleError, MachineError, UsageError
from bundler.trust import pem
from bundler.trust.keys import MOST_KEYS, PublicKey, public_key, read_keys
from tests.trust.stage import key_called, openssl, write_private, write_public


def refused(path: Path) -> str:
    """The message and the hint that ``path`` gives."""
    with pytest.raises(UsageError) as caught:
        read_keys(path)
    assert caught.value.hint
    return f"{caught.value.message} | {caught.value.hint}"


def test_a_key_and_its_id_as_openssl_has_them(tmp_path: Path) -> None:
    path = tmp_path / "alice.pub"
    private = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    path.write_bytes(openssl("pkey", "-pubout", data=private))
    (key,) = read_keys(path)
    der = openssl("pkey", "-pubin", "-in", str(path), "-outform", "DER")
    assert key == PublicKey("alice.pub", der)
    assert openssl("dgst", "-sha256", "-r", data=der).decode()[:16] == key.name.id
    assert key.pem() == path.read_bytes()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("RSA -pkeyopt rsa_keygen_bits:1024", "found an RSA key"),
        ("RSA-PSS -pkeyopt rsa_keygen_bits:1024", "found an RSA key"),
        ("ED25519", "found an Ed25519 key"),
        ("X25519", "found an X25519 key"),
        ("EC -pkeyopt ec_paramgen_curve:P-384", "found a key on the curve P-384"),
        ("EC -pkeyopt ec_paramgen_curve:secp256k1", "found a key on the curve secp256k1"),
        ("EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit", "found something else"),
    ],
)
def test_other_kinds_are_named(tmp_path: Path, kind: str, words: str) -> None:
    path = tmp_path / "x.pub"
    path.write_bytes(openssl("pkey", "-pubout", data=openssl("genpkey", "-algorithm", *kind.split())))
    assert f"x.pub: expected an ECDSA key on the curve P-256, {words}" in refused(path)


def test_a_compressed_point_is_refused_with_a_command_that_helps(tmp_path: Path) -> None:
    write_public(tmp_path, "alice")
    path = tmp_path / "short.pub"
    path.write_bytes(
        openssl("pkey", "-pubin", "-in", f"{tmp_path}/alice.pub", "-pubout", "-ec_conv_form", "compressed")
    )
    said = refused(path)
    command = said.partition(" | openssl ")[2].replace("short.pub", str(path)).replace("PUBLIC.pub", f"{path}.long")
    openssl(*command.split())
    assert read_keys(Path(f"{path}.long"))[0].spki == key_called("alice").public.spki


def test_a_certificate_is_refused_with_a_command_that_helps(tmp_path: Path) -> None:
    key, path = write_private(tmp_path, "alice"), tmp_path / "alice.crt"
    openssl("req", "-x509", "-key", str(key), "-subj", "/CN=x", "-out", str(path))
    said = refused(path)
    assert "found a certificate" in said
    command = said.partition(" | openssl ")[2].partition(" > ")[0].replace("alice.crt", str(path))
    assert openssl(*command.split()) == key_called("alice").public.pem()


@pytest.mark.parametrize("passphrase", [None, b"x"])
def test_a_private_key_is_said_to_be_one(tmp_path: Path, passphrase: bytes | None) -> None:
    said = refused(write_private(tmp_path, "alice", passphrase))
    assert "alice.key: expected a public key, found a private one" in said
    assert "stays with whoever signs" in said


GOOD = key_called("alice").public.pem().decode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "found nothing of the kind"),
        ("ssh-ed25519 AAAA me@here\n", "found nothing of the kind"),
        (GOOD * 2, "found 2 PEM blocks"),
        (GOOD.replace("PUBLIC KEY", "PGP PUBLIC KEY BLOCK"), "found another kind of PEM"),
        (GOOD.replace("\nMFk", "\n*Fk"), "the public key is not base64"),
        (GOOD.replace("\nMFk", "\nMFkw"), "the public key is not base64"),
        ("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", "found something else"),
        (GOOD[:-80], "found nothing of the kind"),
    ],
)
def test_defects_are_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "x.pub"
    path.write_text(text)
    assert words in refused(path)


@given(st.integers(27, 90), st.integers(0, 7))
def test_a_point_beside_the_curve_is_refused(at: int, bit: int) -> None:
    spki = bytearray(key_called("alice").public.spki)
    spki[at] ^= 1 << bit
    with pytest.raises(UsageError, match="no point on the curve"):
        public_key(PublicKey("x", bytes(spki)).pem(), Path("x.pub"))


@given(st.binary(max_size=400), st.booleans())
def test_noise_is_refused(noise: bytes, framed: bool) -> None:
    data = b"-----BEGIN PUBLIC KEY-----\n" + noise + b"\n-----END PUBLIC KEY-----\n" if framed else noise
    with pytest.raises(BundleError):
        public_key(data, Path("x.pub"))


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.pub"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(MachineError, match="larger than the 65,536 bytes"):
        read_keys(path)
    with pytest.raises(MachineError, match="larger than the 65,536 bytes"):
        read_keys(Path("/dev/zero"))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("part", [b"-----BEGIN A-----", b"-----BEGIN A-----\n-----END B-----", b"-----BEGIN "])
def test_a_file_of_nothing_but_beginnings_costs_no_time(part: bytes) -> None:
    for _ in range(100):  # as many of them may lie in a folder
        assert pem.blocks((part * pem.MAX_BYTES)[: pem.MAX_BYTES]) == ()


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"none.pub: cannot read: No such file"):
        read_keys(tmp_path / "none.pub")


def test_a_folder_by_name_with_links_and_without_hidden_files(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = tmp_path / "keys"
    folder.mkdir()
    write_public(folder, "bob")
    (folder / "alice.pub").symlink_to(write_public(elsewhere, "alice"))
    (folder / "._bob.pub").write_bytes(b"\0\5\26\7")
    (folder / "README").write_text("the keys that we trust")
    write_private(folder, "bob")
    assert [key.name.key for key in read_keys(folder)] == ["alice.pub", "bob.pub"]


def test_a_folder_of_ten_thousand(tmp_path: Path) -> None:
    for number in range(10_000):
        (tmp_path / f"{number}.txt").touch()
    assert "holds no public key" in refused(tmp_path)
    write_public(tmp_path, "alice")
    assert len(read_keys(tmp_path)) == 1
    for number in range(MOST_KEYS):
        (tmp_path / f"{number}.pub").touch()
    assert f"at most {MOST_KEYS} files *.pub" in refused(tmp_path)


@pytest.mark.timeout(20)
def test_what_else_a_folder_may_hold_under_the_name_of_a_key(tmp_path: Path) -> None:
    path = tmp_path / "x.pub"
    os.mkfifo(path)
    assert "x.pub: is not a regular file" in refused(tmp_path)
    path.unlink()
    path.symlink_to("/dev/zero")
    assert "x.pub: is not a regular file" in refused(tmp_path)
    path.unlink()
    path.mkdir()
    assert "x.pub: is not a regular file" in refused(tmp_path)
    path.rmdir()
    for target in ("/nowhere", "x.pub"):
        path.symlink_to(target)
        with pytest.raises(MachineError, match=r"x\.pub: cannot read"):
            read_keys(tmp_path)
        path.unlink()
    path.write_bytes(key_called("alice").pem(None))
    assert "found a private one" in refused(tmp_path)
