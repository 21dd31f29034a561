"""A trial of a model straight through its proxy, without Kibana: from the name in DNS to the first token of a stream.

Rules: each step is one finding, and a step that breaks ends the trial where the next could say nothing. The model is
asked five short questions. The token is sent to the address that was given and to nobody else, and is never shown.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from preconfigured import address
from preconfigured.errors import ConnectorError, UsageError
from preconfigured.live import questions, replies, streaming
from preconfigured.live.diagnose import of_status, words_of
from preconfigured.live.finding import Finding, Trial, said
from preconfigured.live.wire import Answer, Broken, Wire, context

_MODELS = "/models"
_CHAT = "/chat/completions"


def try_model(
    url: str,
    model: str,
    token: str,
    *,
    ca: Path | None = None,
    timeout: float = 60.0,
    progress: Callable[[str], None] = lambda check: None,
) -> Trial:
    """Try a model at ``url`` (its path is completed to /v1/chat/completions); ``timeout`` in seconds for each answer.

    Raises:
        UsageError: the address, the token or the CA file cannot be used.
    """
    target = _target(url)
    _check_token(token)
    context(ca)
    steps = _Steps(Wire(target, token, ca, timeout), model, progress)
    # Whatever a server sends back, the token is in no finding.
    findings = tuple(_without(token, one) for one in steps.run())
    return Trial(findings, steps.first)


class _Steps:
    def __init__(self, wire: Wire, model: str, progress: Callable[[str], None]) -> None:
        self.first: float | None = None
        self._wire = wire
        self._model = model
        self._progress = progress
        self._chat = "/" + wire.address.url.split("/", 3)[3]
        self._models = self._chat.removesuffix(_CHAT) + _MODELS

    def run(self) -> Iterator[Finding]:
        check = ""
        try:
            for check, step in (("dns", self._dns), ("tcp", self._tcp), ("tls", self._tls), ("models", self._listed)):
                self._progress(check)
                found = list(step())
                yield from found
                if any(finding.state == "block" for finding in found):
                    return
        except Broken as broken:
            yield _broken(check, broken)
            return
        for check, ask in (
            ("chat", self._answers),
            ("large-request", self._large),
            ("tool-call", self._tool),
            ("stream", self._stream),
        ):
            self._progress(check)
            try:
                found = list(ask(check))
            except Broken as broken:
                found = [_broken(check, broken)]
            yield from found
            if check == "chat" and found[-1].state == "block":
                return

    def _dns(self) -> Iterator[Finding]:
        found = self._wire.resolve()
        yield Finding("dns", "ok", f"{self._wire.address.host} is {', '.join(found[:4])}")

    def _tcp(self) -> Iterator[Finding]:
        self._wire.connect().close()
        yield Finding("tcp", "ok", f"port {self._wire.address.port} is open")

    def _tls(self) -> Iterator[Finding]:
        if self._wire.address.scheme == "http":
            yield _in_clear(self._wire.address)
            return
        with self._wire.secure(self._wire.connect()) as secured:
            assert isinstance(secured, ssl.SSLSocket)
            until = str((secured.getpeercert() or {}).get("notAfter", "a date that it does not tell"))
            yield Finding("tls", "ok", f"{secured.version()}, the certificate is trusted, good until {said(until)}")

    def _listed(self) -> Iterator[Finding]:
        answer = self._wire.ask("GET", self._models)
        if answer.status != 200:
            found = self._status("models", answer)
            if found.place == "token":
                yield found
            else:
                fix = f"Let the proxy pass {self._models} on, if the list of models is wanted."
                yield Finding("models", "ok", f"the list of models is not to be had here ({answer.status})", fix=fix)
            return
        yield from replies.model_listed(replies.load(answer.body), self._model)
        if self._wire.ask("GET", self._models, token=False).status == 200:
            fix = "Check the token at the proxy, or start vLLM with VLLM_API_KEY set."
            yield Finding("token", "warn", "the server answers without a token too", "token", fix)
        else:
            yield Finding("token", "ok", "taken, and without one the server refuses")

    def _answers(self, check: str) -> Iterator[Finding]:
        answer = self._wire.ask("POST", self._chat, questions.packed(questions.plain(self._model)))
        if answer.status != 200:
            yield self._status(check, answer)
        else:
            yield replies.answered(check, replies.load(answer.body), answer.seconds)

    def _large(self, check: str) -> Iterator[Finding]:
        body = questions.packed(questions.plain(self._model), at_least=questions.LARGE_BYTES)
        answer = self._wire.ask("POST", self._chat, body)
        if answer.status != 200:
            yield self._status(check, answer)
        else:
            yield Finding(check, "ok", f"a request of {len(body) // 1024:,} KiB gets through")

    def _tool(self, check: str) -> Iterator[Finding]:
        answer = self._wire.ask("POST", self._chat, questions.packed(questions.tool(self._model)))
        if answer.status != 200:
            yield self._status(check, answer)
        else:
            yield replies.tool_called(check, replies.load(answer.body))

    def _stream(self, check: str) -> Iterator[Finding]:
        question = {**questions.counting(self._model), "stream": True}
        refused: list[Answer] = []

        def pieces() -> Iterator[tuple[float, bytes]]:
            for one in self._wire.stream(self._chat, questions.packed(question)):
                if isinstance(one, Answer):
                    refused.append(one)
                else:
                    yield one

        streamed = streaming.read(pieces())
        if refused:
            yield self._status(check, refused[0])
            return
        self.first = streamed.first
        yield from streaming.judge(streamed)

    def _status(self, check: str, answer: Answer) -> Finding:
        return of_status(check, answer.status, said(words_of(answer.body), (self._wire.token,)))


def _target(url: str) -> address.Address:
    try:
        return address.chat(url, "--direct")
    except ConnectorError as error:
        raise UsageError(error.message, hint=error.hint) from error


def _without(token: str, one: Finding) -> Finding:
    return replace(one, found=one.found.replace(token, "…"), fix=one.fix.replace(token, "…"))


def _check_token(token: str) -> None:
    if not token or any(not 33 <= ord(c) <= 126 for c in token):
        raise UsageError(
            "token: expected plain characters without spaces, found none or others",
            hint="A header cannot carry others; look for a line break or a quotation mark at its ends.",
        )


def _in_clear(target: address.Address) -> Finding:
    if target.is_loopback:
        return Finding("tls", "ok", "http on this machine only")
    fix = "Let the proxy serve https, and give the connector an https:// address."
    return Finding("tls", "warn", "http: the token and every prompt cross the network in clear", "tls", fix)


def _broken(check: str, broken: Broken) -> Finding:
    why = broken.reason
    return Finding(check, "block", why.found, why.place, why.fix)
