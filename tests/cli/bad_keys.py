"""Bad input for signing: keys, passphrases and bundles that are not what they should be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cli.bench import TOP, Bench, Case
from tests.trust.stage import SECRET, openssl, write_private, write_public

TAR = f"{TOP}.tar"


def _with(make: Callable[[Path], object], command: str, *, key: str = "") -> Callable[[Bench], str]:
    """A bundle, what ``make`` puts beside it, and ``command``; ``key`` is signing.key in bundle.yml."""

    def prepare(bench: Bench) -> str:
        bench.patch.delenv("LLM_BUNDLE_KEY_PASSWORD", raising=False)
        bench.built()
        if key:
            bench.spec(more=f"signing: {{key: {key}}}\n")
        make(bench.folder)
        return command

    return prepare


def _keys(folder: Path) -> None:
    write_private(folder, "alice")
    write_private(folder, "bob", SECRET)
    write_public(folder, "alice")


def _wrong_passphrase(folder: Path) -> None:
    _keys(folder)
    (folder / "words").write_text("another one\n")


def _empty_passphrase(folder: Path) -> None:
    _keys(folder)
    (folder / "words").write_text("\nsecond line\n")


def _rsa(folder: Path) -> None:
    key = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
    (folder / "rsa.key").write_bytes(key)
    (folder / "rsa.pub").write_bytes(openssl("pkey", "-pubout", data=key))


def _huge(folder: Path) -> None:
    with (folder / "huge.key").open("wb") as file:
        file.truncate(1 << 40)


def _empty_folder(folder: Path) -> None:
    (folder / "keys").mkdir()


def _nothing(folder: Path) -> None: ...


CASES = (
    Case("key: private for verify", _with(_keys, f"verify {TAR} --key alice.key"), 2, "found a private one", "signs"),
    Case("key: RSA for verify", _with(_rsa, f"verify {TAR} --key rsa.pub"), 2, "rsa.pub: expected", "keygen"),
    Case("key: empty name", _with(_nothing, f"verify {TAR} --key ''"), 2, "--key: expected", "variable"),
    Case("keygen: a folder", _with(_nothing, "keygen -o ."), 2, ".: expected the private key's name", "signing.key"),
    Case("key: none", _with(_nothing, f"unpack {TAR} x --key a.pub"), 6, "a.pub: cannot read", "path"),
    Case("key: empty folder", _with(_empty_folder, f"verify {TAR} --key keys"), 2, "keys: holds no", "sender's key"),
    Case("key: huge", _with(_huge, f"sign {TAR} --key huge.key"), 6, "huge.key: larger than", "file that you mean"),
    Case("key: public for sign", _with(_keys, f"sign {TAR} --key alice.pub"), 2, "found a public key", "keygen"),
    Case("key: RSA for sign", _with(_rsa, f"sign {TAR} --key rsa.key"), 2, "found an RSA key", "keygen"),
    Case("key: no terminal", _with(_keys, f"sign {TAR} --key bob.key"), 2, "bob.key: its passphrase", "LLM_BUNDLE_KEY"),
    Case(
        "key: wrong passphrase",
        _with(_wrong_passphrase, f"sign {TAR} --key bob.key --password-file words"),
        2,
        "bob.key: the passphrase does not fit",
        "again",
    ),
    Case(
        "key: empty passphrase",
        _with(_empty_passphrase, f"sign {TAR} --key bob.key --password-file words"),
        2,
        "words: its first line is empty",
        "passphrase",
    ),
    Case("keygen: no terminal", _with(_nothing, "keygen -o a.key"), 2, "a.key: its passphrase", "--no-password"),
    Case("keygen: name taken", _with(_keys, "keygen -o alice.key --no-password"), 6, "alice.key: is there", "never"),
    Case("keygen: both", _with(_nothing, "keygen --no-password --password-file x"), 2, "contradict", "one of them"),
    Case("keygen: no folder", _with(_nothing, "keygen -o x/a.key --no-password"), 6, "x/a.key: cannot write", "folder"),
    Case("sign: no bundle", _with(_keys, "sign bundle.yml --key alice.key"), 5, "bundle.yml: no header", "bundle of"),
    Case("sign: nothing", _with(_keys, "sign x.tar --key alice.key"), 6, "x.tar: there is no such file", "mounted"),
    Case(
        "build: signing.key is not there",
        _with(_nothing, "build --force", key="team.key"),
        3,
        "signing.key: team.key: there is no such file",
        "keygen",
    ),
    Case(
        "build: signing.key is no variable",
        _with(_nothing, "build --force", key="TEAM_KEY"),
        3,
        "no environment variable of that name is set",
        "keygen",
    ),
    Case(
        "build: signing.key is RSA",
        _with(_rsa, "build --force", key="rsa.key"),
        2,
        "rsa.key: expected an ECDSA key",
        "keygen",
    ),
)
