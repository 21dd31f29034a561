"""The rows of a report: secrets blotted out, lengths bounded, and what counts as fit."""

from __future__ import annotations

import pytest

from bundler.errors import EngineError, IntegrityError, MachineError
from bundler.progress import SILENT
from bundler.site.rehearse.report import Check, Ending, Ledger, Rehearsal, State


def fails(error: Exception) -> str:
    raise error


def test_a_secret_that_a_server_repeats_is_blotted_out() -> None:
    ledger = Ledger(SILENT)
    ledger.secrets += ["tok-1234", ""]
    assert not ledger.check("a", "b", lambda: fails(EngineError("you sent tok-1234, tok-1234")))
    assert ledger.check("a", "b", lambda: "tok-1234 is good")
    assert [check.found for check in ledger.checks] == ["you sent …, …", "… is good"]


def test_what_is_found_is_bounded() -> None:
    ledger = Ledger(SILENT)
    ledger.check("a", "b", lambda: fails(IntegrityError("x" * 100_000)))
    assert (ledger.checks[0].state, len(ledger.checks[0].found)) == ("failed", 4000)


def test_what_this_machine_cannot_is_no_row() -> None:
    ledger = Ledger(SILENT)
    with pytest.raises(MachineError):
        ledger.check("a", "b", lambda: fails(MachineError("the disk is full")))
    assert ledger.checks == []


@pytest.mark.parametrize(
    ("ending", "state", "ok"),
    [
        ("rehearsed", "passed", True),
        ("rehearsed", "skipped", True),
        ("rehearsed", "failed", False),
        ("refused", "passed", False),
        ("damaged", "passed", False),
    ],
)
def test_what_is_fit(ending: Ending, state: State, ok: bool) -> None:
    row = Check("a", state, 1.0, "", "")
    done = Rehearsal(ending, "x-1", "0" * 64, "absent", None, "0", 1763740000.5, 2.0, {}, (), {}, (row,))
    assert done.ok is ok
    assert done.document()["ok"] is ok
    assert done.document()["date"] == "2025-11-21T15:46:40Z"
