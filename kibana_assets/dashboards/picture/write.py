"""All dashboards as pages in a folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kibana_assets.check.board import Board
from kibana_assets.dashboards.picture.numbers import Ask, Numbers, numbers, without
from kibana_assets.dashboards.picture.page import page
from kibana_assets.dashboards.queries import Window
from kibana_assets.errors import PackageError


def pages(boards: Iterable[Board], folder: Path, ask: Ask | None, over: Window) -> list[Path]:
    """Write ``<id>.html`` for each; without ``ask`` they have no numbers. Raises: PackageError; what ``ask`` raises."""
    made = []
    for board in boards:
        found: dict[str, Numbers | None] = {}
        for panel in board.panels:
            if panel.layers:
                found[panel.id] = numbers(panel, board, ask, over) if ask else without(panel)
        path = folder / f"{board.id}.html"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(page(board, found), encoding="utf-8")
        except OSError as error:
            hint = "Name another folder with --output."
            raise PackageError(f"{path}: cannot be written: {error.strerror}", hint=hint) from error
        made.append(path)
    return made
