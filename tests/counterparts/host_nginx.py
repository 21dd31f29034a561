"""A host with an Nginx that serves others: Debian's program with a folder of its own in the place of /etc/nginx."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from tests.counterparts.need import need
from tests.counterparts.port import free_port

_MAIN = """\
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
include modules-enabled/*.conf;
events {{ worker_connections 128; }}
http {{
    # What every distribution has: "quotes", a {{ brace }} and an include that must not be taken for one of http.
    log_format odd '$remote_addr {{ "x": 1 }}';
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{other};
        include default.d/*.conf;
        location / {{ return 200 "somebody else"; }}
    }}
    include conf.d/*.conf;
    include sites-enabled/*;
}}
"""
_WRAPPER = '#!/bin/sh\nexec {program} -c {folder}/nginx.conf -e {folder}/start.log "$@"\n'


class Host:
    """``program`` is its nginx, ``other`` the port of somebody else's site. A context manager: stopped at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conf_d = folder / "conf.d"
        self.rotation = folder / "logrotate.d" / "llm-bundle"
        self.program = folder / "bin" / "nginx"
        self.other = free_port()
        for name in ("conf.d", "sites-enabled", "default.d", "modules-enabled", "logrotate.d", "bin"):
            (folder / name).mkdir(parents=True)
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, other=self.other, user=user))
        self.program.write_text(_WRAPPER.format(program=need("nginx", "nginx-light"), folder=folder))
        self.program.chmod(0o755)

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_how: object) -> None:
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        for _ in range(200):
            if not Path(f"/proc/{pid}").exists():
                return
            time.sleep(0.05)

    def pid(self) -> int | None:
        """The master, None where it does not run."""
        try:
            return int((self.folder / "nginx.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def others(self) -> dict[Path, tuple[bytes, int]]:
        """What everybody else's files hold, and when they were changed."""
        ours = ("llm-bundle.conf", "llm-bundle", "nginx.pid")
        folders = [self.folder, *(path for path in self.folder.iterdir() if path.is_dir() and path.name != "site")]
        return {
            path: (path.read_bytes(), path.stat().st_mtime_ns)
            for folder in folders
            for path in folder.iterdir()
            if path.is_file() and path.name not in ours and path.suffix != ".log"
        }
