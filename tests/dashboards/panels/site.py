"""The site of the end-to-end run with a third proxy, whose engine breaks off and whose limits are narrow."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Final

from bundler.serving.nginx.config import Limits
from bundler.serving.nginx.tokens import ProxyToken
from tests.package.end_to_end.site import TOKENS, Site
from tests.serving.nginx.running import Running

EDGE: Final = "edge"
_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Breaking:
    """An engine that breaks off: in the middle of a stream where one was asked for, else before its answer."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Breaking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Only a shutdown wakes a thread that waits for a connection.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)

    def _run(self) -> None:
        while True:
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            with line:
                line.settimeout(5)
                asked = b""
                while b"}" not in asked and (piece := line.recv(65536)):
                    asked += piece
                if b'"stream": true' in asked:
                    line.sendall(_HEAD + b"6\r\ndata: \r\n")


class PanelSite(Site):
    """All three proxies. A context manager."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.breaking = Breaking()
        config = self._config(folder / EDGE, self.breaking.address, "lmstudio")
        config = replace(config, limits=Limits(1, 2, 128))
        tokens = [ProxyToken(f"{number:08x}", label, secret) for number, (label, secret) in enumerate(TOKENS.items())]
        self.proxies[EDGE] = Running(folder / EDGE, config, "debian", tokens)

    def __enter__(self) -> PanelSite:
        self.breaking.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.breaking.__exit__()

    def logs(self, name: str) -> Path:
        """The folder of a proxy's logs."""
        return Path(self.proxies[name].config.log_folder)
