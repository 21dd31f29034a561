"""``.inference``: an inference endpoint of Elasticsearch. Source: elastic/kibana, kbn-connector-schemas/inference.

The endpoint must exist before the connector is used, and holds the token itself: Elasticsearch calls the model, not
Kibana. A server of one's own that speaks OpenAI's API is the service ``openai`` with its own url.
"""

from __future__ import annotations

from preconfigured import address, schema
from preconfigured.connectors.interface import ConfigValue, Connector, Rendered, Secret, Wish, assemble
from preconfigured.values import check_headers, check_id, check_text
from preconfigured.version import StackVersion

TASK = "chat_completion"
SERVICE = "openai"


def render(connector: Connector, stack: StackVersion) -> Rendered:
    """Render a connector to an inference endpoint; by default the endpoint has the connector's id."""
    place = f"connectors[{connector.id}]"
    target = address.chat(connector.url, f"{place}.url")
    provider: dict[str, str] = {"url": target.url, "model_id": check_text(connector.model, f"{place}.model")}
    config: dict[str, ConfigValue | None] = {
        "provider": SERVICE,
        "taskType": TASK,
        "inferenceId": endpoint_id(connector),
        "providerConfig": provider,
        "contextWindowLength": connector.context,
        "temperature": connector.temperature,
        "headers": check_headers(connector.headers, f"{place}.headers") or None,
    }
    notes = ["the endpoint must exist first: see NEXT-STEPS.md; its token lies in Elasticsearch, not in Kibana"]
    if target.completed:
        notes.append(f"the address was completed to {target.url}")
    return assemble(
        connector,
        stack,
        schema.load("inference"),
        Wish(config, (Secret("providerSecrets", "empty"),), tuple(notes)),
    )


def endpoint_id(connector: Connector) -> str:
    """The id of the inference endpoint that stands for this connector."""
    return check_id(connector.inference_id or connector.id)
