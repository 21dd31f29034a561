"""The logs: every line readable, the right label and id, and nothing that is secret."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

from bundler.serving.nginx.logs import logrotate
from tests.counterparts.certificates import Certificate
from tests.counterparts.engine import KEY, Engine
from tests.counterparts.need import need
from tests.serving.nginx.requests import BEARER, CHAT, FRAMINGS
from tests.serving.nginx.running import NAME, OLD, TOKEN, Running, make_config
from tests.serving.nginx.test_hostile import ask, ask2
from tests.serving.nginx.wire import http1

PROMPT = b'{"messages": [{"role": "user", "content": "marked-prompt-4711"}]}'
# As Elastic's Nginx integration takes a line of its access log apart.
COMBINED = re.compile(r'\S+ - (\S+) \[[^\]]+\] "(-|[A-Z_-]+ \S+ HTTP/[0-9.]+)" [0-9]{3} [0-9]+ "-" "[^"]*"')
KEYS = {
    "time", "epoch", "request_id", "remote_addr", "token", "method", "path", "protocol", "status", "request_bytes",
    "bytes", "duration", "complete", "upstream", "upstream_status", "upstream_connect_time", "upstream_header_time",
    "upstream_response_time", "tls_version", "tls_cipher", "user_agent", "connection",
}  # fmt: skip


def test_a_line_for_each_request(proxy: Running, certificate: Certificate, engine: Engine) -> None:
    reply = ask(
        proxy, certificate, f"POST {CHAT}?a=marked-query HTTP/1.1", BEARER, "User-Agent: kibana/9.2", body=PROMPT
    )
    line = json.loads(proxy.log("access.json.log").splitlines()[-1])
    assert set(line) == KEYS
    assert line["request_id"] == reply.header("x-request-id") == engine.seen[0].header("x-request-id")[0]
    wanted = {
        "token": "kibana", "method": "POST", "path": CHAT, "protocol": "HTTP/1.1", "status": 200, "complete": True,
        "upstream": engine.address, "upstream_status": "200", "tls_version": "TLSv1.3", "user_agent": "kibana/9.2",
        "bytes": len(reply.body), "remote_addr": "127.0.0.1",
    }  # fmt: skip
    assert {key: line[key] for key in wanted} == wanted
    # Nginx takes the one from the wall clock, the other from a steady one, each in whole milliseconds.
    assert line["duration"] + 0.002 > float(line["upstream_header_time"]) >= 0
    assert line["request_bytes"] > len(PROMPT)
    last = proxy.log("access.log").splitlines()[-1]
    assert f'- kibana [{last.split("[")[1].split("]")[0]}] "POST {CHAT} HTTP/1.1" 200' in last


def test_refusals_are_logged_as_they_were_asked(proxy: Running, certificate: Certificate, engine: Engine) -> None:
    reply = ask(proxy, certificate, f"POST {CHAT} HTTP/1.1", f"Authorization: Bearer {OLD}x", body=PROMPT)
    line = json.loads(proxy.log("access.json.log").splitlines()[-1])
    assert (line["status"], line["method"], line["path"], line["token"]) == (401, "POST", CHAT, "")
    assert line["request_id"] == reply.header("x-request-id")
    ask2(proxy, certificate, "DELETE", "/metrics", f"authorization:Bearer {OLD}")
    line = json.loads(proxy.log("access.json.log").splitlines()[-1])
    assert (line["status"], line["method"], line["token"]) == (404, "DELETE", "kibana.old")


def test_nothing_secret_and_nothing_unreadable(proxy: Running, certificate: Certificate, engine: Engine) -> None:
    ask(proxy, certificate, f"POST {CHAT} HTTP/1.1", BEARER, body=PROMPT)
    ask(proxy, certificate, f"POST {CHAT}?key={TOKEN} HTTP/1.1", BEARER, body=PROMPT)
    ask(proxy, certificate, f"GET /v1/{TOKEN}/x?q=marked-query HTTP/1.1", BEARER)
    ask(
        proxy,
        certificate,
        "GET /metrics?q=marked-query HTTP/1.1",
        f"User-Agent: {TOKEN}",
        f"Referer: https://x/{TOKEN}",
    )
    ask(
        proxy,
        certificate,
        "GET /v1/models HTTP/1.1",
        f"Cookie: {TOKEN}",
        'User-Agent: "}\\ \xff\x1b[31m',
        f"X: {TOKEN}",
    )
    ask(proxy, certificate, "GET /\xff\xfe HTTP/1.1", f"Authorization: Basic {TOKEN}")
    ask(proxy, certificate, f"POST {CHAT}?key={TOKEN} HTTP/1.1", BEARER, "Content-Length: 99999999")
    basic = subprocess.run(["base64", "-w0"], input=f"{TOKEN}:x".encode(), capture_output=True, check=True).stdout
    ask(proxy, certificate, "GET /v1/models HTTP/1.1", f"Authorization: Basic {basic.decode()}")
    for framing in FRAMINGS:
        text = "\r\n".join([*framing.lines, "", ""])
        http1(proxy.config.https_port, text.encode("latin-1") + framing.body, certificate)
    http1(proxy.config.http_port or 0, f"GET /v1/models?key={TOKEN} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
    logs = {name: proxy.log(name) for name in ("access.log", "access.json.log", "error.log")}
    for name, text in logs.items():
        for secret in (TOKEN, OLD, KEY, basic.decode(), "marked-prompt", "marked-query"):
            assert secret not in text, f"{secret} in {name}"
    assert all(set(json.loads(line)) == KEYS for line in logs["access.json.log"].splitlines())
    wrong = [line for line in logs["access.log"].splitlines() if not COMBINED.fullmatch(line)]
    assert wrong == []
    assert "[masked]" in logs["access.log"]


def test_logrotate(tmp_path: Path, certificate: Certificate) -> None:
    need("logrotate", "logrotate")
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "access.log"
    config = make_config(tmp_path, certificate, ("127.0.0.1:1",), "debian")
    for reopen in ("", f"echo reopened >> {tmp_path}/calls"):
        log.write_text("a line\n")
        (tmp_path / "rules").write_text(logrotate(replace(config, reopen=reopen)))
        command = ["/usr/sbin/logrotate", "--force", "--state", str(tmp_path / "state"), str(tmp_path / "rules")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        assert log.read_text() == ""
        assert (tmp_path / "logs" / "access.log.1").read_text() == "a line\n"
    assert (tmp_path / "calls").read_text() == "reopened\n"
