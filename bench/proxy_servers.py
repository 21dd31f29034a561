"""The servers of the proxy's figures: an engine that answers at once, a bare ``proxy_pass``, and ours as rendered.

The engine is an Nginx that returns one fixed chat completion, faster than any proxy can ask. The bare proxy is the
same program with the same certificate, protocols, session cache, workers, room for a body in memory and keep-alive to
the engine. It writes the same two logs with the same fields, at once many lines as ours does, but as Nginx has them:
it masks nothing and knows no token. It checks nothing, limits nothing and answers no error of its own. The plain proxy
is what two lines of ``proxy_pass`` with keep-alive give, all else as Nginx is when nobody says otherwise.

Proxies run on the last core and everything else on the others, so that what is compared is how many requests a core of
proxy is good for. Our configuration stays as it is rendered: only the limits are set where no load meets them.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.servers import await_port
from bundler.serving.nginx.config import Limits
from bundler.serving.nginx.tokens import ProxyToken
from tests.counterparts.certificates import Certificate
from tests.counterparts.port import free_port
from tests.serving.nginx.running import TOKENS, Running, make_config, program

NAME = "localhost"
_ANSWER = (
    '{"id":"chatcmpl-1","object":"chat.completion","created":1763000000,"model":"m","choices":[{"index":0,"message":'
    f'{{"role":"assistant","content":"{"word " * 100}"}},"finish_reason":"stop"}}],'
    '"usage":{"prompt_tokens":400,"completion_tokens":100,"total_tokens":500}}'
)
_MAIN = """\
{user}worker_processes {workers};
daemon off;
pid {place}/pid;
error_log {place}/error.log;
events {{ worker_connections 1024; }}
http {{
  client_body_temp_path {place}/t1; proxy_temp_path {place}/t2; fastcgi_temp_path {place}/t3;
  uwsgi_temp_path {place}/t4; scgi_temp_path {place}/t5;
  {http}
}}
"""
_ENGINE = """\
access_log off;
  server {{
    listen 127.0.0.1:{port};
    location / {{ default_type application/json; return 200 '{answer}'; }}
  }}"""
_FIELDS = (
    '"time":"$time_iso8601","epoch":$msec,"request_id":"$request_id","remote_addr":"$remote_addr","token":"$remote_user",'
    '"method":"$request_method","path":"$uri","protocol":"$server_protocol","status":$status,'
    '"request_bytes":$request_length,"bytes":$body_bytes_sent,"duration":$request_time,"complete":"$request_completion",'
    '"upstream":"$upstream_addr","upstream_status":"$upstream_status","upstream_connect_time":"$upstream_connect_time",'
    '"upstream_header_time":"$upstream_header_time","upstream_response_time":"$upstream_response_time",'
    '"tls_version":"$ssl_protocol","tls_cipher":"$ssl_cipher","user_agent":"$http_user_agent","connection":$connection'
)
_AS_OURS = """\
log_format fields escape=json '{{{fields}}}';
  access_log {place}/access.log combined buffer=64k flush=100ms;
  access_log {place}/access.json.log fields buffer=64k flush=100ms;
  client_body_buffer_size 256k;
  client_max_body_size 32m;
"""
_BARE = """\
{more}
  upstream engine {{ server {engine}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {certificate.certificate};
    ssl_certificate_key {certificate.key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:tls:10m;
    location / {{
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass http://engine;
    }}
  }}"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running Nginx: its address, and the process id of its master."""

    base: str
    pid: int

    @property
    def cpu(self) -> float:
        """Seconds of processor time that its processes took so far."""
        return sum(_cpu(pid) for pid in _family(self.pid))


def cores() -> tuple[set[int], set[int]]:
    """Those for everybody else, and that of the proxies; the same where there is only one."""
    found = sorted(os.sched_getaffinity(0))
    return set(found[:-1] or found), {found[-1]}


@contextmanager
def engine(place: Path) -> Iterator[Server]:
    """The engine."""
    port = free_port()
    text = _ENGINE.format(port=port, answer=_ANSWER)
    with _nginx(place, text, port, workers="1") as pid:
        yield _pinned(Server(f"http://127.0.0.1:{port}", pid), cores()[0])


@contextmanager
def bare(place: Path, behind: Server, certificate: Certificate, *, plain: bool = False) -> Iterator[Server]:
    """A bare ``proxy_pass``; with ``plain`` as Nginx is when nobody says otherwise, its one log included."""
    port = free_port()
    address = behind.base.removeprefix("http://")
    more = f"access_log {place}/access.log;" if plain else _AS_OURS.format(place=place, fields=_FIELDS)
    text = _BARE.format(more=more, port=port, engine=address, certificate=certificate)
    with _nginx(place, text, port, workers="4") as pid:
        yield _pinned(Server(f"https://{NAME}:{port}", pid), cores()[1])


@contextmanager
def ours(place: Path, address: str, certificate: Certificate, tokens: int = 0) -> Iterator[Server]:
    """Our configuration in front of ``address``, with ``tokens`` further tokens before the one that is used."""
    place.mkdir(parents=True)
    config = make_config(place, certificate, (address,), "debian")
    config = replace(config, server_name=NAME, limits=Limits(60000, 60000, 60000))
    others = [ProxyToken(f"{n:08x}", f"other-{n}", secrets.token_urlsafe(32)) for n in range(0x100, 0x100 + tokens)]
    with Running(place, config, "debian", [*others, *TOKENS]) as running:
        yield _pinned(Server(f"https://{NAME}:{config.https_port}", running.pid), cores()[1])


@contextmanager
def _nginx(place: Path, http: str, port: int, *, workers: str) -> Iterator[int]:
    place.mkdir(parents=True)
    config = place / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""
    config.write_text(_MAIN.format(place=place, workers=workers, http=http, user=user))
    process = subprocess.Popen([program("debian"), "-p", str(place), "-c", str(config)])
    try:
        await_port(port, process)
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


def _pinned(server: Server, to: set[int]) -> Server:
    # The master first: workers that it starts from now on run where it runs.
    os.sched_setaffinity(server.pid, to)
    for pid in _family(server.pid):
        os.sched_setaffinity(pid, to)
    return server


def _family(pid: int) -> list[int]:
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def _cpu(pid: int) -> float:
    # Unlike /proc/PID/stat it counts nanoseconds, not ticks.
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
