"""``python -m bench``: make the payload, start the servers, measure, print the table; 1 when a target was missed."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench import figures, pipelines, proxy
from bench.payload import IMAGE_BYTES, MODEL_BYTES, Payload, make_payload
from bench.servers import serving
from bench.table import Row, lines
from bench.tool import Tool
from tests.counterparts.docker import docker_engine
from tests.counterparts.mounts import mounted
from tests.counterparts.need import need

_PROGRAMS = {
    "bundle": {
        "nginx": "nginx-light",
        "docker-registry": "docker-registry",
        "skopeo": "skopeo",
        "curl": "curl",
        "dockerd": "docker.io",
    },
    "proxy": {"nginx": "nginx-light", "wrk": "wrk", "openssl": "openssl", "taskset": "util-linux"},
    "pipelines": {},
}


def main() -> int:
    """Run the benchmark."""
    options = _options()
    place = (options.place / "llm-bundle-bench").resolve()  # a name that nobody else's folder has, for it is removed
    shutil.rmtree(place, ignore_errors=True)
    parts: list[str] = [options.only] if options.only else list(_PROGRAMS)
    rows: list[Row] = []
    try:
        for program, package in (pair for part in parts for pair in _PROGRAMS[part].items()):
            need(program, package)
        if "bundle" in parts:
            _say(f"making a payload of {(IMAGE_BYTES + MODEL_BYTES) * options.scale / 1e9:.1f} GB")
            payload = make_payload(place / "payload", options.scale)
            rows += _measured(place, payload, options.registry)
        if "proxy" in parts:
            _say(f"loading the proxy; it is asked to keep silent for {options.silence} s meanwhile")
            rows += proxy.measured(place / "proxy", options.silence)
        if "pipelines" in parts:
            _say("running the package's pipelines on Elasticsearch, beside a bare one")
            rows += pipelines.measured()
    except pytest.skip.Exception as missing:
        sys.exit(f"bench: {missing}")
    finally:
        if not options.keep:
            shutil.rmtree(place, ignore_errors=True)
    title = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    if "bundle" in parts:
        title += f", payload {payload_text(options.scale)}, image from {options.registry}"
    print("\n".join([title, *lines(rows)]))
    return 0 if all(row.good for row in rows) else 1


def payload_text(scale: float) -> str:
    """What was bundled, in a few words."""
    return f"{IMAGE_BYTES * scale / 1e9:g} GB of image + {MODEL_BYTES * scale / 1e9:g} GB of model"


def _measured(place: Path, payload: Payload, registry: str) -> Iterator[Row]:
    with serving(place / "servers", payload, registry) as served:
        tool = Tool(place, served)
        tool.lock()
        _say("building, and what else there is, in turns")
        yield from figures.building(tool, payload, served, place)
        _say("verifying")
        yield from figures.verifying(tool, payload, place)
        yield from figures.starting(tool)
        yield from _on(place, "xfs", payload, lambda disk: figures.unpacking(tool, payload, disk))
        yield from _on(place, "xfs", payload, lambda disk: figures.releasing_on_xfs(tool, payload, disk))
        yield from _on(place, "ext4", payload, lambda disk: figures.releasing_on_ext4(tool, payload, disk))
        _say("installing into Docker")
        folder = place / "docker"
        folder.mkdir()
        with docker_engine(folder) as socket:
            yield from figures.installing_on_docker(tool, folder, socket)


def _on(place: Path, kind: str, payload: Payload, figure: Callable[[Path], Iterator[Row]]) -> Iterator[Row]:
    """The figures of a file system of its own, removed afterwards."""
    _say(f"unpacking on {kind}")
    folder = place / kind
    try:
        with mounted(kind, folder, size=3 * payload.bytes + (1 << 29)) as disk:
            yield from figure(disk)
    except pytest.skip.Exception as reason:
        _say(f"NOT MEASURED, unpacking on {kind}: {reason}")
    folder.with_suffix(".img").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=main.__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the payload; 0.1 for a quick try")
    parser.add_argument("--registry", choices=["docker-registry", "nginx"], default="docker-registry")
    parser.add_argument("--only", choices=list(_PROGRAMS), help="one part of the figures")
    parser.add_argument("--silence", type=int, default=300, help="of an engine behind the proxy, in seconds")
    parser.add_argument("--place", type=Path, default=Path("build/bench"), help="where its folder is made")
    parser.add_argument("--keep", action="store_true", help="leave the folder afterwards")
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
