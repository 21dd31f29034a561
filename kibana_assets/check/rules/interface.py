"""What a rule is: of a dashboard and what there is beside it, (place, found, expected) of each fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kibana_assets.check.board import Board
from kibana_assets.check.context import Context

Fault = tuple[str, str, str]
Faults = Iterator[Fault]
Rule = Callable[[Board, Context], Faults]
