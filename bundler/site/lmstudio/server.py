"""LM Studio's server as it answers: its greeting, the models that it lists, and the addresses that it listens on.

Rules: an answer is read to 4 MiB and within seconds; an unknown path answers 200 too, so that only bodies count.
Sources: ``GET /lmstudio-greeting`` is how lms itself knows a server; proc(5) for /proc/net/tcp.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final

from bundler.errors import EngineError
from bundler.serving.lmstudio import LOOPBACK

_SECONDS: Final = 5.0
_LARGEST: Final = 4 << 20
_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTEN: Final = "0A"


def greets(port: int) -> bool:
    """Whether LM Studio answers there. Raises: EngineError when another program does, or nobody in time."""
    with socket.socket() as probe:
        probe.settimeout(_SECONDS)
        if probe.connect_ex((LOOPBACK, port)):
            return False
    document = _get(port, "/lmstudio-greeting")
    if not isinstance(document, dict) or document.get("lmstudio") is not True:
        hint = f"See who has it: ss -ltnp 'sport = :{port}'. Stop that, and run the same command again."
        raise EngineError(f"LM Studio: port {port} is taken by another program", hint=hint)
    return True


def listed(port: int) -> tuple[str, ...]:
    """The models that clients may name, loaded ones and perhaps others. Raises: EngineError for another answer."""
    document = _get(port, "/v1/models")
    rows = document.get("data") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise EngineError("LM Studio: GET /v1/models: expected a list of models, found something else")
    found = (row.get("id") for row in rows if isinstance(row, dict))
    return tuple(name for name in found if isinstance(name, str))


def outside(port: int) -> tuple[str, ...]:
    """The addresses beyond the loopback on which anybody listens at ``port``."""
    found = {address for table in _TABLES for address in _listening(table, port)}
    return tuple(sorted(str(address) for address in found if not address.is_loopback))


def _listening(table: Path, port: int) -> list[IPv4Address | IPv6Address]:
    try:
        rows = [line.split() for line in table.read_text(encoding="ascii").splitlines()[1:]]
    except OSError:
        return []
    ends = [row[1].split(":") for row in rows if len(row) > 3 and row[3] == _LISTEN]
    return [_address(address) for address, number in ends if int(number, 16) == port]


def _address(text: str) -> IPv4Address | IPv6Address:
    """The kernel writes words of 32 bits in its own order of bytes."""
    words = [int(text[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(text), 8)]
    found = ip_address(b"".join(words))
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def _get(port: int, path: str) -> object:
    """The JSON that is answered, None for any other answer. Raises: EngineError when there is none."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_SECONDS)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        data = answer.read(_LARGEST)
    except OSError as error:
        raise EngineError(f"LM Studio: GET {path} at port {port}: no answer within {_SECONDS:g} s") from error
    except http.client.HTTPException:
        return None
    finally:
        connection.close()
    try:
        return json.loads(data) if answer.status == 200 else None
    except (ValueError, RecursionError):
        return None
