"""Models for the tests that lie in memory, and count how much of them is read."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from bundler.models.place import Place

WHERE = "models[0]"


class Files:
    """Files in memory; ``sizes`` may claim that a file is larger than what is there, the rest being zeros."""

    def __init__(self, content: dict[str, bytes], sizes: dict[str, int] | None = None) -> None:
        self.content = content
        self.paths = {path: len(data) for path, data in content.items()} | (sizes or {})
        self.bytes_read = 0

    def read(self, path: str, start: int, length: int) -> bytes:
        """As the contract says; a wrong range is a fault of the caller."""
        assert length > 0, "nobody should ask for nothing"
        assert 0 <= start <= start + length <= self.paths[path], "a read beyond the file"
        self.bytes_read += length
        return self.content[path][start : start + length].ljust(length, b"\0")


def load_folder(folder: Path) -> Files:
    """The files of a folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return Files({path.relative_to(folder).as_posix(): path.read_bytes() for path in found})


def place(path: str) -> Place:
    """A file of the model that the tests are about."""
    return Place(WHERE, path)


def safetensors_bytes(header: dict[str, Any] | bytes, data: bytes = b"") -> bytes:
    """A safetensors file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(dtype: str, shape: list[Any], begin: Any, end: Any) -> dict[str, Any]:
    """A header's entry of a tensor."""
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def gguf_string(text: str) -> bytes:
    """A string as GGUF writes it."""
    return struct.pack("<Q", len(text.encode())) + text.encode()


def gguf_bytes(
    metadata: list[bytes], infos: list[bytes], data: bytes = b"", *, version: int = 3, alignment: int = 32
) -> bytes:
    """A GGUF file of any metadata entries and tensor infos."""
    head = b"GGUF" + struct.pack("<IQQ", version, len(infos), len(metadata)) + b"".join(metadata + infos)
    return head + bytes(-len(head) % alignment) + data


def gguf_number(key: str, value: int) -> bytes:
    """A metadata entry of 32 bits."""
    return gguf_string(key) + struct.pack("<II", 4, value)


def gguf_tensor(name: str, shape: list[int], kind: int, offset: int) -> bytes:
    """A tensor's info."""
    dimensions = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return gguf_string(name) + dimensions + struct.pack("<IQ", kind, offset)
