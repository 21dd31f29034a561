"""The real OpenAI client as a client of the proxy: it finds the loopback under the proxy's name and usual ports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2 as httpx
import openai

from tests.counterparts.certificates import Certificate
from tests.serving.nginx.running import NAME, TOKEN, Running, client_context


class AtTheLoopback(httpx.HTTPTransport):
    """Sends what is for the proxy's name to the loopback: ports 80 and 443 to those that the proxy has here."""

    def __init__(self, running: Running, certificate: Certificate, *, http2: bool) -> None:
        super().__init__(verify=client_context(certificate), http2=http2)
        self._ports = {"http": running.config.http_port, "https": running.config.https_port}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_with(host="127.0.0.1", port=request.url.port or self._ports[request.url.scheme])
        sent = httpx.Request(
            request.method,
            url,
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": NAME},
        )
        # Not the client's own: by its address the client tells whether a redirect leads elsewhere.
        return super().handle_request(sent)


@contextmanager
def client_of(
    running: Running,
    certificate: Certificate,
    *,
    base: str = f"https://{NAME}/v1",
    token: str = TOKEN,
    http2: bool = False,
    retries: int = 0,
    timeout: float = 20,
) -> Iterator[openai.OpenAI]:
    """A client that is closed afterwards; otherwise as OpenAI makes it, redirects and all."""
    transport = AtTheLoopback(running, certificate, http2=http2)
    http = openai.DefaultHttpxClient(transport=transport)
    with openai.OpenAI(base_url=base, api_key=token, http_client=http, max_retries=retries, timeout=timeout) as client:
        yield client
