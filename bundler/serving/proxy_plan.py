"""What the proxy is to be: ``config/proxy.json`` of a bundle that has one. Made from the lock, read as hostile input.

Rules: it holds no secret, and nothing that only the site knows (addresses, ports, who may watch). An image stands
there exactly where the proxy runs in a container.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, Literal

from bundler.digest import Digest
from bundler.errors import IntegrityError
from bundler.jsonrow import Row, parse
from bundler.serving.nginx.config import NAME

FORMAT: Final = "llm-bundle-proxy/1"
PATH: Final = "config/proxy.json"
MAX_BYTES: Final = 64 << 10

ProxyRun = Literal["container", "host"]


@dataclass(frozen=True, slots=True)
class ProxyPlan:
    """The Nginx in front: from the bundle's image (``run`` container) or that of the host.

    ``image`` and ``digest`` are name and manifest digest of the image in the bundle, None for the host's own.
    """

    server_name: str
    run: ProxyRun
    image: str | None = None
    digest: Digest | None = None

    def encode(self) -> bytes:
        """The bytes of config/proxy.json: sorted keys, two spaces, a line feed at the end."""
        document = {
            "format": FORMAT,
            "server_name": self.server_name,
            "run": self.run,
            "image": self.image,
            "digest": str(self.digest) if self.digest else None,
        }
        return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def decode(data: bytes, *, where: str = PATH) -> ProxyPlan:
    """Read a proxy.json. Raises: IntegrityError, with the place, for anything that is not one."""
    if len(data) > MAX_BYTES:
        raise IntegrityError(f"{where}: larger than {MAX_BYTES:,} bytes")
    row = parse(data, where, IntegrityError)
    if row.text("format") != FORMAT:
        hint = "This bundle was made by another llm-bundle; use the tool that lies in the bundle."
        raise IntegrityError(f'{where}: format: expected "{FORMAT}", found "{row.text("format")[:40]}"', hint=hint)
    name = row.text("server_name", 253)
    if not NAME.fullmatch(name):
        raise row.wrong("server_name", "a host name or an IPv4 address")
    if row.text("run") == "host":
        _require_none(row)
        return ProxyPlan(name, "host")
    if row.text("run") != "container":
        raise row.wrong("run", "container or host")
    return ProxyPlan(name, "container", _image(row), row.digest("digest"))


def _require_none(row: Row) -> None:
    for key in ("image", "digest"):
        if row.value.get(key) is not None:
            raise row.wrong(key, "nothing where the host's own Nginx runs")


def _image(row: Row) -> str:
    image = row.text("image", 1024)
    if not image.isprintable():
        raise row.wrong("image", "a text of one line without control characters")
    return image
