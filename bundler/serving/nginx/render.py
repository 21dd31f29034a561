"""The configuration as files. What stands in ``llm-bundle.conf`` belongs into Nginx's ``http``; every name in it that
is seen beyond it begins with ``llm``, so that it lives beside other sites of the same Nginx."""

from __future__ import annotations

from collections.abc import Mapping

from bundler.serving.nginx.config import ProxyConfig
from bundler.serving.nginx.logs import MAPS, logrotate
from bundler.serving.nginx.refusals import error_texts
from bundler.serving.nginx.routes import PROBES, ROUTES, STATUS, raw_pattern
from bundler.serving.nginx.server import UPSTREAM, block, servers
from bundler.serving.nginx.version import NginxVersion

MAIN, SITE, LOGROTATE = "nginx.conf", "llm-bundle.conf", "llm-bundle.logrotate"
# Every file of ours begins with it, and a file without it is not ours to replace.
MARK = "# Written by llm-bundle"
_HEAD = f"{MARK}. Changes by hand are lost with the next install.\n"


def render(config: ProxyConfig, version: NginxVersion) -> Mapping[str, str]:
    """File name → text: ``llm-bundle.conf`` for Nginx's ``http``; in a container also nginx.conf; for logrotate.

    There is nothing for logrotate where it is not known how the host sees a container's logs.
    """
    files = {SITE: _site(config, version)}
    if config.form == "container":
        files[MAIN] = _main(config)
    if config.form == "host" or config.host_logs:
        files[LOGROTATE] = _HEAD + logrotate(config)
    return files


def _site(config: ProxyConfig, version: NginxVersion) -> str:
    lines = [f'include "{config.tokens}";', *_upstream(config), *_routes(config), *_answers(config), *_limits(config)]
    return _HEAD + "\n".join(lines) + "\n" + MAPS + "\n" + "\n".join(servers(config, version)) + "\n"


def _upstream(config: ProxyConfig) -> list[str]:
    several = len(config.upstreams) > 1
    failover = " max_fails=3 fail_timeout=30s" if several else ""
    # Without a zone each worker of Nginx would count for itself what runs where, and who has failed.
    lines = [f"zone {UPSTREAM} 256k;", "least_conn;"] if several else []
    lines += [f"server {upstream}{failover};" for upstream in config.upstreams]
    # Engines close idle connections after 5 s; one that is closed while a request is on its way is a 502.
    return block(f"upstream {UPSTREAM}", [*lines, "keepalive 32;", "keepalive_timeout 4s;"])


def _routes(config: ProxyConfig) -> list[str]:
    monitors = ["default 0;", *(f"{address} 1;" for address in dict.fromkeys(config.monitors))]
    routes = [f'"{raw_pattern("", method, path)}" {path};' for method, path in ROUTES[config.engine]]
    probes = {**PROBES[config.engine], **({STATUS: STATUS} if config.status_page else {})}
    seen = [f'"{raw_pattern("1 ", "GET", path)}" {target};' for path, target in probes.items()]
    at_hand = [] if config.monitor_port is None else [f"{config.monitor_port} 1;"]
    return [
        *block("geo $llm_named", monitors),
        *block("map $server_port $llm_monitor", ["default $llm_named;", *at_hand]),
        *block('map "$request_method $request_uri" $llm_path', ['default "";', *routes]),
        *block('map "$llm_monitor $request_method $request_uri" $llm_probe', ['default "";', *seen]),
    ]


def _answers(config: ProxyConfig) -> list[str]:
    return [
        *block("map $status $llm_error", ['default "";', *error_texts(config.max_body)]),
        *block("map $status $llm_retry_after", ['default "";', "429 1;"]),
        *block("map $status $llm_challenge", ['default "";', "401 'Bearer realm=\"llm\"';"]),
    ]


def _limits(config: ProxyConfig) -> list[str]:
    return [
        f"limit_req_zone $llm_token zone=llm_requests:1m rate={config.limits.requests_per_second}r/s;",
        "limit_conn_zone $llm_token zone=llm_connections:1m;",
    ]


def _main(config: ProxyConfig) -> str:
    temporary = [f'{kind}_temp_path "{config.run_folder}/{kind}";' for kind in ("proxy", "fastcgi", "uwsgi", "scgi")]
    http = [f'client_body_temp_path "{config.run_folder}/body";', *temporary, "access_log off;", f"include {SITE};"]
    lines = [
        # Not one for each core: one is good for thousands of requests a second, and a host of GPUs has hundreds.
        "worker_processes 4;",
        "pcre_jit on;",
        f'pid "{config.run_folder}/nginx.pid";',
        f'error_log "{config.log_folder}/error.log" warn;',
        # For each worker. Whoever can reach the port can hold connections for the time that a header may take, and
        # ten thousand of them are to keep nobody else out. A limit of files below this is the engine's to raise.
        "worker_rlimit_nofile 32768;",
        *block("events", ["worker_connections 16384;"]),
        *block("http", http),
    ]
    return _HEAD + "\n".join(lines) + "\n"
