"""A real image of Nginx: this machine's own program with its libraries, tagged as the official image is."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from tests.counterparts.images import Image, Layer, make_image, make_layer
from tests.counterparts.need import need

_SAYS = {"Entrypoint": ["/docker-entrypoint.sh"], "Cmd": ["nginx", "-g", "daemon off;"], "Env": ["PATH=/usr/sbin"]}
# Nginx asks who root and nobody are where it runs as root.
_USERS = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"
_GROUPS = b"root:x:0:\nnogroup:x:65534:\n"


@cache
def proxy_image(*, extra: bytes = b"") -> Image:
    """The image; ``nginx`` is in its PATH, and nothing else is. ``extra`` makes it another one."""
    return make_image([_nginx(), make_layer({"etc/extra": extra})], says=_SAYS)


@cache
def _nginx() -> Layer:
    binary = Path(need("nginx", "nginx")).resolve()
    listed = subprocess.run(["ldd", str(binary)], check=True, capture_output=True, text=True).stdout
    libraries = [Path(word) for word in listed.split() if word.startswith("/")]
    files = {"usr/sbin/nginx": binary.read_bytes(), "etc/nginx/nginx.conf": b"events {}\n"}
    files |= {str(path).lstrip("/"): path.resolve().read_bytes() for path in libraries}
    return make_layer({**files, "etc/passwd": _USERS, "etc/group": _GROUPS})


def proxy_tag() -> str:
    """``nginx:1.22.1``: the version of this machine's program, as the official image would have it."""
    said = subprocess.run([need("nginx", "nginx"), "-v"], check=True, capture_output=True, text=True).stderr
    return f"nginx:{said.strip().rpartition('/')[2].split()[0]}"
