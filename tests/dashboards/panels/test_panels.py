"""Every panel of every dashboard, as the query that Lens would send, shows what the clients of the day saw."""

from __future__ import annotations

import pytest

from tests.dashboards.panels.recorded import Recorded
from tests.dashboards.panels.report import EXPECTED, boards, panels, table

BOARDS = boards()


def test_every_dashboard_has_expectations() -> None:
    assert set(EXPECTED) == set(BOARDS)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", BOARDS)
def test_every_panel_shows_what_the_clients_saw(name: str, day: Recorded) -> None:
    found = list(panels(day, BOARDS[name]))
    assert {one.name for one in found} == set(EXPECTED[name](day.diary)), (
        "a panel without an expectation, or none of it"
    )
    assert [one.name for one in found if one.empty] == [], "panels without data"
    wrong = [one for one in found if not all(line.right for line in one.lines)]
    assert not wrong, "\n" + table(wrong, all_rows=0)
