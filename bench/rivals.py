"""The same bytes by other means: curl, OpenSSL and dd, each doing one part of a build; and all of it by hand."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Usage, run, script
from bench.payload import MODEL, Payload
from bench.servers import Served
from bundler.tool.site_tool import site_tool

ROOT = Path(__file__).parent.parent
CONNECTIONS = 4


def curl(served: Served, place: Path) -> Usage:
    """Fetch the addresses that a build fetches, over four connections, to a file each."""
    target = _fresh(place / "curl")
    pairs = [part for n, url in enumerate(served.urls) for part in ("-o", str(target / str(n)), url)]
    options = ["--fail", "--silent", "--show-error", "--location", "--parallel", "--parallel-immediate"]
    usage = run("curl", *options, "--parallel-max", str(CONNECTIONS), *pairs, environment=served.environment)
    shutil.rmtree(target)
    return usage


def openssl(payload: Payload) -> Usage:
    """Hash the payload from the page cache by ``openssl dgst``, half of it on each core."""
    halves: list[list[Path]] = [[], []]
    for path in sorted(payload.files, key=lambda path: -path.stat().st_size):
        min(halves, key=_size).append(path)
    first, second = (f"openssl dgst -sha256 {_quoted(half)}" for half in halves)
    return script(f"{first} & one=$!\n{second}\nwait $one")


def dd(payload: Payload, place: Path, *, sync: bool) -> Usage:
    """Write the payload to one file; with ``sync`` until it is on the disk, as a build does."""
    target = place / "dd"
    flags = "conv=notrunc,fsync" if sync else "conv=notrunc"
    rest = f"of={shlex.quote(str(target))} bs=1M oflag=append status=none {flags}"
    copies = [f"dd if={shlex.quote(str(path))} {rest}" for path in payload.files]
    usage = script("\n".join(copies))
    target.unlink()
    return usage


def two_cores_of_hashlib(count: int) -> tuple[float, float]:
    """Seconds in which hashlib hashes ``count`` bytes on two threads: of memory, and of a block in the cache."""
    memory, cache = run(sys.executable, "-m", "bench.hashing", str(count), cwd=ROOT).output.split()
    return float(memory), float(cache)


def by_hand(served: Served, place: Path) -> Usage:
    """The way without this tool: fetch the image, fetch the model (to a folder, not also a cache), tar, sums.

    The program for the site goes along, as it does in a build: both carry the same bytes.
    """
    target = _fresh(place / "hand")
    program = place / "program"
    program.write_bytes(site_tool().data)
    usage = script(
        f"""
        mkdir images
        cp ../program .
        skopeo --insecure-policy copy --quiet --src-tls-verify=false docker://{served.image} oci:images/engine:1
        {shlex.quote(str(Path(sys.executable).with_name("hf")))} download {MODEL} --local-dir models/{MODEL}
        tar -cf ../hand.tar .
        sha256sum ../hand.tar > ../hand.tar.sha256
        """,
        cwd=target,
        environment={**served.environment, "HF_HOME": str(place / "hf"), "HF_HUB_DISABLE_PROGRESS_BARS": "1"},
    )
    shutil.rmtree(target)
    for name in ("hand.tar", "hand.tar.sha256", "program"):
        (place / name).unlink()
    return usage


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _size(paths: Sequence[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _quoted(paths: Sequence[Path]) -> str:
    return shlex.join(map(str, paths))
