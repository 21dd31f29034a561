"""Debian's docker-registry on a free port of the loopback, with what a test needs of logins and TLS."""

from __future__ import annotations

import re
import subprocess
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import requests

from tests.counterparts.certificates import Certificate
from tests.counterparts.need import need
from tests.counterparts.token_server import TokenServer

USER, PASSWORD = "reader", "correct-horse"
_HTPASSWD = "reader:$2y$05$NSGCRcwV2dUJSep8VeDoQuW5E/0iWKhJJ/mKj7MPXbnGyw6Hiv7o.\n"

_CONFIG = """\
version: 0.1
log: {{accesslog: {{disabled: true}}, level: info}}
storage:
  filesystem: {{rootdirectory: {root}}}
  delete: {{enabled: true}}
http:
  addr: 127.0.0.1:0
  relativeurls: true
"""


class RegistryServer:
    """A running registry: ``host`` is host:port. With ``basic`` it wants USER and PASSWORD, with ``tokens`` a
    token of that server. Usable as a context manager.
    """

    def __init__(
        self,
        folder: Path,
        *,
        basic: bool = False,
        tokens: TokenServer | None = None,
        tls: Certificate | None = None,
        name: str = "127.0.0.1",
    ) -> None:
        self.tokens = tokens
        self.ca = tls.ca if tls else None
        self._basic = basic
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "config.yml"
        config.write_text(_CONFIG.format(root=folder / "storage") + _security(folder, basic, tokens, tls))
        program = need("docker-registry", "docker-registry")
        self._log = (folder / "log").open("w+b")
        self._process = subprocess.Popen(
            [program, "serve", str(config)], stdout=self._log, stderr=subprocess.STDOUT, env=_ENVIRONMENT
        )
        self.host = f"{name}:{self._port(folder / 'log')}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"

    def session(self, repository: str) -> requests.Session:
        """A session that may push to ``repository``."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.ca) if self.ca else True
        session.headers.update(self._authorization(repository))
        return session

    def stop(self) -> None:
        """End the registry."""
        self._process.terminate()
        self._process.wait(10)
        self._log.close()

    def __enter__(self) -> RegistryServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _authorization(self, repository: str) -> Mapping[str, str]:
        if self._basic:
            return {"Authorization": "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
        if self.tokens:
            return {"Authorization": "Bearer " + self.tokens.token(repository, "pull", "push")}
        return {}

    def _port(self, log: Path) -> int:
        """The log names the port that the system chose."""
        for _ in range(200):
            text = log.read_text()
            found = re.search(r"listening on 127\.0\.0\.1:(\d+)", text)
            if found:
                return int(found[1])
            try:
                self._process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            break
        self.stop()
        raise AssertionError(f"docker-registry did not start:\n{log.read_text()}")


_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "OTEL_TRACES_EXPORTER": "none"}


def _security(folder: Path, basic: bool, tokens: TokenServer | None, tls: Certificate | None) -> str:
    text = ""
    if tls:
        text += f"  tls: {{certificate: {tls.certificate}, key: {tls.key}}}\n"
    if basic:
        (folder / "htpasswd").write_text(_HTPASSWD)
        text += f"auth:\n  htpasswd: {{realm: tests, path: {folder / 'htpasswd'}}}\n"
    if tokens:
        text += (
            f"auth:\n  token: {{realm: {tokens.url}/token, service: {tokens.service}, "
            f"issuer: {tokens.issuer}, rootcertbundle: {tokens.certificate}}}\n"
        )
    return text
