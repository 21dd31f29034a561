"""A node of Elasticsearch of one's own that is killed and started again with what it has.

Rules: it is one of ``../shared/counterparts/elasticsearch``; without these scripts a loud skip. It is killed as by a
power cut, and comes back at its address, with the command line of ``start.sh``, its configuration and its data.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.counterparts.elasticsearch import Node, _output, _with_open_tmp, connect, shared
from tests.counterparts.port import free_port


class Restarting:
    """The node; ``url`` stays the same. A context manager."""

    def __init__(self, version: str) -> None:
        self._scripts = shared() / "counterparts" / "elasticsearch"
        if not (self._scripts / "start.sh").is_file():
            pytest.skip(f"no {self._scripts}: a node that is killed and started again cannot be had")
        self.version, self._pid, self.url = version, 0, ""
        self._environment: dict[str, str] = {}

    def __enter__(self) -> Restarting:
        _output(["bash", str(self._scripts / "setup.sh"), self.version])
        start = ["bash", str(self._scripts / "start.sh"), self.version, "--port", str(free_port())]
        said = dict(word.split("=", 1) for word in _output([*_with_open_tmp(), *start]).split() if "=" in word)
        self._pid, self.url = int(said["pid"]), said["url"]
        rows = Path(f"/proc/{self._pid}/environ").read_bytes().decode().split("\0")
        self._environment = dict(row.split("=", 1) for row in rows if "=" in row)
        return self

    def __exit__(self, *_: object) -> None:
        _output(["bash", str(self._scripts / "stop.sh"), str(self._pid)])

    def node(self) -> Node:
        """The node, once it answers."""
        return connect(self.url, patience=60)

    def kill(self) -> None:
        """End it at once."""
        os.kill(self._pid, signal.SIGKILL)
        for _ in range(200):
            if not _runs(self._pid):
                return
            time.sleep(0.05)
        raise AssertionError(f"{self._pid} outlives SIGKILL")

    def again(self) -> None:
        """Start it again, and wait until it answers."""
        pid = Path(self._environment["TEST_NODE"], "pid")
        pid.unlink()
        own = {**self._environment, "JAVA_TYPE": "ES_JAVA_HOME", "ES_DISTRIBUTION_TYPE": "tar"}
        line = [*_with_open_tmp(), *_as_its_user(), *self._launcher(), "-d", "-p", str(pid)]
        done = subprocess.run(
            line, cwd=own["ES_HOME"], env=own, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"Elasticsearch does not come back: {(done.stdout + done.stderr)[-3000:]}"
        self._pid = int(pid.read_text())
        self.node().call("GET", "_cluster/health?wait_for_status=yellow&timeout=60s")

    def _launcher(self) -> list[str]:
        """What ``start.sh`` calls: of 8.19 another class than of 9.4."""
        home, java = self._environment["ES_HOME"], self._environment["ES_JAVA_HOME"]
        libraries, name = f"{home}/lib/tools/server-launcher/*", "org.elasticsearch.server.launcher.ServerLauncher"
        if self.version == "819":
            libraries, name = f"{home}/lib/*:{home}/lib/cli-launcher/*", "org.elasticsearch.launcher.CliToolLauncher"
        settings = {
            "cli.name": "server",
            "cli.script": f"{home}/bin/elasticsearch",
            "cli.libs": "lib/tools/server-cli",
            "es.path.home": home,
            "es.path.conf": self._environment["ES_PATH_CONF"],
            "es.distribution.type": "tar",
            "es.java.type": "ES_JAVA_HOME",
        }
        options = ["-Xms4m", "-Xmx64m", "-XX:+UseSerialGC", *(f"-D{key}={value}" for key, value in settings.items())]
        return [f"{java}/bin/java", *options, "-cp", libraries, name]


def _as_its_user() -> list[str]:
    if os.geteuid():
        return []
    return ["setpriv", "--reuid", "elasticsearch", "--regid", "elasticsearch", "--clear-groups"]


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
