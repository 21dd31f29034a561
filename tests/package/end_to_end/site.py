"""A site as ours install it: two proxies with our configuration, one before an engine as vLLM is one, one before what
behaves and logs as LM Studio does."""

from __future__ import annotations

import gzip
import json
import re
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from bundler.serving.nginx.config import Limits, ProxyConfig
from bundler.serving.nginx.render import LOGROTATE
from bundler.serving.nginx.tokens import ProxyToken
from tests.counterparts.certificates import Authority
from tests.counterparts.engine import Engine
from tests.counterparts.need import need
from tests.counterparts.port import free_port
from tests.serving.nginx.running import NAME, Running, make_config

TOKENS: Final = {
    "kibana": "tok_kibana-" + "a" * 32,
    "kibana.old": "tok_kibana-" + "b" * 32,
    "agents": "tok_agents-" + "c" * 32,
}
MODELS: Final = ("qwen/qwen3-8b", "mistralai/devstral-small-2507")
SILENCE: Final = 1


class LmStudio:
    """The stand-in for LM Studio, that can be down; it comes back at the same port."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        (home / ".internal").mkdir(parents=True)
        state = {"loaded": [{"identifier": model} for model in MODELS]}
        (home / ".internal" / "stand-in.json").write_text(json.dumps(state))

    def start(self) -> None:
        """Start, and wait until it listens."""
        program = Path(__file__).parents[2] / "counterparts" / "lms_server.py"
        self._process = subprocess.Popen([sys.executable, str(program), "127.0.0.1", str(self.port), str(self.home)])
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("the stand-in for LM Studio did not start")

    def stop(self) -> None:
        """Be down."""
        if self._process:
            self._process.kill()
            self._process.wait(10)
            self._process = None


class Site:
    """Both proxies with their engines, and a certificate for all. A context manager."""

    def __init__(self, folder: Path) -> None:
        need("logrotate", "logrotate")
        self.certificate = Authority(folder / "authority").server(NAME)
        self.engine = Engine()
        self.lmstudio = LmStudio(folder / "home")
        tokens = [ProxyToken(f"{number:08x}", label, secret) for number, (label, secret) in enumerate(TOKENS.items())]
        engines = {"vllm": self.engine.address, "lmstudio": f"127.0.0.1:{self.lmstudio.port}"}
        self.proxies = {
            name: Running(folder / name, self._config(folder / name, address, name), "debian", tokens)
            for name, address in engines.items()
        }

    def __enter__(self) -> Site:
        self.engine.__enter__()
        self.lmstudio.start()
        for proxy in self.proxies.values():
            proxy.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for proxy in self.proxies.values():
            proxy.__exit__()
        self.lmstudio.stop()
        self.engine.__exit__()

    def paths(self) -> dict[str, list[str]]:
        """Stream → what an agent is to follow, in the words of the package's defaults."""
        folders = [proxy.config.log_folder for proxy in self.proxies.values()]
        return {
            "proxy_access": [f"{folder}/access.json.log*" for folder in folders],
            "proxy_error": [f"{folder}/error.log*" for folder in folders],
            "lmstudio": [f"{self.lmstudio.home}/server-logs/*/*.log"],
        }

    def written(self, stream: str) -> int:
        """How many events stand in the logs of a stream, those that were turned over and compressed too."""
        paths = [path for pattern in self.paths()[stream] for path in Path("/").glob(pattern[1:])]
        data = [gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in paths]
        return len(re.findall(rb"^\[20" if stream == "lmstudio" else rb"\n", b"".join(data), re.MULTILINE))

    def rotate(self) -> None:
        """What a day's logrotate does, with the file that we write."""
        for proxy in self.proxies.values():
            command = [need("logrotate", "logrotate"), "--force", "--state", str(proxy.folder / "rotated")]
            done = subprocess.run(
                [*command, str(proxy.folder / LOGROTATE)], capture_output=True, text=True, timeout=60, check=False
            )
            assert (done.returncode, done.stderr) == (0, ""), done.stderr

    def _config(self, folder: Path, upstream: str, name: str) -> ProxyConfig:
        folder.mkdir()
        config = make_config(folder, self.certificate, (upstream,), "debian")
        reopen = f"kill -USR1 $(cat {folder}/nginx.pid)"
        config = replace(config, limits=Limits(60000, 60000, 60000), host_logs=config.log_folder, reopen=reopen)
        if name == "vllm":
            return replace(config, silence=SILENCE)
        return replace(config, engine="lmstudio", upstream_key=None)
