"""A private authority: what openssl, Python's ssl and curl say of it, and what it cannot vouch for."""

from __future__ import annotations

import socket
import ssl
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest
from cryptography import x509

from bundler.errors import MachineError, UsageError
from bundler.site.place import Place
from bundler.site.tls.home import Home, Made, make, renew
from bundler.site.tls.names import Names
from tests.counterparts.certificates import Authority as Stranger
from tests.counterparts.need import need

NAME = "llm.example.internal"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    found = Home.out(tmp_path_factory.mktemp("ca") / "new" / "folder")
    make(found, Names.of(NAME, "192.0.2.7"), days=825)
    return found


def nobody(name: str) -> bytes:
    raise AssertionError(f"asked for the passphrase of {name}")


def openssl(*args: str | Path) -> str:
    done = subprocess.run([need("openssl", "openssl"), *args], capture_output=True, text=True, timeout=30, check=False)
    return done.stdout + done.stderr


def verified(home: Home, *more: str) -> str:
    strict = ("verify", "-x509_strict", "-check_ss_sig", "-purpose", "sslserver", *more)
    return openssl(*strict, "-CAfile", home.ca, home.server / "server.crt")


def test_openssl_takes_it_at_its_strictest(home: Home) -> None:
    assert "server.crt: OK" in verified(home, "-verify_hostname", NAME)
    assert "server.crt: OK" in verified(home, "-verify_ip", "192.0.2.7")
    assert "hostname mismatch" in verified(home, "-verify_hostname", "other.example.internal").lower()


def test_what_stands_in_it(home: Home) -> None:
    leaf, issuer = x509.load_pem_x509_certificates((home.server / "server.crt").read_bytes())
    leaf.verify_directly_issued_by(issuer)
    basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    usage = issuer.extensions.get_extension_for_class(x509.KeyUsage)
    assert (usage.critical, usage.value.key_cert_sign, usage.value.digital_signature) == (True, True, False)
    assert issuer.extensions.get_extension_for_class(x509.NameConstraints).critical
    server = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(server) == [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days == 825
    assert 0.9 < (time.time() - leaf.not_valid_before_utc.timestamp()) / 86400 < 1.1, "no room for a clock behind"
    assert len({leaf.serial_number, issuer.serial_number}) == 2
    assert min(leaf.serial_number, issuer.serial_number) > 1 << 100
    for one in (leaf, issuer):
        assert "secp256r1" in str(getattr(one.public_key(), "curve", None) and one.public_key().curve.name)  # type: ignore[union-attr]


def test_only_its_owner_may_read_the_keys(home: Home) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.files}
    assert modes == {"ca.crt": 0o644, "ca.key": 0o600, "server.crt": 0o644, "server.key": 0o600}
    assert {path.name for path in home.server.iterdir()} == modes.keys()
    assert stat.S_IMODE(home.server.stat().st_mode) == 0o700


def served(home: Home) -> tuple[socket.socket, int]:
    """A server that answers every connection until its socket is closed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home.server / "server.crt", home.server / "server.key")
    listening = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                with context.wrap_socket(listening.accept()[0], server_side=True) as one:
                    one.recv(4096)
                    one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nready")
            except ssl.SSLError:
                continue
            except OSError:
                return

    threading.Thread(target=run, daemon=True).start()
    port: int = listening.getsockname()[1]
    return listening, port


def test_clients_take_it_for_its_name_alone(home: Home) -> None:
    listening, port = served(home)
    with listening:
        context = ssl.create_default_context(cafile=str(home.ca))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        with (
            socket.create_connection(("127.0.0.1", port), 5) as raw,
            context.wrap_socket(raw, server_hostname=NAME) as wrapped,
        ):
            wrapped.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert wrapped.recv(100).startswith(b"HTTP/1.1 200")
        with (
            socket.create_connection(("127.0.0.1", port), 5) as raw,
            pytest.raises(ssl.SSLCertVerificationError, match="mismatch"),
        ):
            context.wrap_socket(raw, server_hostname="other.example")
        curl = [need("curl", "curl"), "-sS", "--cacert", str(home.ca), "--max-time", "10"]
        good = [*curl, "--resolve", f"{NAME}:{port}:127.0.0.1", f"https://{NAME}:{port}/"]
        assert subprocess.run(good, capture_output=True, timeout=20, check=False).stdout == b"ready"
        other = [*curl, "--resolve", f"other.example:{port}:127.0.0.1", f"https://other.example:{port}/"]
        assert subprocess.run(other, capture_output=True, timeout=20, check=False).returncode == 60


@pytest.mark.parametrize("name", ["kibana.example.internal", "192.0.2.8", "2001:db8::9", "evil.example"])
def test_it_cannot_vouch_for_anything_else(home: Home, tmp_path: Path, name: str) -> None:
    """Whoever steals the CA's key cannot play another host with it."""
    kind = "IP" if name[0].isdigit() else "DNS"
    (tmp_path / "x").write_text(f"subjectAltName={kind}:{name}\nkeyUsage=digitalSignature\n")
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "k", "-out", tmp_path / "r",
            "-subj", "/CN=x y")  # fmt: skip
    openssl("x509", "-req", "-in", tmp_path / "r", "-CA", home.ca, "-CAkey", home.files[1], "-set_serial", "5",
            "-extfile", tmp_path / "x", "-out", tmp_path / "c")  # fmt: skip
    said = openssl("verify", "-CAfile", home.ca, tmp_path / "c")
    assert "permitted subtree violation" in said or "excluded subtree violation" in said, said


@pytest.mark.parametrize("names", [["192.0.2.7"], ["2001:db8::1"], ["a" * 63 + "." + "b" * 63 + ".example"]])
def test_other_kinds_of_names(tmp_path: Path, names: list[str]) -> None:
    home = Home.out(tmp_path)
    assert make(home, Names.of(*names), days=1).names == tuple(names)
    assert "server.crt: OK" in verified(home)


def test_in_an_installation(tmp_path: Path) -> None:
    place = Place(tmp_path / "site")
    home = Home.of(place)
    before = make(home, Names.of(NAME), days=30)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (place.secrets, place.secrets / "ca", place.tls)]
    assert modes == [0o700] * 3
    assert not list(place.tls.rglob("ca.key")), "the CA's key would be mounted into the proxy's container"
    old = (place.tls / "server.key").read_bytes()
    after = renew(home, days=60, ask=nobody)
    assert (after.names, after.fingerprint) == (before.names, before.fingerprint)
    assert after.certificate.not_after - before.certificate.not_after > 29 * 86400
    assert (place.tls / "server.key").read_bytes() != old
    assert "server.crt: OK" in verified(home)


def test_nothing_is_replaced(home: Home) -> None:
    before = {path: path.read_bytes() for path in home.files}
    with pytest.raises(MachineError, match=r"ca.crt: is there already") as caught:
        make(home, Names.of(NAME), days=1)
    assert "tls renew" in caught.value.hint
    assert {path: path.read_bytes() for path in home.files} == before


def test_a_ca_with_a_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home.out(tmp_path)
    made: Made = make(home, Names.of(NAME), days=30, passphrase=b"drei Worte hier")
    assert b"ENCRYPTED" in home.files[1].read_bytes()
    assert b"ENCRYPTED" not in home.files[3].read_bytes()
    assert "iteration" not in made.fingerprint
    parsed = openssl("asn1parse", "-in", home.files[1])
    assert ":0927C0" in parsed, "600,000 rounds"
    assert renew(home, days=30, ask=lambda name: b"drei Worte hier").fingerprint == made.fingerprint
    before = home.files[2].read_bytes()
    for wrong in (b"falsch", b""):
        with pytest.raises(UsageError, match="passphrase is wrong") as caught:
            renew(home, days=30, ask=lambda name, wrong=wrong: wrong)  # type: ignore[misc]
        assert "falsch" not in str(caught.value)
    assert home.files[2].read_bytes() == before


def test_the_certificate_of_another_authority_is_not_renewed(tmp_path: Path) -> None:
    home = Home.out(tmp_path / "home")
    make(home, Names.of(NAME), days=30)
    home.files[2].write_bytes(Stranger(tmp_path / "stranger").server(NAME).certificate.read_bytes())
    with pytest.raises(MachineError, match="was not issued by the authority"):
        renew(home, days=30, ask=nobody)


@pytest.mark.parametrize(
    "name", ["", "a b", "-a.example", "a..b", "x/y", "*.example", "a\nb", "1.2.3", "a" * 64, "ü.example"]
)
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(UsageError, match="expected a host name or an IP address"):
        Names.of(name)


def test_no_openssl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="the program openssl is not here") as caught:
        make(Home.out(tmp_path / "x"), Names.of(NAME), days=1)
    assert "--out" in caught.value.hint
    assert not list((tmp_path / "x").iterdir())
