"""``.gemini``: Google Vertex AI. Source: elastic/kibana, kbn-connector-schemas/gemini.

The key file of the service account goes into the keystore as one string, not as an object.
"""

from __future__ import annotations

import re

from preconfigured import address, schema
from preconfigured.connectors.interface import Connector, Rendered, Secret, Wish, assemble
from preconfigured.errors import ConnectorError
from preconfigured.values import check_headers, check_path, check_text
from preconfigured.version import StackVersion

_REGION = re.compile(r"global|[a-z]+(?:-[a-z]+)+[0-9]{1,2}", re.ASCII)


def render(connector: Connector, stack: StackVersion) -> Rendered:
    """Render a connector to Google Vertex AI; without an address the region's public one is taken."""
    place = f"connectors[{connector.id}]"
    region = _region(connector.region, place)
    host = "aiplatform.googleapis.com" if region == "global" else f"{region}-aiplatform.googleapis.com"
    config = {
        "apiUrl": address.server(connector.url or f"https://{host}", f"{place}.url").url,
        "gcpRegion": region,
        "gcpProjectID": check_text(connector.project, f"{place}.project", limit=64),
        "defaultModel": check_text(connector.model, f"{place}.model") if connector.model else None,
        "contextWindowLength": connector.context,
        "temperature": connector.temperature,
        "headers": check_headers(connector.headers, f"{place}.headers") or None,
    }
    path = check_path(connector.credentials, f"{place}.credentials") if connector.credentials else ""
    wish = Wish(config, (Secret("credentialsJson", "json", path),))
    return assemble(connector, stack, schema.load("gemini"), wish)


def _region(region: str, place: str) -> str:
    if not _REGION.fullmatch(region):
        raise ConnectorError(
            f"{place}.region: expected a Google Cloud region such as europe-west3, found {region[:40]!r}",
            hint="Give the region in which the project may use Vertex AI.",
        )
    return region
