"""``python -m tests.dashboards.panels URL [DIR]``: the day on the node at URL; its table, and its pictures in DIR."""

from __future__ import annotations

import sys
import tempfile
from datetime import datetime
from pathlib import Path

from kibana_assets.dashboards.picture.numbers import window
from kibana_assets.dashboards.picture.write import pages
from tests.counterparts.elasticsearch import connect
from tests.dashboards.panels.asking import asked
from tests.dashboards.panels.recorded import Recorded, recorded
from tests.dashboards.panels.report import boards, panels, table


def main(url: str, folder: str = "") -> None:
    """Live the day and show it."""
    with tempfile.TemporaryDirectory() as place, recorded(connect(url), Path(place)) as day:
        for board in boards().values():
            print(table(panels(day, board)))
        if folder:
            _draw(day, Path(folder))


def _draw(day: Recorded, folder: Path) -> None:
    over = day.window(1)
    start, end = (datetime.fromisoformat(one) for one in (over.start, over.end))
    middle = start + (end - start) / 2
    around = window(middle - (end - start) / 10, middle + (end - start) / 10)
    for path in pages(boards().values(), folder, lambda search: asked(day.node, search, set()), around):
        print(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
