"""The figures of a run. What takes long is done twice, in turns, and the better time counts for each side; what is
short is done more often, and the median counts. Outputs of one side are removed before the next one starts.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from bench import rivals
from bench.measure import Usage, run, script
from bench.payload import Payload
from bench.servers import Served
from bench.table import Row
from bench.tool import TOP, Tool
from bundler.layout.manifest import decode
from bundler.site.engines.docker import Docker
from bundler.site.engines.stored import read_image

ROUNDS = 2


def building(tool: Tool, payload: Payload, served: Served, place: Path) -> Iterator[Row]:
    """A build beside its parts, and beside the way by hand. Leaves the bundle."""
    sides: dict[str, Callable[[], Usage]] = {
        "curl": lambda: rivals.curl(served, place),
        "openssl": lambda: rivals.openssl(payload),
        "dd": lambda: rivals.dd(payload, place, sync=False),
        "dd with fsync": lambda: rivals.dd(payload, place, sync=True),
        "by hand": lambda: rivals.by_hand(served, place),
        "build": tool.build,
    }
    rounds = [{name: _settled(side) for name, side in sides.items()} for _ in range(ROUNDS)]
    best = {name: min(one[name].seconds for one in rounds) for name in sides}
    builds = [one["build"] for one in rounds]
    total = payload.bytes
    wchar = max(one.wchar for one in builds)
    seconds = ", ".join(f"{name} {value:.2f} s" for name, value in best.items())
    part = max(("curl", "openssl", "dd"), key=best.__getitem__)
    yield Row("bytes written by a build / payload", wchar / total, "at most", 1.02)
    detail = f"it counts {json.loads(builds[-1].output)['bytes_fetched'] / total:.4f} itself"
    crossed = min(one.loopback for one in builds)
    yield Row("bytes over the loopback while it built / payload", crossed / total, "at most", 1.01, detail=detail)
    yield Row("peak memory of a build", max(one.peak for one in builds) / 1e6, "at most", 150, " MB")
    yield Row(f"build / the slowest part, {part}", best["build"] / best[part], "at most", 1.25, detail=seconds)
    yield Row("build / dd with fsync", best["build"] / best["dd with fsync"])
    yield Row("by hand / build, time", best["by hand"] / best["build"], "at least", 4)
    yield Row("build / by hand, bytes written", wchar / min(one["by hand"].wchar for one in rounds), "at most", 0.5)


def verifying(tool: Tool, payload: Payload, place: Path) -> Iterator[Row]:
    """Verify beside hashlib on two cores and ``sha256sum -c``, all from the page cache."""
    os.sync()
    rounds = [(tool.verify(tool.bundle).seconds, *rivals.two_cores_of_hashlib(payload.bytes)) for _ in range(3)]
    verify, memory, cache = (median(side) for side in zip(*rounds, strict=True))
    unpacked = place / "unpacked"
    unpacked.mkdir()
    run("tar", "-xf", tool.bundle, "-C", unpacked)
    os.sync()
    sums = run("sha256sum", "-c", "--quiet", "--strict", "SHA256SUMS", cwd=unpacked / TOP).seconds
    folder = tool.verify(unpacked / TOP).seconds
    shutil.rmtree(unpacked)
    detail = f"verify {verify:.2f} s (of the folder {folder:.2f} s), hashlib {memory:.2f} s, sha256sum -c {sums:.2f} s"
    yield Row("hashlib on two cores / verify, time", memory / verify, "at least", 0.8, detail=detail)
    yield Row("the same, of one block in the cache", cache / verify)
    yield Row("sha256sum -c / verify, time", sums / verify, "at least", 5)


def starting(tool: Tool) -> Iterator[Row]:
    """``--help``."""
    yield Row("llm-bundle --help", median(tool.help().seconds for _ in range(7)), "at most", 0.25, " s")


def unpacking(tool: Tool, payload: Payload, disk: Path) -> Iterator[Row]:
    """Unpack on ``disk``, an XFS, where blocks can be shared, beside tar and sha256sum there."""
    bundle = Path(shutil.copy(tool.bundle, disk))
    before = _taken(disk)
    unpack = tool.unpack(bundle, disk)
    taken = _taken(disk) - before
    shutil.rmtree(disk / TOP)
    hand = script(f"tar -xf {bundle.name}\ncd {TOP}\nsha256sum -c --quiet --strict SHA256SUMS", cwd=disk)
    detail = f"unpack {unpack.seconds:.2f} s, tar and sha256sum -c {hand.seconds:.2f} s"
    yield Row("unpack on XFS: new blocks / payload", max(0, taken) / payload.bytes, "at most", 0.01, detail=detail)
    yield Row("tar and sha256sum -c / unpack on XFS, time", hand.seconds / unpack.seconds)


def releasing_on_xfs(tool: Tool, payload: Payload, disk: Path) -> Iterator[Row]:
    """Add the bundle as a release on ``disk``, an XFS where it lies itself, beside tar and sha256sum there."""
    bundle = Path(shutil.copy(tool.bundle, disk))
    before = _taken(disk)
    added = tool.release(bundle, disk / "site")
    taken = _taken(disk) - before
    shutil.rmtree(disk / "site")
    hand = script(f"tar -xf {bundle.name}\ncd {TOP}\nsha256sum -c --quiet --strict SHA256SUMS", cwd=disk)
    detail = f"release {added.seconds:.2f} s, tar and sha256sum -c {hand.seconds:.2f} s"
    yield Row("release on XFS: new blocks / payload", max(0, taken) / payload.bytes, "at most", 0.01, detail=detail)
    yield Row("tar and sha256sum -c / release on XFS, time", hand.seconds / added.seconds)


def releasing_on_ext4(tool: Tool, payload: Payload, disk: Path) -> Iterator[Row]:
    """Add the bundle as a release on ``disk``, an ext4; then once more, as an upgrade that has the same weights."""
    first = tool.release(tool.bundle, disk / "site")
    taken = _taken(disk)
    folder = Path(first.output.strip())
    folder.rename(folder.with_name(folder.name[:-12] + "0" * 12))
    again = tool.release(tool.bundle, disk / "site")
    detail = f"{first.seconds:.2f} s; with the same data there already {again.seconds:.2f} s"
    yield Row("release on ext4: bytes written / payload", first.wchar / payload.bytes, "at most", 1.02, detail=detail)
    yield Row("the same data again: bytes written / payload", again.wchar / payload.bytes, "at most", 0.01)
    yield Row("the same data again: new blocks / payload", (_taken(disk) - taken) / payload.bytes, "at most", 0.01)


def installing_on_docker(tool: Tool, disk: Path, socket: Path) -> Iterator[Row]:
    """From the bundle to a release on ``disk`` and its images in Docker, beside the way by hand."""
    docker = Docker(socket)
    ours = _settled(lambda: tool.release(tool.bundle, disk / "site", socket))
    folder = Path(ours.output.strip())
    manifest = decode((folder / "manifest.json").read_bytes())
    images = [read_image(folder / "images", image.name, image.digest) for image in manifest.images]
    for image in images:
        docker.remove_image(image.tag)
    shutil.rmtree(disk / "site")
    loads = "\n".join(
        f"skopeo --insecure-policy copy -q oci:images:{image.name} docker-archive:image.tar:bench:{number}\n"
        f"docker -H unix://{socket} load -q -i image.tar\nrm image.tar"
        for number, image in enumerate(images)
    )
    check = f"tar -xf {tool.bundle}\ncd {TOP}\nsha256sum -c --quiet --strict SHA256SUMS"
    hand = _settled(lambda: script(f"{check}\n{loads}", cwd=disk))
    detail = f"release and images {ours.seconds:.2f} s, tar, sha256sum -c and docker load {hand.seconds:.2f} s"
    yield Row("tar, sha256sum -c, docker load / release and images, time", hand.seconds / ours.seconds, detail=detail)
    yield Row("the same, bytes written by the client", hand.wchar / ours.wchar)


def _settled(side: Callable[[], Usage]) -> Usage:
    """What ``side`` takes when it need not wait for what the one before left to be written."""
    os.sync()
    return side()


def _taken(disk: Path) -> int:
    """Bytes in use on a file system, with all that is delayed written out."""
    run("sync", "-f", disk)
    return shutil.disk_usage(disk).used
