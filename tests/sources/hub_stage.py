"""What the tests of the hub share: a small model, and a hub that waits for nothing."""

from __future__ import annotations

import os
from pathlib import Path

from bundler.sources.hub import Hub
from bundler.sources.interface import HubFile
from bundler.sources.listing import Listing
from bundler.spec.model import HubModel
from tests.counterparts.hub import Hub as StandIn

WEIGHTS = os.urandom(300_000)
FILES: dict[str, bytes | Path] = {
    ".gitattributes": b"*.safetensors filter=lfs\n",
    "config.json": b'{"model_type": "llama"}',
    "empty.txt": b"",
    "model.safetensors": WEIGHTS,
    "tokenizer.json": b"{}" * 20_000,
    "sub/a&b #1.txt": b"odd name",
}
CHOSEN = {path: content for path, content in FILES.items() if path != ".gitattributes"}
TOKEN = "hf_secretSECRETsecret"  # the value that must turn up nowhere


class Waits(list[float]):
    """Stands in for ``time.sleep``: a 429 with Retry-After: 7 need not take seven seconds here."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def hub_of(running: StandIn, *, token: str = "", waits: Waits | None = None, stall: float = 20.0) -> Hub:
    sleep = Waits() if waits is None else waits
    return Hub(endpoint=running.endpoint, token=token, sleep=sleep, timeouts=(5.0, stall))


def look(running: StandIn, name: str = "org/tiny", *, token: str = "", revision: str = "main") -> Listing:
    return hub_of(running, token=token).look(HubModel(name, revision), "vllm")


def weights(running: StandIn, path: str = "model.safetensors") -> HubFile:
    return HubFile("org/tiny", running.repositories["org/tiny"].refs["main"], path)


def fetch(hub: Hub, origin: HubFile, offset: int = 0) -> bytes:
    """All that one opening gives."""
    reader = hub.open(origin, offset)
    buffer, parts = memoryview(bytearray(10_000)), []
    try:
        while count := reader.readinto(buffer):
            parts.append(bytes(buffer[:count]))
    finally:
        reader.close()
    return b"".join(parts)
