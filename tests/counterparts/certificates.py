"""A private CA and certificates of it, made with openssl for one test run."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.counterparts.need import need


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server's certificate and key, and the CA that signed it: PEM files."""

    certificate: Path
    key: Path
    ca: Path

    def context(self) -> ssl.SSLContext:
        """For a server of Python's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


class Authority:
    """A CA whose own certificate is ``ca``."""

    def __init__(self, folder: Path) -> None:
        self._openssl = need("openssl", "openssl")
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.ca, self._key = folder / "ca.pem", folder / "ca.key"
        subject = ["-subj", "/CN=llm-bundle test authority", "-days", "2"]
        self._run("req", "-x509", *_NEW_KEY, "-keyout", self._key, "-out", self.ca, *subject)

    def server(self, *names: str, days: int = 2) -> Certificate:
        """A certificate for ``names``, host names or IP addresses; below 0 ``days`` it has expired."""
        made = Certificate(self._folder / f"{names[0]}.pem", self._folder / f"{names[0]}.key", self.ca)
        request, extensions = self._folder / "request.pem", self._folder / "extensions"
        self._run("req", *_NEW_KEY, "-keyout", made.key, "-out", request, "-subj", f"/CN={names[0]}")
        kinds = [f"{'IP' if name[0].isdigit() else 'DNS'}:{name}" for name in names]
        extensions.write_text(f"subjectAltName={','.join(kinds)}\n")
        signer: list[str | Path] = ["-CA", self.ca, "-CAkey", self._key, "-CAcreateserial", "-days", str(days)]
        self._run("x509", "-req", "-in", request, *signer, "-extfile", extensions, "-out", made.certificate)
        return made

    def _run(self, *arguments: str | Path) -> None:
        subprocess.run([self._openssl, *arguments], check=True, capture_output=True, timeout=60)


_NEW_KEY = ("-newkey", "rsa:2048", "-nodes", "-sha256")
