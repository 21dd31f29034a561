"""What happens at the site: a thousand requests, in parts. After each, the clients have seen their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from tests.package.end_to_end.clients import CHAT, Clients, Saw
from tests.package.end_to_end.site import MODELS, TOKENS

Call = Callable[[], Saw]
_LARGE: Final = "Content-Length: 33554433"


def with_labels(count: int, call: Callable[[str], Saw]) -> Iterator[Call]:
    """``count`` of the same, with labels in turn, the first more often."""
    names = list(TOKENS)
    return (partial(call, names[number % 7 % 3]) for number in range(count))


def calm(clients: Clients) -> None:
    """370 requests that are answered quickly."""
    clients.site.engine.conduct.stall = 0.02
    clients.all(
        [
            *with_labels(160, lambda label: clients.chat("vllm", label)),
            *with_labels(60, lambda label: clients.chat("vllm", label, stream=True)),
            *with_labels(60, clients.embed),
            *with_labels(50, lambda label: clients.models("vllm", label)),
            *with_labels(40, lambda label: clients.chat("lmstudio", label, MODELS[0])),
        ]
    )


def busy(clients: Clients) -> None:
    """190 that are answered slowly, or more slowly."""
    for count, stall in ((140, 0.08), (50, 0.3)):
        clients.site.engine.conduct.stall = stall
        clients.all(with_labels(count, lambda label: clients.chat("vllm", label)))


def refused(clients: Clients) -> None:
    """200 that the proxy refuses."""
    clients.site.engine.conduct.stall = 0.0
    clients.all(
        [
            *(partial(clients.chat, "vllm", "") for _ in range(60)),
            *(partial(clients.raw, f"POST {CHAT} HTTP/1.1", "", CHAT, "Content-Length: 0") for _ in range(20)),
            *with_labels(40, lambda label: clients.raw("GET /metrics HTTP/1.1", label, "/metrics")),
            *with_labels(20, lambda label: clients.raw(f"DELETE {CHAT} HTTP/1.1", label, CHAT)),
            *with_labels(30, lambda label: clients.raw(f"POST {CHAT} HTTP/1.1", label, CHAT, _LARGE)),
            *(partial(clients.raw, "GET /v1/models HTTP", "", "") for _ in range(30)),
        ]
    )


def abandoned(clients: Clients) -> None:
    """30 whose client hangs up, and 10 that the engine answers too late."""
    conduct = clients.site.engine.conduct
    conduct.stall = 0.4
    clients.all(with_labels(20, lambda label: clients.hang_up(label, stream=False)))
    conduct.stall, conduct.gap = 0.0, 0.2
    clients.all(with_labels(10, lambda label: clients.hang_up(label, stream=True)))
    conduct.stall, conduct.gap = 1.5, 0.0
    clients.all(with_labels(10, lambda label: clients.chat("vllm", label)))
    conduct.stall = 0.0


def lmstudio(clients: Clients) -> None:
    """200 to LM Studio, which is down for a while."""
    first, second = MODELS
    clients.all(
        [
            *with_labels(60, lambda label: clients.chat("lmstudio", label, first)),
            *with_labels(50, lambda label: clients.chat("lmstudio", label, second)),
            *with_labels(30, lambda label: clients.chat("lmstudio", label, second, stream=True)),
            *with_labels(10, lambda label: clients.chat("lmstudio", label, "nobody/none")),
            *with_labels(10, lambda label: clients.models("lmstudio", label)),
        ]
    )
    clients.site.lmstudio.stop()
    clients.all(with_labels(20, lambda label: clients.chat("lmstudio", label, first)))
    clients.site.lmstudio.start()
    clients.all(with_labels(20, lambda label: clients.chat("lmstudio", label, second)))
