"""A real image of Nginx: this machine's own program with its libraries, tagged as the official image is."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from tests.counterparts.images import Image, make_image, make_layer
from tests.counterparts.need import need


@cache
def proxy_image() -> Image:
    """The image; ``nginx`` is in its PATH, and nothing else is."""
    binary = Path(need("nginx", "nginx")).resolve()
    listed = subprocess.run(["ldd", str(binary)], check=True, capture_output=True, text=True).stdout
    libraries = [Path(word) for word in listed.split() if word.startswith("/")]
    files = {"usr/sbin/nginx": binary.read_bytes(), "etc/nginx/nginx.conf": b"events {}\n"}
    files |= {str(path).lstrip("/"): path.resolve().read_bytes() for path in libraries}
    says = {"Entrypoint": ["/docker-entrypoint.sh"], "Cmd": ["nginx", "-g", "daemon off;"], "Env": ["PATH=/usr/sbin"]}
    return make_image([make_layer(files)], says=says)


def proxy_tag() -> str:
    """``nginx:1.22.1``: the version of this machine's program, as the official image would have it."""
    said = subprocess.run([need("nginx", "nginx"), "-v"], check=True, capture_output=True, text=True).stderr
    return f"nginx:{said.strip().rpartition('/')[2].split()[0]}"
