"""A token server as registries use it, with openssl signing: GET with or without basic, POST with OAuth2.

Protocol: https://distribution.github.io/distribution/spec/auth/jwt/.
"""

from __future__ import annotations

import json
import subprocess
import time
from base64 import b64decode, b64encode, urlsafe_b64encode
from pathlib import Path
from urllib.parse import parse_qs

from tests.counterparts.certificates import Authority
from tests.counterparts.faulty import FaultyServer, Route, Seen
from tests.counterparts.need import need

USER, PASSWORD, IDENTITY = "puller", "battery-staple", "identity-7b1d"


class TokenServer:
    """Answers at ``url``/token. ``anonymous`` are the repositories that are open to everybody."""

    service, issuer = "registry.test", "tokens.test"

    def __init__(
        self, folder: Path, *, host: str = "127.0.0.1", anonymous: tuple[str, ...] = (), lifetime: int = 300
    ) -> None:
        made = Authority(folder).server("token-signer")
        self.certificate, self._key = folder / "ca.pem", made.key
        self._der = _body_of(made.certificate)
        self.anonymous = anonymous
        self.lifetime = lifetime
        self.server = FaultyServer(host)
        self.server.routes["/token"] = self._answer
        self.url, self.host = self.server.url, self.server.host

    def token(self, repository: str, *actions: str) -> str:
        """A signed token for ``repository``."""
        now = int(time.time())
        head = {"typ": "JWT", "alg": "RS256", "x5c": [self._der]}
        claims = {
            "iss": self.issuer,
            "sub": "",
            "aud": self.service,
            "exp": now + self.lifetime,
            "nbf": now - 120,
            "iat": now,
            "jti": f"{now}",
            "access": [{"type": "repository", "name": repository, "actions": list(actions)}],
        }
        signed = f"{_packed(json.dumps(head).encode())}.{_packed(json.dumps(claims).encode())}"
        return f"{signed}.{_packed(self._signature(signed.encode()))}"

    def stop(self) -> None:
        """Stop listening."""
        self.server.stop()

    def _answer(self, seen: Seen) -> Route:
        form = parse_qs(seen.body.decode() if seen.method == "POST" else seen.query)
        repository = form["scope"][0].split(":")[1]
        authorization = seen.headers.get("Authorization")
        if seen.method == "POST":
            known = form["refresh_token"] == [IDENTITY]
        elif authorization:
            known = b64decode(authorization.removeprefix("Basic ")) == f"{USER}:{PASSWORD}".encode()
        else:
            known = repository in self.anonymous
        if not known or form["service"] != [self.service]:
            return Route(b'{"errors": [{"code": "UNAUTHORIZED"}]}', 401)
        return Route(json.dumps({"token": self.token(repository, "pull")}).encode())

    def _signature(self, data: bytes) -> bytes:
        command = [need("openssl", "openssl"), "dgst", "-sha256", "-sign", str(self._key)]
        return subprocess.run(command, input=data, check=True, capture_output=True, timeout=30).stdout


def _packed(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _body_of(pem: Path) -> str:
    lines = pem.read_text().split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0].split()
    return b64encode(b64decode("".join(lines))).decode()
