"""A stand-in of the Hugging Face hub, and of the storage that it redirects to, on two loopback ports.

It speaks what ``huggingface_hub`` speaks: model information, trees, ``resolve``. Small files come through a
redirect within the hub, LFS and Xet files through one to a signed address on another host that knows
nothing of tokens. ``tests/counterparts/test_hub.py`` proves it with the real client.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tests.counterparts.hub_body import Faults
from tests.counterparts.hub_pages import HubPages, Seen, Server, StoragePages
from tests.counterparts.hub_repository import LFS, Repository, matches, store


class Hub:
    """The hub: ``endpoint`` is its address. A context manager; ``faults`` are its switches, ``seen`` its log."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.seen: list[Seen] = []
        self.tokens: dict[str, set[str]] = {}
        self.repositories: dict[str, Repository] = {}
        self.renamed: dict[str, str] = {}
        self.answers: dict[str, bytes] = {}
        self.key = secrets.token_bytes(16)
        self._servers = (Server(self, HubPages), Server(self, StoragePages))
        self.endpoint = f"http://127.0.0.1:{self._servers[0].server_port}"
        self.storage = f"http://localhost:{self._servers[1].server_port}"

    def __enter__(self) -> Hub:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def add(
        self,
        name: str,
        files: Mapping[str, bytes | Path],
        *,
        ref: str = "main",
        lfs: Collection[str] = LFS,
        xet: Collection[str] = (),
        gated: bool | None = None,
        private: bool | None = None,
        card: Mapping[str, Any] | None = None,
    ) -> str:
        """Commit ``files`` to a repository, made if new, and point branch or tag ``ref`` to it; returns the commit.

        ``lfs`` and ``xet`` are patterns of the files that are kept that way; what is None stays as it was.
        """
        found = self.repositories.setdefault(name, Repository(name, card={"license": "apache-2.0"}))
        found.private = found.private if private is None else private
        found.gated = found.gated if gated is None else gated
        found.card = found.card if card is None else card
        stored = {
            path: store(content, lfs=matches(path, [*lfs, *xet]), xet=matches(path, xet))
            for path, content in files.items()
        }
        return found.commit(stored, ref)

    def allow(self, token: str, *names: str) -> None:
        """Make ``token`` known, and let it read these private and gated repositories."""
        self.tokens.setdefault(token, set()).update(names)

    def rename(self, old: str, new: str) -> None:
        """Move a repository; the old name redirects."""
        self.repositories[new] = self.repositories.pop(old)
        self.repositories[new].name = new
        self.renamed[old] = new

    def requests(self, host: str) -> list[Seen]:
        """The requests that came to ``hub`` or ``storage``, in order."""
        return [one for one in self.seen if one.host == host]

    def sign(self, sha256: str, expires: int) -> str:
        """The signature of an address of the storage."""
        return hmac.new(self.key, f"{sha256} {expires}".encode(), hashlib.sha256).hexdigest()
