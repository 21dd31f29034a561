"""One day for all tests that look at its panels, on one version of Elasticsearch, or on those that are named."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.counterparts.elasticsearch import VERSIONS, Nodes
from tests.dashboards.panels.recorded import Recorded, recorded

# Every search is tried on both versions with documents of the pipelines' tests; a day costs half a minute each.
WITHOUT_SAYING = VERSIONS[:1]


@pytest.fixture(scope="package", params=VERSIONS)
def day(
    request: pytest.FixtureRequest, elasticsearch: Nodes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recorded]:
    """The day, recorded."""
    if "ELASTICSEARCH_VERSIONS" not in os.environ and request.param not in WITHOUT_SAYING:
        pytest.skip(f"set ELASTICSEARCH_VERSIONS={request.param} to see the panels on it too")
    with recorded(elasticsearch.get(request.param), tmp_path_factory.mktemp("day")) as made:
        yield made
