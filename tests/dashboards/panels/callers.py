"""Clients: OpenAI's own, and hands at a socket. Each call ends with its ``Call``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final

import openai

from tests.dashboards.panels.diary import Call
from tests.package.end_to_end.clients import CHAT, PROMPT, WRONG
from tests.package.end_to_end.site import TOKENS, Site
from tests.serving.nginx.clients import client_of
from tests.serving.nginx.running import NAME
from tests.serving.nginx.wire import connect, http1

CURL: Final = "curl/8.14.1"


class Callers:
    """The clients of a site. A context manager."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._open = ExitStack()
        self._clients: dict[tuple[str, str], openai.OpenAI] = {}

    def __enter__(self) -> Callers:
        for label, token in [*TOKENS.items(), ("", WRONG)]:
            for name, proxy in self.site.proxies.items():
                made = client_of(proxy, self.site.certificate, token=token)
                self._clients[name, label] = self._open.enter_context(made)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def chat(self, proxy: str, label: str, model: str = "tiny") -> Call:
        """A chat by OpenAI's client."""
        asked: Any = {"model": model, "messages": [{"role": "user", "content": PROMPT}]}
        create = self._clients[proxy, label].chat.completions.with_raw_response.create
        return replace(self._by_openai(proxy, label, CHAT, lambda: create(**asked)), model=model)

    def embed(self, label: str) -> Call:
        """An embedding by OpenAI's client."""
        create = self._clients["vllm", label].embeddings.with_raw_response.create
        return self._by_openai("vllm", label, "/v1/embeddings", lambda: create(model="tiny", input=PROMPT))

    def models(self, proxy: str, label: str) -> Call:
        """The list of models by OpenAI's client."""
        return self._by_openai(proxy, label, "/v1/models", self._clients[proxy, label].models.with_raw_response.list)

    def stream(self, proxy: str, label: str, model: str = "tiny", *, leave: bool = False, asked: bool = True) -> Call:
        """A chat by hand, streamed or not ``asked`` to be. ``leave`` after the first bytes, or after a moment."""
        question = {"model": model, "stream": asked, "messages": [{"role": "user", "content": PROMPT}]}
        return replace(self.by_hand(f"POST {CHAT} HTTP/1.1", proxy, label, CHAT, question, leave=leave), model=model)

    def by_hand(
        self, line: str, proxy: str, label: str, path: str, question: Any = None, *more: str, leave: bool = False
    ) -> Call:
        """A request of this first line, with the token of ``label`` (none without), as curl would send it."""
        body = b"" if question is None else json.dumps(question).encode()
        head = [line, f"Host: {NAME}", f"User-Agent: {CURL}", *more]
        head += [f"Authorization: Bearer {TOKENS[label]}"] if label else []
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
        sent = "\r\n".join([*head, "Connection: close", "", ""]).encode() + body
        port, began = self.site.proxies[proxy].config.https_port, time.time()
        if leave:
            # The answer of a stream begins at once, on a busy machine a little later; any other not for a while.
            return self._left(proxy, label, path, sent, began, patience=5 if b'"stream": true' in body else 0.15)
        reply = http1(port, sent, self.site.certificate)
        chunked = (reply.header("transfer-encoding") or "") == "chunked"
        whole = not chunked or reply.body.endswith(b"0\r\n\r\n")
        name = reply.header("x-request-id") or ""
        agent = CURL if line.count(" ") == 2 and "HTTP/1.1" in line else ""
        said = Call(proxy, reply.status, path, label, began, time.time(), id=name, bytes=len(reply.body), agent=agent)
        return replace(said, whole=whole)

    def _left(self, proxy: str, label: str, path: str, sent: bytes, began: float, patience: float) -> Call:
        """Leave in the middle of a stream, or before the first byte where none comes in ``patience`` seconds."""
        with connect(self.site.proxies[proxy].config.https_port, self.site.certificate, NAME) as line:
            line.sendall(sent)
            line.settimeout(patience)
            try:
                answer = line.recv(65536).decode()
            except TimeoutError:
                answer = ""
        words = [row.split(": ")[1] for row in answer.split("\r\n") if row.lower().startswith("x-request-id: ")]
        time.sleep(0.1)
        said = Call(proxy, 200 if answer else 499, path, label, began, time.time(), "client", "".join(words))
        return replace(said, whole=False, agent=CURL)

    def _by_openai(self, proxy: str, label: str, path: str, call: Callable[[], Any]) -> Call:
        agent, began = str(self._clients[proxy, label].user_agent), time.time()
        try:
            answer = call()
            status, headers, size = answer.status_code, answer.headers, len(answer.content)
        except openai.APIStatusError as error:
            status, headers, size = error.status_code, error.response.headers, len(error.response.content)
        return Call(proxy, status, path, label, began, time.time(), id=headers["x-request-id"], bytes=size, agent=agent)
