"""A signed bundle without our tool: the commands of its README, with openssl, tar and coreutils alone; and cosign."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bundler.layout.member import SIGNATURE, SUMS
from tests.counterparts.need import need
from tests.end_to_end.conftest import Journey
from tests.end_to_end.stage import TOP
from tests.trust.stage import key_called, write_private, write_public

BARE = ("tar", "sha256sum", "cat", "openssl")
VERIFIED = "Verified OK"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PATH with nothing but these programs."""
    folder = tmp_path_factory.mktemp("bare")
    for name in BARE:
        (folder / name).symlink_to(need(name, "openssl" if name == "openssl" else "coreutils tar"))
    return folder


@pytest.fixture
def place(journey: Journey, tmp_path: Path) -> Path:
    """The bundle in volumes, signed by Alice, and her public key: what the site gets."""
    journey.desk.run("build", "--volume-size", "7MiB", "--output", str(tmp_path))
    key = write_private(tmp_path, "alice")
    journey.desk.run("sign", str(tmp_path / f"{TOP}.tar.001"), "--key", str(key))
    key.unlink()
    write_public(tmp_path, "alice").rename(tmp_path / "KEY.pub")
    return tmp_path


def commands(root: Path) -> list[str]:
    """All commands of the section "Check it" of a bundle's README, but those of llm-bundle."""
    section = (root / "README.md").read_text().partition("## Check it\n")[2].partition("\n## ")[0]
    found = re.findall(r"^ {4}(\S.*)$", section, re.MULTILINE)
    assert {line.split()[0] for line in found} == {"sha256sum", "cat", "tar", "cd", "openssl"}
    return found


def typed(bare: Path, place: Path, lines: list[str]) -> subprocess.CompletedProcess[str]:
    """Type ``lines`` into a shell that stops at the first failure and knows these programs only."""
    line = ["/usr/bin/env", "-i", f"PATH={bare}", "/bin/sh", "-e", "-c", "\n".join(lines)]
    return subprocess.run(line, cwd=place, capture_output=True, text=True, timeout=60, check=False)


def test_the_commands_of_the_readme_check_all_of_it(bare: Path, journey: Journey, place: Path) -> None:
    done = typed(bare, place, commands(journey.root))
    assert done.returncode == 0, done.stderr
    *sums, good, verified, key, manifest = done.stdout.splitlines()
    assert [line.partition(": ")[2] for line in sums] == ["OK"] * 3
    assert (good, verified) == ("good", VERIFIED)
    assert key[:16] == key_called("alice").public.name.id
    assert manifest.split()[0] == journey.runs["build"].json["manifest_sha256"]


@pytest.mark.parametrize("change", ["sums", "signature", "key"])
def test_they_find_what_is_not_as_it_was_signed(bare: Path, journey: Journey, place: Path, change: str) -> None:
    lines = commands(journey.root)
    middle = lines.index("openssl dgst -sha256 -verify ../KEY.pub -signature SHA256SUMS.sig SHA256SUMS")
    assert typed(bare, place, lines[:middle]).returncode == 0
    path = {"sums": place / TOP / SUMS, "signature": place / TOP / SIGNATURE, "key": place / "KEY.pub"}[change]
    data = key_called("bob").public.pem() if change == "key" else path.read_bytes()[:-1] + b"x"
    path.write_bytes(data)
    done = typed(bare, place / TOP, lines[middle:])
    assert done.returncode != 0
    assert VERIFIED not in done.stdout


def test_cosign_checks_it_too(place: Path) -> None:
    """cosign comes in no package of Debian's, so CI goes without; tried with 3.1.3, built by `go install`."""
    cosign = shutil.which("cosign")
    if cosign is None:
        pytest.skip("cosign is missing: go install github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3")
    subprocess.run(["sh", "-c", f"cat {TOP}.tar.[0-9]?? | tar -xf -"], cwd=place, check=True)
    line = [
        cosign,
        "verify-blob",
        "--key",
        "KEY.pub",
        "--signature",
        f"{TOP}/{SIGNATURE}",
        "--insecure-ignore-tlog=true",
    ]
    environment = {"PATH": "", "HOME": str(place)}
    good = subprocess.run([*line, f"{TOP}/{SUMS}"], cwd=place, env=environment, capture_output=True, check=False)
    assert good.returncode == 0, good.stderr
    bad = subprocess.run([*line, f"{TOP}/README.md"], cwd=place, env=environment, capture_output=True, check=False)
    assert bad.returncode != 0
