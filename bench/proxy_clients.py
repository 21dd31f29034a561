"""The real OpenAI client beside the stand-in engine: when the first token comes, and whether a silence is survived."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import openai

from bench.proxy_servers import ours
from bench.table import Row
from tests.counterparts.certificates import Certificate
from tests.counterparts.engine import KEY
from tests.counterparts.model_server import Behaviour, ModelServer
from tests.serving.nginx.running import TOKEN, client_context

_GAP = 0.05


def first_tokens(place: Path, certificate: Certificate, turns: int) -> dict[str, list[float]]:
    """Milliseconds that the first event of a stream came later than without the proxy, turn by turn.

    On a connection that is open already, and on one that has to be made, with its handshake.
    """
    found: dict[str, list[float]] = {"open connection": [], "new connection with its handshake": []}
    with ModelServer(Behaviour(token=KEY, gap=_GAP, events=4)) as server, ExitStack() as stack:
        proxy = stack.enter_context(ours(place, server.host, certificate))
        with _client(server.url, certificate) as direct, _client(proxy.base, certificate) as through:
            for one in (direct, through):
                _first(one)
            for _ in range(turns):
                found["open connection"].append(_later(direct, through))
        for _ in range(turns):
            with _client(server.url, certificate) as direct, _client(proxy.base, certificate) as through:
                found["new connection with its handshake"].append(_later(direct, through))
    return found


@contextmanager
def silences(place: Path, certificate: Certificate, seconds: int) -> Iterator[Callable[[], Row]]:
    """Ask an engine that is silent for ``seconds`` before it answers, and one that is between two tokens of a stream.

    Both wait while other figures are made; what is yielded waits for them and says how many were answered whole.
    """
    whole: list[str] = []
    with (
        ModelServer(Behaviour(token=KEY, stall=seconds)) as before,
        ModelServer(Behaviour(token=KEY, gap=seconds, events=0)) as between,
        ours(place / "before", before.host, certificate) as first,
        ours(place / "between", between.host, certificate) as second,
    ):
        threads = [
            threading.Thread(target=_ask_patiently, args=(base, certificate, streams, whole), daemon=True)
            for base, streams in ((first.base, False), (second.base, True))
        ]
        for thread in threads:
            thread.start()

        def row() -> Row:
            for thread in threads:
                thread.join(2 * seconds + 30)
            what = f"answers after a silence of {seconds} s, before the first byte and in a stream"
            return Row(what, len(whole), "at least", 2, detail="; ".join(whole))

        yield row


def _ask_patiently(base: str, certificate: Certificate, streams: bool, whole: list[str]) -> None:
    began = time.monotonic()
    with _client(base, certificate, timeout=7200) as client:
        try:
            if streams:
                reasons = (chunk.choices[0].finish_reason for chunk in _stream(client))
                finish = next((reason for reason in reasons if reason), None)
            else:
                finish = client.chat.completions.create(model="mistral-small", messages=[]).choices[0].finish_reason
        except openai.OpenAIError as error:
            print(f"bench: silence, {'stream' if streams else 'completion'}: {error!r}", flush=True)
            return
    if finish == "stop":
        whole.append(f"{'stream' if streams else 'completion'} whole after {time.monotonic() - began:.0f} s")


def _later(direct: openai.OpenAI, through: openai.OpenAI) -> float:
    without = _first(direct)
    return (_first(through) - without) * 1e3


def _first(client: openai.OpenAI) -> float:
    """Seconds until the first event; the rest is read, so that the connection can be used again."""
    began = time.perf_counter()
    events = iter(_stream(client))
    next(events)
    found = time.perf_counter() - began
    for _ in events:
        pass
    return found


def _stream(client: openai.OpenAI) -> openai.Stream[openai.types.chat.ChatCompletionChunk]:
    return client.chat.completions.create(
        model="mistral-small", messages=[{"role": "user", "content": "count"}], stream=True
    )


def _client(base: str, certificate: Certificate, timeout: float = 60) -> openai.OpenAI:
    plain = base.startswith("http://")
    transport = openai.DefaultHttpxClient(verify=client_context(certificate))
    return openai.OpenAI(
        base_url=f"{base}/v1",
        api_key=KEY if plain else TOKEN,
        http_client=transport,
        max_retries=0,
        timeout=timeout,
    )
