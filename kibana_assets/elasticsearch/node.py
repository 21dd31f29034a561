"""The official client's connection to a node, over our own wire: no redirect, bounded answers, proxies, pinned CAs."""

from __future__ import annotations

import time
from typing import Any

import elastic_transport
from elastic_transport import ApiResponseMeta, BaseNode, ConnectionTimeout, HttpHeaders, NodeConfig
from elastic_transport._node import NodeApiResponse
from elastic_transport.client_utils import DefaultType

from kibana_assets.connection.address import Address
from kibana_assets.connection.document import parse
from kibana_assets.connection.http import Wire
from kibana_assets.connection.reasons import innermost
from kibana_assets.connection.trust import Trust
from kibana_assets.errors import UnreachableError


def node_class(trust: Trust, proxy: str, timeout: float) -> type[BaseNode]:
    """A class of nodes that reaches each of them in the same way."""

    class Node(BaseNode):
        _CLIENT_META_HTTP_CLIENT = ("rq", "2")

        def __init__(self, config: NodeConfig) -> None:
            super().__init__(config)
            address = Address(self.base_url, config.host, config.port, config.scheme == "https")
            self._wire = Wire(address, trust, proxy=proxy, timeout=timeout)

        def perform_request(
            self,
            method: str,
            target: str,
            body: bytes | None = None,
            headers: HttpHeaders | None = None,
            request_timeout: DefaultType | float | None = None,
        ) -> NodeApiResponse:
            begun = time.monotonic()
            given = {**self._headers, **(headers or {})}
            seconds = request_timeout if isinstance(request_timeout, (int, float)) else None
            try:
                answer = self._wire.ask(method, target, given, body, seconds)
            except UnreachableError as error:
                late = isinstance(innermost(error), TimeoutError)
                raise (ConnectionTimeout if late else elastic_transport.ConnectionError)(error.message) from error
            taken = time.monotonic() - begun
            meta = ApiResponseMeta(answer.status, "1.1", HttpHeaders(_plain(answer.headers)), taken, self.config)
            return NodeApiResponse(meta, answer.body)

        def close(self) -> None:
            self._wire.close()

    return Node


def _plain(headers: Any) -> dict[str, str]:
    """Every body is read as JSON, whatever it says that it is: else a proxy's page would hide its status."""
    return {**{str(name).lower(): str(value) for name, value in headers.items()}, "content-type": "application/json"}


class Documents(elastic_transport.JsonSerializer):
    """Reads the objects in answers; what is none is None, and the status says more."""

    def loads(self, data: bytes) -> Any:
        try:
            return parse(data)
        except ValueError:
            return None
