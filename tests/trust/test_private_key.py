"""Private keys: what we, openssl and cosign write is read, and no secret ever gets into a message."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.errors import BundleError, MachineError, UsageError
from bundler.trust import pem, secretbox
from bundler.trust.key_files import write_pair
from bundler.trust.keys import read_keys
from bundler.trust.pbes2 import ROUNDS
from bundler.trust.private_key import AskFor, load_key
from tests.counterparts.mounts import mounted
from tests.trust.stage import SECRET, key_called, never, openssl, secret, write_private

DATA = Path(__file__).parent / "data"
OPEN = key_called("alice").pem(None)


def load(data: bytes, ask: AskFor = never) -> bytes:
    """The public half of the key in ``data``."""
    return load_key(data, Path("a.key"), ask).public.spki


def refused(data: bytes, ask: AskFor = never) -> str:
    """The message, which holds nothing of the key."""
    with pytest.raises(UsageError) as caught:
        load(data, ask)
    text = f"{caught.value.message} | {caught.value.hint} {caught.value.__cause__}"
    assert caught.value.hint
    assert SECRET.decode() not in text
    assert not any(line in text for line in data.decode("latin-1").splitlines() if len(line) > 30 and "---" not in line)
    return text


def test_round_trip_through_openssl() -> None:
    found = key_called("alice").public
    for form in (OPEN, key_called("alice").pem(SECRET)):
        assert load(form, secret) == found.spki
        assert openssl("pkey", "-passin", f"pass:{SECRET.decode()}", "-pubout", data=form) == found.pem()
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in key_called("alice").pem(SECRET)


def test_an_encrypted_key_costs_its_thief_the_rounds_that_we_say() -> None:
    shown = openssl("asn1parse", data=key_called("alice").pem(SECRET)).decode()
    assert f"INTEGER           :{ROUNDS:06X}" in shown
    assert "hmacWithSHA256" in shown
    assert "aes-256-cbc" in shown


@pytest.mark.parametrize(
    "command",
    [
        "ec",
        "pkcs8 -topk8 -nocrypt",
        "pkcs8 -topk8 -passout pass:{}",
        "pkcs8 -topk8 -v2 aes-256-cbc -iter 5000 -passout pass:{}",
        "pkcs8 -topk8 -scrypt -passout pass:{}",
        "ec -aes256 -passout pass:{}",
    ],
)
def test_what_openssl_writes_is_read(command: str) -> None:
    arguments = [part.format(SECRET.decode()) for part in command.split()]
    data = openssl(*arguments, data=OPEN)
    assert load(data, secret if "passout" in command else never) == key_called("alice").public.spki
    if "passout" in command:
        assert "passphrase does not fit" in refused(data, lambda name: b"wrong")


def test_what_openssl_writes_before_an_ec_key_is_passed_over(tmp_path: Path) -> None:
    data = openssl("ecparam", "-name", "prime256v1", "-genkey")
    assert data.startswith(b"-----BEGIN EC PARAMETERS-----")
    assert len(load(data)) == 91


def test_what_cosign_writes_is_read() -> None:
    """tests/trust/data/cosign.key is of cosign 3.1.3; its passphrase is for-tests-only."""
    data = (DATA / "cosign.key").read_bytes()
    found = load_key(data, DATA / "cosign.key", lambda name: b"for-tests-only").public
    assert found.spki == read_keys(DATA / "cosign.pub")[0].spki
    assert "passphrase does not fit" in refused(data, secret)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kdf": {"name": "argon2"}}, "params"),
        ({"kdf": {"name": "scrypt", "params": {"N": 1 << 40, "r": 8, "p": 1}, "salt": "AA=="}}, "N: expected"),
        ({"kdf": {"name": "scrypt", "params": {"N": 3, "r": 8, "p": 1}, "salt": "AA=="}}, "no key that cosign wrote"),
        ({"kdf": {"name": "scrypt", "params": {"N": 0, "r": 8, "p": 1}, "salt": "AA=="}}, "no key that cosign wrote"),
        ({"cipher": {"name": "aes", "nonce": "AA=="}}, "no key that cosign wrote"),
        ({"cipher": {"name": "nacl/secretbox", "nonce": "AA=="}}, "does not fit"),
        ({"cipher": {"name": "nacl/secretbox", "nonce": "*"}}, "no key that cosign wrote"),
        ({"ciphertext": "AA=="}, "does not fit"),
        ({"ciphertext": 5}, "ciphertext: expected"),
    ],
)
def test_a_hostile_key_of_cosigns_form(change: dict[str, object], words: str) -> None:
    (block,) = pem.blocks((DATA / "cosign.key").read_bytes())
    document = {**json.loads(block.data()), **change}
    body = base64.b64encode(json.dumps(document).encode()).decode()
    found = pem.Block(block.label, f"\n{body}\n").encode()
    assert words in refused(found, lambda name: b"for-tests-only")


def test_secretbox_as_libsodium_has_it() -> None:
    """The box was made by PyNaCl 1.6 with key 00 to 1f and nonce 00 to 17."""
    box = bytes.fromhex(
        "bf4aadeb73c72e50e6911af55a68a1a92a975d6f9781e1439804af5807fd27b73dc366beac554d8661c313f175acc498affb99ba2bd7907099"
        "f988f81446c42d46610af39cf4b76fd37907ee7b0de494eeb0df70762ce9db20d2e3a8be16fb"
    )
    text = b"the PKCS#8 form of a private key, longer than one block of Salsa20 is: 64 bytes"
    key, nonce = bytes(range(32)), bytes(range(24))
    assert secretbox.unseal(key, nonce, box) == text
    for at in range(len(box)):
        assert secretbox.unseal(key, nonce, box[:at] + bytes([box[at] ^ 1]) + box[at + 1 :]) is None
    assert secretbox.unseal(key, nonce, box[:15]) is None
    assert secretbox.unseal(key[::-1], nonce, box) is None


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("RSA -pkeyopt rsa_keygen_bits:1024", "an RSA key"),
        ("ED25519", "an Ed25519 key"),
        ("EC -pkeyopt ec_paramgen_curve:P-384", "curve P-384"),
        ("EC -pkeyopt ec_paramgen_curve:secp256k1", "curve secp256k1"),
    ],
)
def test_other_kinds_are_named(kind: str, words: str) -> None:
    data = openssl("genpkey", "-algorithm", *kind.split())
    assert f"a.key: expected an ECDSA key on the curve P-256, found {words}" in refused(data).replace(
        "a key on the ", ""
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "expected one private key (PEM), found nothing of the kind"),
        (OPEN * 2, "found 2 PEM blocks"),
        (key_called("alice").public.pem(), "found a public key"),
        (OPEN[:60] + OPEN[80:], "damaged"),
        (OPEN.replace(b"PRIVATE KEY", b"OPENSSH PRIVATE KEY"), "damaged"),
        (OPEN.replace(b"PRIVATE KEY", b"EC PRIVATE KEY"), "damaged"),
    ],
)
def test_defects_are_named(data: bytes, words: str) -> None:
    assert words in refused(data)


@given(
    st.binary(max_size=300), st.sampled_from(["PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", *pem.COSIGN])
)
@settings(deadline=None)
def test_noise_raises_nothing_else(noise: bytes, label: str) -> None:
    body = base64.b64encode(noise).decode()
    with pytest.raises(BundleError):
        load(f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode(), secret)


def test_a_key_does_not_show_itself() -> None:
    key = key_called("alice")
    number = key._secret.private_numbers().private_value
    for text in (repr(key), str(key), repr(key.public)):
        assert str(number) not in text
        assert f"{number:x}" not in text


def test_a_pair_on_disk(tmp_path: Path) -> None:
    pair = write_pair(key_called("alice"), tmp_path / "team.key", SECRET)
    assert pair.private.stat().st_mode & 0o777 == 0o600
    assert pair.public == tmp_path / "team.pub"
    assert read_keys(pair.public)[0].name.id == pair.id
    assert load(pair.private.read_bytes(), secret) == key_called("alice").public.spki
    before = pair.private.read_bytes()
    with pytest.raises(MachineError, match=r"team.key: is there already"):
        write_pair(key_called("bob"), tmp_path / "team.key", None)
    assert pair.private.read_bytes() == before


def test_half_a_pair_is_not_left(tmp_path: Path) -> None:
    """A disk that has room for one more file and not for two; and a name that is taken."""
    with mounted("tmpfs", tmp_path / "full", size=1 << 20) as full:
        subprocess.run(["mount", "-o", "remount,nr_inodes=2", str(full)], check=True)
        with pytest.raises(MachineError, match=r"team.pub: cannot write: No space left"):
            write_pair(key_called("alice"), full / "team.key", None)
        assert list(full.iterdir()) == []
    (tmp_path / "team.pub").symlink_to("/nowhere")
    with pytest.raises(MachineError, match=r"team.pub: is there already"):
        write_pair(key_called("alice"), tmp_path / "team.key", None)
    assert not (tmp_path / "team.key").exists()


def test_names_and_passphrases_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"team.pub: expected the private key's name, found the name of a public key"):
        write_pair(key_called("alice"), tmp_path / "team.pub", None)
    for path in (Path(), Path("/"), Path()):
        with pytest.raises(UsageError, match="expected the private key's name, found a folder"):
            write_pair(key_called("alice"), path, None)
    with pytest.raises(UsageError, match="the passphrase is empty"):
        write_pair(key_called("alice"), tmp_path / "team.key", b"")
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_not_followed_when_a_key_is_written(tmp_path: Path) -> None:
    (tmp_path / "team.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MachineError):
        write_pair(key_called("alice"), tmp_path / "team.key", None)
    assert not (tmp_path / "elsewhere").exists()


def test_reading_a_written_pair_back(tmp_path: Path) -> None:
    data = write_private(tmp_path, "bob", SECRET).read_bytes()
    message = b"SHA256SUMS"
    signature = load_key(data, Path("bob.key"), secret).sign(message)
    (tmp_path / "bob.sig").write_bytes(signature)
    (tmp_path / "bob.pub").write_bytes(key_called("bob").public.pem())
    line = ["dgst", "-sha256", "-verify", f"{tmp_path}/bob.pub", "-signature", f"{tmp_path}/bob.sig"]
    assert openssl(*line, data=message) == b"Verified OK\n"
