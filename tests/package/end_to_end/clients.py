"""The clients of a site, OpenAI's own and hands at a socket, and what they see."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Final

import openai

from tests.package.end_to_end.site import TOKENS, Site
from tests.serving.nginx.clients import client_of
from tests.serving.nginx.running import NAME
from tests.serving.nginx.wire import Reply, connect, http1

CHAT: Final = "/v1/chat/completions"
PROMPT: Final = "marked-prompt-4711"
WRONG: Final = "tok_wrong-" + "d" * 32
# Not the wrong token: the library loses an answer that comes before its request is sent whole.
OVER_HTTP2: Final = "kibana.old"
_THREADS: Final = 6


@dataclass(frozen=True, slots=True)
class Saw:
    """What a client saw of a request; status 499 where it hung up first. ``label`` is that of its token, if valid.

    ``id`` is empty where no answer told it, ``model`` where none was asked for. ``whole`` is False for an answer that
    the client left in the middle, and None where it left at ``[DONE]``, as OpenAI's client does: then it is chance
    whether the proxy still got rid of the last chunk, which is empty.
    """

    proxy: str
    status: int
    path: str
    label: str
    id: str
    seconds: float
    model: str = ""
    whole: bool | None = True


@dataclass(slots=True)
class Clients:
    """The clients of a site; ``saw`` grows with each request that is done."""

    site: Site
    saw: list[Saw] = field(default_factory=list)
    _open: ExitStack = field(default_factory=ExitStack)
    _clients: dict[tuple[str, str], openai.OpenAI] = field(default_factory=dict)
    # One connection for all streams, and OpenSSL lets no two threads read and write one connection at once.
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Clients:
        for label, token in [*TOKENS.items(), ("", WRONG)]:
            for name, proxy in self.site.proxies.items():
                made = client_of(proxy, self.site.certificate, token=token, http2=label == OVER_HTTP2)
                self._clients[name, label] = self._open.enter_context(made)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def chat(self, proxy: str, label: str, model: str = "tiny", *, stream: bool = False) -> Saw:
        """A chat by OpenAI's own client, to its end."""
        asked: Any = {"model": model, "messages": [{"role": "user", "content": PROMPT}], "stream": stream}
        create = self._clients[proxy, label].chat.completions.with_raw_response.create
        saw = self._asked(proxy, label, CHAT, lambda: create(**asked), model)
        return replace(saw, whole=None) if stream else saw

    def models(self, proxy: str, label: str) -> Saw:
        """The list of models."""
        client = self._clients[proxy, label]
        return self._asked(proxy, label, "/v1/models", client.models.with_raw_response.list)

    def embed(self, label: str) -> Saw:
        """An embedding."""
        create = self._clients["vllm", label].embeddings.with_raw_response.create
        return self._asked("vllm", label, "/v1/embeddings", lambda: create(model="tiny", input=PROMPT), "tiny")

    def raw(self, line: str, label: str, path: str, *more: str, body: bytes = b"") -> Saw:
        """A request by hand, with the token of ``label`` (none without) and further lines of a head."""
        bearer = [f"Authorization: Bearer {TOKENS[label]}"] if label else []
        head = "\r\n".join([line, f"Host: {NAME}", *bearer, *more, "Connection: close", "", ""])
        began = time.perf_counter()
        reply: Reply = http1(self.site.proxies["vllm"].config.https_port, head.encode() + body, self.site.certificate)
        seconds = time.perf_counter() - began
        return Saw("vllm", reply.status, path, label, reply.header("x-request-id") or "", seconds)

    def hang_up(self, label: str, *, stream: bool) -> Saw:
        """Leave before the first byte, or in the middle of a stream."""
        body = b'{"model": "tiny", "stream": true}' if stream else b'{"model": "tiny"}'
        head = [f"POST {CHAT} HTTP/1.1", f"Host: {NAME}", f"Authorization: Bearer {TOKENS[label]}"]
        text = "\r\n".join([*head, "Content-Type: application/json", f"Content-Length: {len(body)}", "", ""])
        began = time.perf_counter()
        with connect(self.site.proxies["vllm"].config.https_port, self.site.certificate, NAME) as line:
            line.sendall(text.encode() + body)
            answer = line.recv(65536) if stream else b""
            time.sleep(0.1)
        words = [row.split(": ") for row in answer.decode().split("\r\n") if row.lower().startswith("x-request-id: ")]
        seconds = time.perf_counter() - began
        return Saw("vllm", 200 if stream else 499, CHAT, label, words[0][1] if words else "", seconds, "tiny", False)

    def all(self, calls: Iterable[Callable[[], Saw]]) -> None:
        """Do these, some at a time."""
        with ThreadPoolExecutor(_THREADS) as pool:
            self.saw += pool.map(lambda call: call(), calls)

    def _asked(self, proxy: str, label: str, path: str, call: Callable[[], Any], model: str = "") -> Saw:
        with self._one_at_a_time if label == OVER_HTTP2 else nullcontext():
            began = time.perf_counter()
            try:
                answer = call()
                read = answer.parse()
                for _ in read if isinstance(read, openai.Stream) else ():
                    pass
                status, headers = answer.status_code, answer.headers
            except openai.APIStatusError as error:
                status, headers = error.status_code, error.response.headers
            seconds = time.perf_counter() - began
        return Saw(proxy, status, path, label, headers["x-request-id"], seconds, model)
