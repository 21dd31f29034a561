"""An installation beside a real Nginx of the host, which serves somebody else as well."""

from __future__ import annotations

import http.client
import socket
import ssl
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bundler.site.nginx.program import HostNginx
from bundler.site.parts.behind import Behind
from bundler.site.parts.host_nginx import HostNginxPart
from bundler.site.place import Place
from bundler.site.state import Settings
from tests.counterparts.certificates import Certificate
from tests.counterparts.engine import Engine
from tests.counterparts.host_nginx import Host

NAME = "llm.example.internal"
OLD, NEW = "mistral-1.0.0-0123456789ab", "mistral-1.1.0-ba9876543210"


class Said:
    """Keeps what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def begin(self, what: str, total: int | None) -> None:
        """Nothing."""

    def advance(self, count: int) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        self.lines.append(text)


@dataclass(slots=True)
class Site:
    """An installation beside the host's Nginx, with one token."""

    host: Host
    place: Place
    settings: Settings
    engine: Engine
    certificate: Certificate
    token: str

    def part(self, release: str = OLD, *, upstream: str = "") -> HostNginxPart:
        upstreams = (upstream or self.engine.address,)
        return HostNginxPart(
            self.place,
            release,
            Behind(NAME, "vllm", 8000),
            lambda: upstreams,
            self.settings,
            find=lambda: HostNginx(str(self.host.program), self.host.folder / "no-systemd"),
            rotation=self.host.rotation,
        )

    @property
    def file(self) -> Path:
        return self.host.conf_d / "llm-bundle.conf"

    def connect(self) -> http.client.HTTPSConnection:
        """To be closed by whoever asked for it."""
        context = ssl.create_default_context(cafile=str(self.certificate.ca))
        connection = http.client.HTTPSConnection(NAME, self.settings.https_port, timeout=20, context=context)
        raw = socket.create_connection(("127.0.0.1", self.settings.https_port), 20)
        try:
            connection.sock = context.wrap_socket(raw, server_hostname=NAME)
        except OSError:
            raw.close()
            raise
        return connection

    def serves(self) -> bool:
        """Whether the list of models comes, for the token, of the engine."""
        try:
            with closing(self.connect()) as connection:
                connection.request("GET", "/v1/models", headers={"Authorization": f"Bearer {self.token}"})
                return connection.getresponse().status == 200
        except OSError:
            return False

    def serves_the_other(self) -> bool:
        return plain(self.host.other) == b"somebody else"


def plain(port: int, host: str = "other.example") -> bytes:
    """What a port answers for a name, without TLS."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", "/", headers={"Host": host})
        return connection.getresponse().read()
