"""All panels of all dashboards, each number beside what the clients saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from kibana_assets.check.board import Board
from kibana_assets.check.board import board as taken_apart
from kibana_assets.dashboards.objects import dashboards, objects
from kibana_assets.package.tree import load
from tests.dashboards.panels.asking import shown
from tests.dashboards.panels.compare import Expected, Line, lines
from tests.dashboards.panels.diary import Diary
from tests.dashboards.panels.expected import lmstudio, overview, proxy, troubleshooting, vllm
from tests.dashboards.panels.recorded import Recorded

EXPECTED: Final[Mapping[str, Callable[[Diary], dict[str, Expected]]]] = MappingProxyType(
    {
        "local_llm-overview": overview.expected,
        "local_llm-proxy": proxy.expected,
        "local_llm-vllm": vllm.expected,
        "local_llm-lmstudio": lmstudio.expected,
        "local_llm-troubleshooting": troubleshooting.expected,
    }
)


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel with its numbers; ``substituted`` says what the test nodes lack and what was asked in its place."""

    board: str
    name: str
    kind: str
    lines: tuple[Line, ...]
    substituted: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether it shows nothing, or nothing but zeros."""
        return not any(line.shown not in (None, 0, "nothing") for line in self.lines)


def boards() -> dict[str, Board]:
    """The dashboards as they are compiled."""
    return {one["id"]: taken_apart(one) for one in objects(dashboards(load())) if one["type"] == "dashboard"}


def panels(recorded: Recorded, board: Board) -> Iterator[Panel]:
    """The panels of a dashboard that show data."""
    expected = EXPECTED[board.id](recorded.diary)
    for panel in board.panels:
        if not panel.layers:
            continue
        wanted = expected.get(panel.id, Expected({}))
        found = shown(recorded, board, panel, wanted.over)
        kind = str(panel.attributes.get("visualizationType", panel.type))
        yield Panel(board.id, panel.id, kind, tuple(lines(panel.id, found, wanted)), found.substituted)


def table(found: Iterable[Panel], *, all_rows: int = 3) -> str:
    """Panel by panel, each value beside what was expected, of those that are right ``all_rows`` a panel at most."""
    rows = []
    for panel in found:
        said = f"  ! on a test node: {', '.join(panel.substituted)}" if panel.substituted else ""
        right = sum(line.right for line in panel.lines)
        rows.append(f"{panel.board} / {panel.name} ({panel.kind}): {right} of {len(panel.lines)} right{said}")
        chosen = [line for line in panel.lines if not line.right] + [line for line in panel.lines if line.right][
            :all_rows
        ]
        for line in chosen:
            mark = " " if line.right else "✗"
            name = " ".join(part for part in (line.key, line.column) if part)
            rows.append(f"  {mark} {name[:70]:70} {_written(line.shown):>28}  {_written(line.expected)}")
    return "\n".join(rows)


def _written(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
