"""Plans and installations end with what counts: a sum, what can be done about what is kept, and the next step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from bundler.cli.assets_talk import Talk, talking
from bundler.cli.assets_wording import change_lines, installed_lines, kept_lines, left_lines, next_lines, sum_line
from kibana_assets.install.installation import Installed
from kibana_assets.install.panels import PanelProof, State
from kibana_assets.install.plan import EDITED, FLEETS, UP_TO_DATE, Action, Change
from kibana_assets.install.prove import Proof
from kibana_assets.install.uninstall import Left

if TYPE_CHECKING:
    from kibana_assets.install.installation import Installation

PIPELINE = "ingest_pipeline"


def change(name: str, action: Action, reason: str = "missing") -> Change:
    return Change(PIPELINE, name, "", action, reason)


CHANGES = (
    change("a", "create"),
    change("b", "create"),
    change("c", "update", "other content"),
    change("d", "keep", EDITED),
    change("e", "keep", UP_TO_DATE),
    change("f", "remove", "of 0.0.9, no longer wanted"),
)


def test_the_sum_of_a_plan_and_of_what_was_done() -> None:
    assert sum_line(CHANGES, done=False) == (
        "2 to create, 1 to update, 1 to remove, 1 kept, 1 up to date; nothing was written"
    )
    assert sum_line(CHANGES, done=True) == "2 created, 1 updated, 1 removed, 1 kept, 1 up to date"
    assert [line.split()[1:3] for line in change_lines(CHANGES)] == [[PIPELINE, name] for name in "abcdf"]


def test_what_had_to_stay_was_not_removed() -> None:
    gone = tuple(change(name, "remove", "as installed") for name in "abc")
    left = [Left(gone[1], "it is in use")]
    assert sum_line(gone, done=True, left=left) == "2 removed, 1 had to stay"
    assert left_lines(left, data=False)[1:] == ["what stays serves data that is there: --data deletes both"]
    assert left_lines(left, data=True) == ["  stays  ingest_pipeline b: it is in use"]
    assert left_lines([], data=False) == []


def test_nothing_there() -> None:
    assert sum_line((), done=True) == "nothing of ours is there"
    missing = [Installed(PIPELINE, "a", "", "", "missing"), Installed("index-pattern", "logs-*", "default", "", "same")]
    assert installed_lines(missing) == ["nothing is installed", "next: llm-bundle assets plan, with the same options"]
    half = [Installed(PIPELINE, "b", "", "0.1.0", "same"), *missing]
    assert installed_lines(half) == ["version 0.1.0: 2 of 3 as installed", "  missing  ingest_pipeline  a"]


@pytest.mark.parametrize(("reason", "said"), [(EDITED, 1), (FLEETS, 0), (UP_TO_DATE, 0)])
def test_force_is_named_where_it_helps(reason: str, said: int) -> None:
    assert len(kept_lines([change("a", "keep", reason)])) == said


def after(*, ok: bool = True, state: State = "empty", fleet: bool = False, dry: bool = False) -> str:
    opened = cast("Installation", SimpleNamespace(fleet=fleet))
    shown = [PanelProof("[A] One", "p", "Requests", state, "")]
    return " ".join(next_lines(opened, CHANGES, [Proof("vllm", ok, "")], shown, dry=dry))


def test_the_next_step() -> None:
    assert "llm-bundle assets host-config" in after()
    assert "llm-bundle assets enrol" in after(fleet=True)
    assert "FAILS" in after(ok=False)
    assert "without --dry-run" in after(dry=True)
    assert after(state="data") == ""
    opened = cast("Installation", SimpleNamespace(fleet=None))
    assert next_lines(opened, [change("a", "keep", UP_TO_DATE)], [], [], dry=False) == []
    assert "host-config" in next_lines(opened, [change("a", "create")], [], [], dry=False)[0]


def test_one_line_that_is_written_over(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    talk = Talk(2, shown=True)
    talk.changed(change("short", "create"))
    talk.changed(change("\x1b[31m" + "long" * 20, "create"))
    first, second = capsys.readouterr().err.split("\r\x1b[2K")[1:]
    assert first == "1 of 2: create ingest_pipelin"
    assert (len(second), "\n" in second, "\x1b" in second) == (29, False, False)


def test_no_line_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with talking(CHANGES) as talk:
        talk.changed(CHANGES[0])
    assert (talk.total, talk.done, capsys.readouterr().err) == (4, 1, "")
