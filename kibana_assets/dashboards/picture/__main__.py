"""``python -m kibana_assets.dashboards.picture --output DIR``: the dashboards as HTML pages.

With ``--elasticsearch URL`` they have the numbers of that cluster, of the last ``--hours``. The login comes from the
environment: ELASTICSEARCH_API_KEY or ELASTICSEARCH_TOKEN.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from kibana_assets.check.board import board
from kibana_assets.connection.login import from_environment
from kibana_assets.connection.target import target_of
from kibana_assets.connection.trust import Trust
from kibana_assets.dashboards.objects import dashboards, objects
from kibana_assets.dashboards.picture.numbers import Ask, window
from kibana_assets.dashboards.picture.write import pages
from kibana_assets.dashboards.queries import Search
from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.errors import KibanaAssetsError
from kibana_assets.package.tree import load


def main(arguments: list[str] | None = None) -> int:
    """Write the pages; 1 where that fails."""
    read = _parser().parse_args(arguments)
    now = datetime.now(timezone.utc)
    made = [board(one) for one in objects(dashboards(load())) if one["type"] == "dashboard"]
    try:
        ask = _ask(read.elasticsearch, read.ca) if read.elasticsearch else None
        for path in pages(made, read.output, ask, window(now - timedelta(hours=read.hours), now)):
            print(path)
    except KibanaAssetsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kibana_assets.dashboards.picture", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the pages are put")
    parser.add_argument("--elasticsearch", metavar="URL", help="whose numbers to show; else none")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="PEM file of the authority to trust")
    parser.add_argument("--hours", type=float, default=24, help="how far back to look (24)")
    return parser


def _ask(url: str, ca: Path | None) -> Ask:
    cluster = Cluster(target_of([url], None, login=from_environment(os.environ), trust=Trust(ca=ca)))

    def ask(search: Search) -> dict[str, Any]:
        params = {"ignore_unavailable": "true"}
        answer: dict[str, Any] = cluster.call("POST", f"/{search.index}/_search", search.body, params=params)
        return answer

    return ask


if __name__ == "__main__":
    sys.exit(main())
