"""A certificate is placed with its key, both at once, or not at all."""

from __future__ import annotations

import os
import ssl
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bundler.errors import MachineError
from bundler.site.place import Place
from bundler.site.tls.pair import finish_pair, replace_pair
from bundler.site.tls.place import certificate_end, place_certificate
from tests.counterparts.certificates import Authority, Certificate
from tests.counterparts.mounts import mounted

NAME = "llm.example.internal"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def good(authority: Authority) -> Certificate:
    return authority.server(NAME, days=90)


def loads(folder: Path) -> None:
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(folder / "server.crt", folder / "server.key")


def test_a_pair_is_placed_for_its_owner_alone(tmp_path: Path, good: Certificate) -> None:
    place = Place(tmp_path / "site")
    place_certificate(place, good.certificate, good.key, NAME)
    loads(place.tls)
    assert (place.tls / "server.crt").read_bytes() == good.certificate.read_bytes()
    assert stat.S_IMODE((place.tls / "server.key").stat().st_mode) == 0o600
    assert [stat.S_IMODE(path.stat().st_mode) for path in (place.secrets, place.tls)] == [0o700, 0o700]
    assert 89 < (certificate_end(place.tls / "server.crt") - time.time()) / 86_400 < 90
    before = (place.tls / "server.crt").stat().st_ino
    place_certificate(place, good.certificate, good.key, NAME)
    assert (place.tls / "server.crt").stat().st_ino == before, "the same pair was placed twice"


def test_the_files_of_a_container_belong_to_its_user(tmp_path: Path, good: Certificate) -> None:
    if os.geteuid() != 0:
        pytest.skip("giving files away needs root")
    place = Place(tmp_path / "site")
    place.tls.mkdir(parents=True)
    os.chown(place.tls, 65532, 65532)
    place_certificate(place, good.certificate, good.key, NAME)
    owners = {path.name: path.stat().st_uid for path in (place.tls / "server.crt", place.tls / "server.key")}
    assert set(owners.values()) == {65532}
    script = "import os, sys; os.setgid(65532); os.setuid(65532); print(len(open(sys.argv[1]).read()))"
    command = [sys.executable, "-c", script, "server.key"]
    # The folder is mounted: what lies above it says nothing.
    with_folder = subprocess.run(command, cwd=place.tls, capture_output=True, text=True, timeout=20, check=False)
    assert with_folder.stdout.strip() == str(len(good.key.read_text())), with_folder.stderr


@pytest.mark.parametrize("moment", range(1, 9))
def test_killed_at_any_moment_the_next_one_finds_a_pair(
    tmp_path: Path, authority: Authority, good: Certificate, moment: int
) -> None:
    other = authority.server("other.example", days=90)
    pairs = [(one.certificate.read_bytes(), one.key.read_bytes()) for one in (good, other)]
    replace_pair(tmp_path, *pairs[0])
    # A process that ends at its n-th system call of these, without a chance to tidy up.
    script = f"""
import os, sys, pathlib
calls = 0
def seen(event, args):
    global calls
    if event in ("open", "os.rename") and {str(tmp_path)!r} in str(args[0]):
        calls += 1
        if calls == {moment}:
            os._exit(9)
sys.addaudithook(seen)
from bundler.site.tls.pair import finish_pair, replace_pair
replace_pair(pathlib.Path({str(tmp_path)!r}), *{pairs[1]!r})
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=30, check=False)
    assert done.returncode in (0, 9), done.stderr
    finish_pair(tmp_path)
    found = (tmp_path / "server.crt").read_bytes(), (tmp_path / "server.key").read_bytes()
    assert found in pairs
    assert found == pairs[1] or done.returncode == 9
    assert sorted(path.name for path in tmp_path.iterdir()) == ["server.crt", "server.key"]


def test_a_full_disk_leaves_the_old_pair(tmp_path: Path, authority: Authority, good: Certificate) -> None:
    with mounted("tmpfs", tmp_path / "disk", size=16 << 10) as disk:
        pair = good.certificate.read_bytes(), good.key.read_bytes()
        replace_pair(disk, *pair)
        with pytest.raises(MachineError, match="No space left on device"):
            replace_pair(disk, b"x" * 20_000, pair[1])
        assert ((disk / "server.crt").read_bytes(), (disk / "server.key").read_bytes()) == pair
        assert len(list(disk.iterdir())) == 2


def refused(tmp_path: Path, pair: tuple[Path, Path], name: str, match: str) -> MachineError:
    place = Place(tmp_path / "refusing")
    with pytest.raises(MachineError, match=match) as caught:
        place_certificate(place, *pair, name)
    assert caught.value.hint
    assert not place.root.exists(), "something was written"
    return caught.value


def test_pairs_that_would_not_serve(tmp_path: Path, authority: Authority, good: Certificate) -> None:
    other = authority.server("other.example")
    refused(tmp_path, (good.certificate, other.key), NAME, "key: expected the certificate's own key")
    refused(tmp_path, (good.certificate, good.key), "x.example", "names: expected x.example, found llm.example")
    late = authority.server(f"late.{NAME}", days=-1)
    refused(tmp_path, (late.certificate, late.key), f"late.{NAME}", "expected valid now, found .* expired")
    refused(tmp_path, (tmp_path / "no.crt", good.key), NAME, r"no\.crt: cannot read: No such file")
    refused(tmp_path, (good.certificate, tmp_path / "no.key"), NAME, r"no\.key: cannot read: No such file")
    refused(tmp_path, (good.key, good.key), NAME, "holds no certificate in PEM")


@pytest.mark.parametrize("form", [["-aes256"], ["-aes256", "-traditional"]])
def test_a_key_with_a_passphrase(tmp_path: Path, good: Certificate, form: list[str]) -> None:
    locked = tmp_path / "locked.key"
    command = ["openssl", "rsa" if "-traditional" in form else "pkey", "-in", str(good.key), *form]
    subprocess.run([*command, "-passout", "pass:secret", "-out", str(locked)], check=True, capture_output=True)
    error = refused(tmp_path, (good.certificate, locked), NAME, "has a passphrase, and nobody can type it")
    assert f"openssl pkey -in {locked}" in error.hint


def test_days_left_of_something_else(tmp_path: Path, good: Certificate) -> None:
    with pytest.raises(MachineError, match="holds no certificate in PEM"):
        certificate_end(good.key)
