"""The same local model as an inference endpoint of Elasticsearch, which newer stacks prefer to ``.gen-ai``.

Rules: the body here has no token; whoever sends it puts that in. Elasticsearch calls the model, so its nodes must
reach the proxy and trust its certificate. Source: Elasticsearch API, Create an OpenAI inference endpoint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from preconfigured import address
from preconfigured.connectors import LOCAL_PROVIDERS, Connector
from preconfigured.connectors.inference import SERVICE, TASK, endpoint_id
from preconfigured.values import check_text
from preconfigured.version import Since

ENDPOINT_SINCE = Since.parse(["8.18.0", "9.0.0"])
TOKEN = "<token>"  # noqa: S105 - a place to fill in, no secret


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An inference endpoint to be made: PUT ``body`` to ``path``, with the token in place of ``TOKEN``."""

    path: str
    body: str


def endpoint(connector: Connector) -> Endpoint | None:
    """The endpoint for a connector to a server of one's own; None for the providers of others.

    Raises:
        ConnectorError: the connector's address, model or id is not fit for one.
    """
    if connector.provider not in LOCAL_PROVIDERS | {"inference"}:
        return None
    place = f"connectors[{connector.id}]"
    service_settings = {
        "api_key": TOKEN,
        "model_id": check_text(connector.model, f"{place}.model"),
        "url": address.chat(connector.url, f"{place}.url").url,
    }
    body = {"service": SERVICE, "service_settings": service_settings}
    return Endpoint(f"_inference/{TASK}/{endpoint_id(connector)}", json.dumps(body, indent=2, ensure_ascii=False))
