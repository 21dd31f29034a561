"""``.bedrock``: Amazon Bedrock. Source: elastic/kibana, kbn-connector-schemas/bedrock."""

from __future__ import annotations

import re

from preconfigured import address, schema
from preconfigured.connectors.interface import Connector, Rendered, Secret, Wish, assemble
from preconfigured.errors import ConnectorError
from preconfigured.values import check_headers, check_text
from preconfigured.version import StackVersion

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]{2,10}){1,3}-[0-9]{1,2}", re.ASCII)


def render(connector: Connector, stack: StackVersion) -> Rendered:
    """Render a connector to Amazon Bedrock; without an address the region's public one is taken."""
    place = f"connectors[{connector.id}]"
    url = connector.url or f"https://bedrock-runtime.{_region(connector.region, place)}.amazonaws.com"
    config = {
        "apiUrl": address.server(url, f"{place}.url").url,
        # The public address names it; that of a private endpoint need not.
        "region": _region(connector.region, place) if connector.url and connector.region else None,
        "defaultModel": check_text(connector.model, f"{place}.model") if connector.model else None,
        "contextWindowLength": connector.context,
        "temperature": connector.temperature,
        "headers": check_headers(connector.headers, f"{place}.headers") or None,
    }
    wish = Wish(config, (Secret("accessKey"), Secret("secret")))
    return assemble(connector, stack, schema.load("bedrock"), wish)


def _region(region: str, place: str) -> str:
    if not _REGION.fullmatch(region):
        raise ConnectorError(
            f"{place}.region: expected an AWS region such as eu-central-1, found {region[:40]!r}",
            hint="Give the region, or the whole address as url.",
        )
    return region
