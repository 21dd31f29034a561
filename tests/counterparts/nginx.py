"""Debian's nginx on a free port of the loopback, as a proxy in front of a model's server."""

from __future__ import annotations

import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.counterparts.certificates import Certificate
from tests.counterparts.need import need
from tests.counterparts.port import free_port

_CONFIG = """\
daemon off;
master_process off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log combined;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port}{ssl};
    {certificate}
    client_max_body_size {max_body};
    proxy_http_version {version};
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    proxy_buffering {buffering};
    proxy_read_timeout {read_timeout};
    proxy_connect_timeout 2s;
    location = /v1/chat/completions {{ {token} proxy_pass http://{upstream}; }}
    location = /v1/models {{ {token} proxy_pass http://{upstream}; }}
    location / {{ return 404; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Proxy:
    """What a proxy is set to; sound as it stands. An empty ``token`` leaves the check to the server behind.

    ``adds`` is a token that the proxy sends on whatever the client sent.
    """

    token: str = ""
    adds: str = ""
    tls: Certificate | None = None
    buffering: bool = False
    max_body: str = "16m"
    read_timeout: str = "60s"


class Nginx:
    """A running nginx: ``url`` is its address by ``name``. A context manager."""

    def __init__(self, folder: Path, upstream: str, proxy: Proxy, *, name: str = "localhost") -> None:
        self._program = need("nginx", "nginx-light")
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"{'https' if proxy.tls else 'http'}://{name}:{self.port}"
        self._config = folder / "nginx.conf"
        self._config.write_text(self._text(upstream, proxy))

    def __enter__(self) -> Nginx:
        command = [
            self._program,
            "-p",
            str(self._folder),
            "-c",
            str(self._config),
            "-e",
            str(self._folder / "error.log"),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            if self._process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.02)
        self.__exit__()
        raise AssertionError(f"nginx did not start:\n{(self._folder / 'error.log').read_text()}")

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)

    def log(self) -> str:
        """The access log."""
        return (self._folder / "access.log").read_text()

    def _text(self, upstream: str, proxy: Proxy) -> str:
        tls, check = "", ""
        if proxy.tls:
            tls = f"ssl_certificate {proxy.tls.certificate}; ssl_certificate_key {proxy.tls.key};"
        if proxy.token:
            check = f'if ($http_authorization != "Bearer {proxy.token}") {{ return 401; }}'
        if proxy.adds:
            check += f' proxy_set_header Authorization "Bearer {proxy.adds}"; proxy_set_header Connection "";'
        return _CONFIG.format(
            folder=self._folder,
            port=self.port,
            ssl=" ssl" if proxy.tls else "",
            certificate=tls,
            max_body=proxy.max_body,
            buffering="on" if proxy.buffering else "off",
            # With 1.1 a chunked stream passes even a buffering nginx at once; 1.0 is what nginx does by default.
            version="1.0" if proxy.buffering else "1.1",
            read_timeout=proxy.read_timeout,
            token=check,
            upstream=upstream,
        )
