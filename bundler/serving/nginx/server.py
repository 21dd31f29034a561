"""The servers of the configuration, as lines: the proxy itself, and who answers for every other name."""

from __future__ import annotations

from bundler.serving.container import host_address
from bundler.serving.nginx.config import ProxyConfig
from bundler.serving.nginx.logs import error_line, log_lines
from bundler.serving.nginx.refusals import TOKEN_SHOWN, error_page
from bundler.serving.nginx.routes import PROBES, STATUS, literal
from bundler.serving.nginx.version import NginxVersion

UPSTREAM = "llm-engine"

# Mozilla's intermediate configuration, without the DHE suites, which need parameters of their own.
_CIPHERS = ":".join(
    f"ECDHE-{key}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for key in ("ECDSA", "RSA")
)
_TLS = [
    "ssl_protocols TLSv1.2 TLSv1.3;",
    f"ssl_ciphers {_CIPHERS};",
    "ssl_prefer_server_ciphers off;",
    "ssl_session_timeout 1d;",
    "ssl_session_cache shared:llm_tls:10m;",
    "ssl_session_tickets off;",
]
# Nothing of the client's headers goes on but these: no token, no cookie, nothing of the connection (Connection,
# Upgrade, TE, Transfer-Encoding), no address that the client claims to have.
_TO_ENGINE = [
    "proxy_http_version 1.1;",
    "proxy_pass_request_headers off;",
    "proxy_set_header Host localhost;",
    'proxy_set_header Connection "";',
    "proxy_set_header Content-Type $content_type;",
    "proxy_set_header Accept $http_accept;",
    "proxy_set_header X-Request-Id $request_id;",
]
_FROM_ENGINE = [
    "proxy_buffering off;",
    "proxy_redirect off;",
    # Headers by which an engine could steer Nginx, to other locations for example.
    "proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;",
    "proxy_hide_header X-Request-Id;",
    "proxy_hide_header Strict-Transport-Security;",
    "proxy_hide_header Set-Cookie;",
    "proxy_connect_timeout 5s;",
    # Who cannot be reached is passed over. A POST that was sent is not sent to another: the engine may have begun.
    # Written out, since another configuration of the same Nginx could say otherwise for all.
    "proxy_next_upstream error timeout;",
    "proxy_next_upstream_tries 0;",
    "proxy_next_upstream_timeout 0;",
]


def block(head: str, lines: list[str]) -> list[str]:
    """``head { lines }``, indented."""
    return [f"{head} {{", *(f"    {line}" for line in lines), "}"]


def servers(config: ProxyConfig, version: NginxVersion) -> list[str]:
    """All servers, those for unknown names first."""
    lines: list[str] = []
    if config.default_server:
        lines += _stranger_by_http(config) if config.http_port else []
        # A client that calls an address names no server in its handshake: there the proxy itself is the default.
        lines += [] if config.is_address else _stranger_by_https(config, version)
    if config.http_port:
        lines += _redirect(config)
    return lines + _proxy(config, version) + _at_hand(config)


def _listen(config: ProxyConfig, port: int, *words: str) -> list[str]:
    found = []
    for address in config.addresses:
        found.append(f"listen {' '.join([f'{host_address(address)}:{port}', *words])};")
    return found


def _listen_tls(config: ProxyConfig, version: NginxVersion, *words: str) -> list[str]:
    if version.http2_directive:
        return [*_listen(config, config.https_port, "ssl", *words), "http2 on;"]
    return _listen(config, config.https_port, "ssl", "http2", *words)


def _common(config: ProxyConfig, *more_headers: str, access_log: bool = True) -> list[str]:
    headers = [
        "add_header X-Request-Id $request_id always;",
        "add_header X-Content-Type-Options nosniff always;",
        *more_headers,
    ]
    return [
        "server_tokens off;",
        *(log_lines(config) if access_log else ("access_log off;", error_line(config))),
        "client_header_timeout 15s;",
        *headers,
        *error_page(headers),
    ]


def _named(config: ProxyConfig) -> str:
    # Nginx keeps plain names in a hash whose buckets cannot hold long ones; a regular expression needs no hash.
    name = config.server_name.lower()
    return f"server_name {name};" if len(name) <= 32 else f'server_name "~^{literal(name)}$";'


def _other_host(config: ProxyConfig) -> str:
    # Nginx has made $host lower case, and has taken the port and a last dot from it.
    return f"if ($host != '{config.server_name.lower()}') {{ return 421; }}"


def _stranger_by_http(config: ProxyConfig) -> list[str]:
    listen = _listen(config, config.http_port or 0, "default_server")
    return block("server", [*listen, "server_name _;", *_common(config), "location / { return 421; }"])


def _stranger_by_https(config: ProxyConfig, version: NginxVersion) -> list[str]:
    # The handshake ends before a certificate is shown. Who shook hands under our name and then asks for another
    # gets 421. The protocols stand here too, for Nginx takes them from the default server.
    listen = _listen_tls(config, version, "default_server")
    tls = ["ssl_reject_handshake on;", *_TLS]
    return block("server", [*listen, "server_name _;", *tls, *_common(config), "location / { return 421; }"])


def _redirect(config: ProxyConfig) -> list[str]:
    port = "" if config.public_port == 443 else f":{config.public_port}"
    target = f"https://{config.server_name.lower()}{port}$request_uri"
    listen = _listen(config, config.http_port or 0)
    checks = [_other_host(config), f"if ($llm_shows_token) {{ return {TOKEN_SHOWN}; }}"]
    # 308 and not 301: a POST stays a POST.
    return block(
        "server", [*listen, _named(config), *_common(config), *block("location /", [*checks, f"return 308 {target};"])]
    )


def _proxy(config: ProxyConfig, version: NginxVersion) -> list[str]:
    words = ("default_server",) if config.default_server and config.is_address else ()
    return block(
        "server",
        [
            *_listen_tls(config, version, *words),
            _named(config),
            f'ssl_certificate "{config.certificate}";',
            f'ssl_certificate_key "{config.key}";',
            *_TLS,
            *_common(config, "add_header Strict-Transport-Security max-age=63072000 always;"),
            f"client_max_body_size {config.max_body}m;",
            "client_body_buffer_size 256k;",
            "client_body_timeout 60s;",
            "send_timeout 300s;",
            "gzip off;",
            "limit_req_status 429;",
            "limit_conn_status 429;",
            *_engine(config),
            f"if ($llm_shows_token) {{ return {TOKEN_SHOWN}; }}",
            *_proxy_locations(config),
        ],
    )


def _at_hand(config: ProxyConfig) -> list[str]:
    """What monitors may see, for an agent on this host. It asks every few seconds, which is not logged."""
    if config.monitor_port is None:
        return []
    return block(
        "server",
        [
            f"listen {host_address(config.monitor_address)}:{config.monitor_port};",
            "server_name _;",
            *_common(config, access_log=False),
            *_TO_ENGINE,
            *_FROM_ENGINE,
            f"if ($llm_shows_token) {{ return {TOKEN_SHOWN}; }}",
            "location / { return 404; }",
            *_probe_locations(config),
        ],
    )


def _proxy_locations(config: ProxyConfig) -> list[str]:
    limits = config.limits
    lines = block(
        "location /",
        [
            _other_host(config),
            "if ($llm_path = '') { return 404; }",
            "if ($llm_token = '') { return 401; }",
            f"limit_req zone=llm_requests burst={limits.burst} nodelay;",
            f"limit_conn llm_connections {limits.connections};",
            f"proxy_pass http://{UPSTREAM}$llm_path;",
        ],
    )
    return lines + _probe_locations(config)


def _probe_locations(config: ProxyConfig) -> list[str]:
    lines = []
    for path in PROBES[config.engine]:
        target = f"proxy_pass http://{UPSTREAM}$llm_probe;"
        lines += block(f"location = {path}", ["if ($llm_probe = '') { return 404; }", target])
    if config.status_page:
        lines += block(f"location = {STATUS}", ["if ($llm_probe = '') { return 404; }", "stub_status;"])
    return lines


def _engine(config: ProxyConfig) -> list[str]:
    # A key for the engine is sent by the included file. Without one nothing is sent, for no header of the client is.
    key = [f'include "{config.upstream_key}";'] if config.upstream_key else []
    silence = [f"proxy_send_timeout {config.silence}s;", f"proxy_read_timeout {config.silence}s;"]
    return [*_TO_ENGINE, *key, *_FROM_ENGINE, *silence]
