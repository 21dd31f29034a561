"""The servers of a run: Nginx for the bytes that a hub leaves to its storage, the hub itself, and a registry.

The registry is Debian's docker-registry, or Nginx with the same answers as files (``--registry nginx``), which shows
how much of a figure is the registry's own.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.measure import run
from bench.payload import IMAGE, MODEL, Payload
from tests.counterparts.hub import Hub
from tests.counterparts.need import need
from tests.counterparts.port import free_port
from tests.counterparts.registry import RegistryServer

_CONFIG = """\
{user}worker_processes 2;
daemon off;
pid {place}/pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  client_body_temp_path {place}/t1; proxy_temp_path {place}/t2; fastcgi_temp_path {place}/t3;
  uwsgi_temp_path {place}/t4; scgi_temp_path {place}/t5;
  default_type application/octet-stream;
  server {{
    listen 127.0.0.1:{port};
    root {place}/www;
    location = /v2/ {{ return 200 "{{}}"; }}
    location ~ /manifests/ {{ default_type application/vnd.oci.image.manifest.v1+json; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Served:
    """``image`` as bundle.yml names it, ``endpoint`` of the hub, ``urls`` of all that a build fetches."""

    image: str
    endpoint: str
    urls: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of those who fetch: no proxies, no token of this user, no Xet, which has no storage here."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {**kept, "HF_ENDPOINT": self.endpoint, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}


@contextmanager
def serving(place: Path, payload: Payload, registry: str) -> Iterator[Served]:
    """Serve ``payload``; the servers keep their files below ``place``."""
    with ExitStack() as stack:
        address = stack.enter_context(_nginx(place / "nginx", payload))
        hub = stack.enter_context(Hub())
        hub.storage = f"http://{address}"
        commit = hub.add(MODEL, {path.name: path for path in payload.model.iterdir()})
        host = address
        if registry == "docker-registry":
            host = stack.enter_context(RegistryServer(place / "registry")).host
            image = f"docker://{host}/{IMAGE}"
            source = f"oci:{payload.layout}:bench"
            run("skopeo", "--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false", source, image)
        repository = IMAGE.partition(":")[0]
        urls = [
            f"http://{host}/v2/{repository}/blobs/sha256:{path.name}"
            if path.parent != payload.model
            else f"{hub.endpoint}/{MODEL}/resolve/{commit}/{path.name}"
            for path in payload.files
        ]
        yield Served(f"{host}/{IMAGE}", hub.endpoint, tuple(urls))


@contextmanager
def _nginx(place: Path, payload: Payload) -> Iterator[str]:
    """Nginx in front of links to the payload's files; its host:port."""
    repository, tag = IMAGE.split(":")
    image = place / "www" / "v2" / repository
    for folder in (image / "blobs", image / "manifests", place / "www" / "bridge"):
        folder.mkdir(parents=True)
    for path in (payload.layout / "blobs" / "sha256").iterdir():
        (image / "blobs" / f"sha256:{path.name}").symlink_to(path)
    for name in (tag, payload.manifest):
        (image / "manifests" / name).symlink_to(payload.layout / "blobs" / "sha256" / payload.manifest[7:])
    for path in payload.model.iterdir():
        (place / "www" / "bridge" / _sha256(path)).symlink_to(path)
    port = free_port()
    config = place / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""  # the payload may lie where nobody may look
    config.write_text(_CONFIG.format(user=user, place=place, port=port))
    process = subprocess.Popen([need("nginx", "nginx-light"), "-p", str(place), "-c", str(config)])
    try:
        await_port(port, process)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _sha256(path: Path) -> str:
    return run("openssl", "dgst", "-sha256", "-r", path).output.split()[0]


def await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until somebody listens. Raises: SystemExit when ``process`` ended, or after five seconds."""
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise SystemExit("bench: nginx did not start")
