"""The rendered files: accepted by real nginx without a warning, the same for the same value, closed to odd values."""

from __future__ import annotations

import json
import secrets
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bundler.errors import MachineError, UsageError
from bundler.serving.nginx.config import Limits, ProxyConfig
from bundler.serving.nginx.render import MARK, render
from bundler.serving.nginx.tokens import ProxyToken, token_map, upstream_key
from bundler.serving.nginx.version import NginxVersion
from tests.counterparts.certificates import Authority, Certificate
from tests.counterparts.engine import Engine
from tests.counterparts.port import free_port
from tests.serving.nginx.requests import BEARER
from tests.serving.nginx.running import NAME, TOKEN, Running, make_config, program, version_of
from tests.serving.nginx.wire import connect, http1, read_reply

DEBIAN = NginxVersion(1, 22, 1)


@pytest.fixture
def config(tmp_path: Path, certificate: Certificate) -> ProxyConfig:
    return make_config(tmp_path, certificate, ("127.0.0.1:8000",), "debian")


LONG = ".".join(["a" * 60] * 4)
ACCEPTED: dict[str, dict[str, Any]] = {
    "as it is": {},
    "a long name": {"server_name": LONG},
    "a name of one part": {"server_name": "llm"},
    "upper case": {"server_name": "LLM.Example.INTERNAL"},
    "an address": {"server_name": "127.0.0.1"},
    "LM Studio": {"engine": "lmstudio"},
    "several engines": {"upstreams": ("127.0.0.1:1", "127.0.0.1:2", "[::1]:3")},
    "no key": {"upstream_key": None},
    "no plain http": {"http_port": None},
    "not the default": {"default_server": False},
    "monitors": {"monitors": ("192.0.2.7", "198.51.100.0/24", "2001:db8::/32", "::1", "192.0.2.7")},
    "no monitors": {"monitors": ()},
    "a port for monitors": {"monitor_port": 9464},
    "a port for monitors, no plain http": {"monitor_port": 9464, "monitor_address": "::1", "http_port": None},
    "two addresses": {"addresses": ("127.0.0.1", "127.0.0.2")},
    "limits": {"limits": Limits(1, 1, 1), "max_body": 1, "silence": 1},
}


@pytest.mark.parametrize("which", ["debian", "wheel"])
@pytest.mark.parametrize("name", ACCEPTED)
def test_nginx_takes_it_without_a_warning(tmp_path: Path, config: ProxyConfig, which: str, name: str) -> None:
    config = replace(config, status_page=which == "debian", **ACCEPTED[name])
    said = Running(tmp_path, config, which).test()
    assert "warn" not in said


def test_many_tokens(tmp_path: Path, config: ProxyConfig) -> None:
    tokens = [
        ProxyToken(f"{n:08x}", f"label-{n}", secrets.token_urlsafe(32), None if n % 2 else 1_999_999_999)
        for n in range(1000)
    ]
    assert "warn" not in Running(tmp_path, config, "debian", tokens).test()
    assert "warn" not in Running(tmp_path, config, "debian", []).test()


def test_beside_other_sites_of_a_host(tmp_path: Path, config: ProxyConfig) -> None:
    """As /etc/nginx/nginx.conf of Debian includes conf.d/*.conf, with another default server on the same port."""
    config = replace(config, form="host", default_server=False)
    running = Running(tmp_path, config, "debian")
    files = render(config, DEBIAN)
    assert sorted(files) == ["llm-bundle.conf", "llm-bundle.logrotate"]
    assert sorted(render(replace(config, form="container"), DEBIAN)) == ["llm-bundle.conf", "nginx.conf"]
    inside = render(replace(config, form="container", host_logs="/srv/logs"), DEBIAN)
    assert '"/srv/logs"/*.log {' in inside["llm-bundle.logrotate"]
    other = f"server {{ listen 127.0.0.1:{config.http_port} default_server; return 204; }}"
    http = "access_log off; ssl_protocols TLSv1.2; ssl_prefer_server_ciphers on; gzip on; types_hash_max_size 2048;"
    main = f"pid {tmp_path}/pid; events {{}} http {{ {http} {other} include {tmp_path}/llm-*.conf; }}"
    (tmp_path / "nginx.conf").write_text(main)
    assert "warn" not in running.test()


def test_the_same_value_gives_the_same_bytes(config: ProxyConfig) -> None:
    assert render(config, DEBIAN) == render(replace(config), NginxVersion.parse("nginx/1.22.1"))
    assert all(text.startswith(MARK) and text.endswith("\n") for text in render(config, DEBIAN).values())


def test_http2_by_version(config: ProxyConfig) -> None:
    old = render(config, NginxVersion.parse("1.25.0"))["llm-bundle.conf"]
    new = render(config, NginxVersion.parse("1.25.1"))["llm-bundle.conf"]
    assert " ssl http2;" in old and "http2 on;" not in old
    assert " ssl;" in new and "http2 on;" in new and " ssl http2" not in new


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("nginx version: nginx/1.22.1\n", "1.22.1"),
        ("nginx version: nginx/1.29.3 (Ubuntu)", "1.29.3"),
        ("nginx version: openresty/1.27.1.2\nnginx/1.27.1", "1.27.1"),
        ("1.29", "1.29.0"),
    ],
)
def test_versions(text: str, version: str) -> None:
    assert str(NginxVersion.parse(text)) == version


def test_versions_that_are_none_or_too_old() -> None:
    with pytest.raises(MachineError, match=r"expected a version as in nginx/1\.22\.1, found 'Apache"):
        NginxVersion.parse("Apache/2.4.57")
    with pytest.raises(MachineError, match=r"nginx 1\.18\.0 is older than 1\.20\.0") as caught:
        NginxVersion.parse("nginx version: nginx/1.18.0 (Ubuntu)")
    assert "run: container" in caught.value.hint
    assert version_of(program("debian")) >= NginxVersion(1, 22, 0)


REFUSED: dict[str, list[Any]] = {
    "server_name": ["", "a b", "a;", "a\n", "-a", "a..b", "a_b", "*.example", "~a", "$host", "a" * 64,
                    ".".join(["a"] * 140)],
    "upstreams": [(), ("127.0.0.1",), ("a:0",), ("a:65536",), ("a b:1",), ("unix:/x",), ("a:1;",),
                  ("http://a:1",), ("a:1\n",)],
    "certificate": ["relative.pem", "/a;b", "/a\nb", '/a"b', "/a$b", "/a*b", "/a\\b", "/a{b", ""],
    "tokens": ["tokens.conf", "/x/*.conf"],
    "upstream_key": ["", "/a'b"],
    "log_folder": ["logs", "/a\x00b"],
    "addresses": [(), ("localhost",), ("0.0.0.0:443",), ("1.2.3",), ("::1;",), ("fe80::1%a; } server {",)],
    "monitor_address": ["fe80::1%eth0", "localhost"],
    "monitors": [("all",), ("192.0.2.1/33",), ("192.0.2.1; allow all",), ("192.0.2.7/24",), ("",), ("fe80::1%a 1",)],
    "http_port": [0, 65536, -1],
    "public_port": [0, 70000],
    "max_body": [0, 70000],
    "limits": [Limits(0, 1, 1), Limits(1, 0, 1), Limits(1, 1, 0)],
    "reopen": ["a\nb", "a\x00"],
}  # fmt: skip


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in REFUSED.items() for value in values])
def test_odd_values_are_refused(config: ProxyConfig, field: str, value: object) -> None:
    with pytest.raises(UsageError, match=r"proxy: .*expected"):
        replace(config, **{field: value})  # type: ignore[arg-type]


def test_one_port_cannot_be_both(config: ProxyConfig) -> None:
    for port in (config.https_port, config.http_port):
        with pytest.raises(UsageError, match="monitor_port: expected another port"):
            replace(config, monitor_port=port)
    with pytest.raises(UsageError, match="http_port: expected another port"):
        replace(config, http_port=config.https_port)


@pytest.mark.parametrize("secret", ["", "short", "a" * 129, "a" * 20 + '"', "a" * 20 + "\n", "a" * 20 + "$x", "ä" * 20])
def test_secrets_that_cannot_be_written(secret: str) -> None:
    writes: list[Callable[[], str]] = [
        lambda: token_map([ProxyToken("00000000", "a", secret)]),
        lambda: upstream_key(secret),
    ]
    for write in writes:
        with pytest.raises(UsageError) as caught:
            write()
        assert len(secret) < 6 or secret not in caught.value.message


@pytest.mark.parametrize(
    "token", [("0000000", "a"), ("00000000", "A"), ("00000000", "a;"), ("0000000$", "a"), ("00000000", "")]
)
def test_labels_and_ids_that_cannot_be_written(token: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match="expected an id and a label"):
        token_map([ProxyToken(*token, "x" * 43)])


def test_a_representation_shows_no_secret() -> None:
    assert "hidden" not in repr(ProxyToken("00000000", "a", "hidden" * 4))


def test_tls(proxy: Running, certificate: Certificate) -> None:
    port = proxy.config.https_port
    for version, cipher in (("TLSv1.2", "ECDHE-RSA-CHACHA20-POLY1305"), ("TLSv1.3", None)):
        context = ssl.create_default_context(cafile=str(certificate.ca))
        context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version.replace(".", "_"))
        if cipher:
            context.set_ciphers(cipher)
        with connect(port, None, None) as raw, context.wrap_socket(raw, server_hostname=NAME) as line:
            assert line.version() == version
    for weak in (
        "-tls1",
        "-tls1_1",
        "-cipher AES128-SHA",
        "-cipher ECDHE-RSA-AES128-SHA256",
        "-cipher DHE-RSA-AES128-GCM-SHA256",
    ):
        options = [*weak.split(), *(["-tls1_2"] if "cipher" in weak else [])]
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", NAME, *options]
        command += [] if "-cipher" in weak else ["-cipher", "DEFAULT@SECLEVEL=0"]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False
        )
        assert "Cipher is (NONE)" in done.stdout, weak
    with connect(port, certificate, NAME) as line:
        line.sendall(f"GET /v1/models HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        reply = read_reply(line)
    assert reply.header("strict-transport-security") == "max-age=63072000"
    assert reply.header("server") == "nginx"


@pytest.mark.parametrize("name", ["evil.example", f"x.{NAME}", None])
def test_no_certificate_for_another_name(proxy: Running, certificate: Certificate, name: str | None) -> None:
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        connect(proxy.config.https_port, certificate, name)


def test_plain_http(proxy: Running) -> None:
    port = proxy.config.http_port or 0
    reply = http1(port, f"POST /v1/models?a=b HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 0\r\n\r\n".encode())
    assert (reply.status, reply.header("location")) == (308, f"https://{NAME}/v1/models?a=b")
    other = http1(port, b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    assert (other.status, json.loads(other.body)["error"]["code"]) == (421, "misdirected_request")
    absolute = http1(port, f"GET http://evil.example/ HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
    assert absolute.status == 421
    wrong = http1(proxy.config.https_port, f"GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
    assert (wrong.status, json.loads(wrong.body)["error"]["code"]) == (400, "bad_request")


def test_an_address_as_the_name(tmp_path: Path, engine: Engine) -> None:
    certificate = Authority(tmp_path / "authority").server("127.0.0.1")
    config = replace(make_config(tmp_path, certificate, (engine.address,), "debian"), server_name="127.0.0.1")
    with Running(tmp_path, config, "debian"):
        good = http1(
            config.https_port,
            f"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n{BEARER}\r\n\r\n".encode(),
            certificate,
            None,
        )
        assert good.status == 200
        bad = http1(
            config.https_port,
            f"GET /v1/models HTTP/1.1\r\nHost: 127x0.0.1\r\n{BEARER}\r\n\r\n".encode(),
            certificate,
            None,
        )
        assert bad.status == 421
    assert len(engine.seen) == 1


def test_probes_are_for_named_addresses(tmp_path: Path, certificate: Certificate, engine: Engine) -> None:
    config = replace(make_config(tmp_path, certificate, (engine.address,), "debian"), monitors=("127.0.0.1",))
    with Running(tmp_path, config, "debian"):

        def get(line: str) -> int:
            text = f"{line} HTTP/1.1\r\nHost: {NAME}\r\n\r\n"
            return http1(config.https_port, text.encode(), certificate).status

        assert [get(f"GET {path}") for path in ("/health", "/metrics?x=1", "/nginx_status")] == [200, 200, 200]
        odd = (
            "POST /metrics",
            "GET /metrics/",
            "GET //metrics",
            "GET /v1/../metrics",
            "GET /%6detrics",
            "GET /metrics;",
            "GET /nginx_status/",
        )
        assert [get(line) for line in odd] == [404] * len(odd)
    assert [seen.line for seen in engine.seen] == ["GET /health", "GET /metrics"]


def test_a_port_that_shows_what_monitors_may_see(tmp_path: Path, certificate: Certificate, engine: Engine) -> None:
    made = make_config(tmp_path, certificate, (engine.address,), "debian")
    port = free_port()
    with Running(tmp_path, replace(made, monitors=(), monitor_port=port), "debian") as running:

        def get(line: str, *headers: str) -> int:
            return http1(port, "\r\n".join([f"{line} HTTP/1.1", "Host: x", *headers, "", ""]).encode()).status

        assert [get(f"GET {path}") for path in ("/health", "/metrics?x=1", "/nginx_status")] == [200, 200, 200]
        odd = ("POST /metrics", "GET //metrics", "GET /v1/models", "GET /", "GET /version", "GET /invocations")
        assert [get(line, BEARER) for line in odd] == [404] * len(odd)
        assert get(f"GET /metrics?{TOKEN}") == 400
        text = f"GET /metrics HTTP/1.1\r\nHost: {NAME}\r\n\r\n"
        assert http1(made.https_port, text.encode(), certificate).status == 404, "the port of clients shows nothing"
        assert running.log("access.log").count("\n") == 1
    assert [seen.line for seen in engine.seen] == ["GET /health", "GET /metrics"]
    assert engine.seen[1].header("authorization") == []


def test_lm_studio_is_greeted(tmp_path: Path, certificate: Certificate, engine: Engine) -> None:
    config = replace(
        make_config(tmp_path, certificate, (engine.address,), "debian"), engine="lmstudio", upstream_key=None
    )
    with Running(tmp_path, config, "debian"):
        for path, status in (("/health", 200), ("/metrics", 404), ("/lmstudio-greeting", 404)):
            request = f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\n{BEARER}\r\n\r\n"
            assert http1(config.https_port, request.encode(), certificate).status == status
    assert [seen.line for seen in engine.seen] == ["GET /lmstudio-greeting"]
    assert engine.seen[0].header("authorization") == []
