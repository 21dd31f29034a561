"""The proxy's certificate, made with openssl in every wrong way."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bundler.site.doctor.certificate import check_certificate
from bundler.site.doctor.interface import Finding, Wish
from tests.counterparts.certificates import Authority, Certificate

NAME = "llm.example.internal"


def found(made: Certificate, name: str = NAME) -> dict[str, Finding]:
    wish = Wish(Path(), certificate=made.certificate, key=made.key, server_name=name)
    return {finding.check: finding for finding in check_certificate(wish)}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


def test_one_that_is_good_but_ends_soon(authority: Authority) -> None:
    made = authority.server(NAME)
    made.key.chmod(0o600)
    rows = found(made)
    assert {name: row.state for name, row in rows.items()} == {
        "certificate": "warn",  # two days
        "key": "ok",
        "certificate's names": "ok",
        "certificate chain": "warn",  # the CA is not beside it
    }


def test_a_whole_chain_for_a_year(authority: Authority) -> None:
    made = authority.server(NAME, days=365)
    made.key.chmod(0o600)
    made.certificate.write_bytes(made.certificate.read_bytes() + authority.ca.read_bytes())
    assert {row.state for row in found(made).values()} == {"ok"}


def test_expired(authority: Authority) -> None:
    row = found(authority.server(NAME, days=-1))["certificate"]
    assert (row.state, "expired" in row.found) == ("block", True)


def test_the_key_of_another(authority: Authority) -> None:
    made, other = authority.server(NAME), authority.server("other.example")
    row = found(Certificate(made.certificate, other.key, made.ca))["key"]
    assert (row.state, row.found) == ("block", f"{other.key}: is the key of another certificate")
    assert f"-in {other.key}" in row.fix


def test_a_key_with_a_passphrase(authority: Authority, tmp_path: Path) -> None:
    made = authority.server(NAME)
    locked = tmp_path / "locked.key"
    command = ["openssl", "pkey", "-in", str(made.key), "-aes256", "-passout", "pass:secret", "-out", str(locked)]
    subprocess.run(command, check=True, capture_output=True)
    row = found(Certificate(made.certificate, locked, made.ca))["key"]
    assert (row.state, "passphrase" in row.fix) == ("block", True)


def test_a_key_that_all_may_read(authority: Authority) -> None:
    made = authority.server(NAME)
    made.key.chmod(0o644)
    assert found(made)["key"].state == "warn"


@pytest.mark.parametrize(
    ("names", "asked", "state"),
    [
        (["*.example.internal"], NAME, "ok"),
        (["*.internal"], NAME, "block"),
        (["other.example"], NAME, "block"),
        (["LLM.example.INTERNAL"], NAME, "ok"),
        (["192.0.2.7"], "192.0.2.7", "ok"),
    ],
)
def test_names(authority: Authority, names: list[str], asked: str, state: str) -> None:
    assert found(authority.server(*names), asked)["certificate's names"].state == state


@pytest.mark.parametrize(
    "content", [b"", b"\x30\x82\x01", b"-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n"]
)
def test_no_certificate_at_all(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.pem"
    path.write_bytes(content)
    rows = found(Certificate(path, path, path))
    assert (list(rows), rows["certificate"].state) == (["certificate"], "block")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    missing = tmp_path / "no.pem"
    row = found(Certificate(missing, missing, missing))["certificate"]
    assert row.state == "block"
    assert "No such file" in row.found


def test_a_chain_in_the_wrong_order(authority: Authority, tmp_path: Path) -> None:
    made = authority.server(NAME)
    stranger = Authority(tmp_path / "stranger")
    other = stranger.server("stranger.example")
    made.certificate.write_bytes(made.certificate.read_bytes() + other.certificate.read_bytes())
    assert found(made)["certificate chain"].state == "block"
