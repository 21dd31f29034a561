"""One day for all tests that look at its panels, on one version of Elasticsearch, or on those that are named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.counterparts.elasticsearch import VERSIONS, Nodes, chosen
from tests.dashboards.panels.recorded import Recorded, recorded


@pytest.fixture(scope="package", params=VERSIONS)
def day(
    request: pytest.FixtureRequest, elasticsearch: Nodes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recorded]:
    """The day, recorded."""
    with recorded(elasticsearch.get(chosen(request.param)), tmp_path_factory.mktemp("day")) as made:
        yield made
