"""Every bad input: its exit code, a sentence with the place, a hint, never a traceback, one object with --json.

``pytest -rP tests/cli/test_bad_input.py`` shows what each of them gives.
"""

from __future__ import annotations

import json
import shlex

import pytest

from bundler.cli.main import call
from bundler.sources.retry import Backoff
from tests.cli import bad_keys, bad_media, bad_sources, bad_spec_and_lock
from tests.cli.bench import Bench, Case

ERRORS = [*bad_spec_and_lock.CASES, *bad_media.CASES, *bad_sources.CASES, *bad_keys.CASES]


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried again at once."""
    monkeypatch.setattr(Backoff, "_seconds", lambda self, asked: 0.0)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in ERRORS])
def test_bad_input(case: Case, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = shlex.split(case.prepare(bench))
    capsys.readouterr()
    code = call([*arguments, "--json"])
    out, err = capsys.readouterr()
    print(f"# {case.name}\n$ llm-bundle {shlex.join(arguments)}   -> {code}\n{err.strip()}")
    error = json.loads(out)["error"]
    assert (code, error["code"]) == (case.code, case.code), err
    assert case.place in error["message"]
    assert case.hint in error["hint"]
    assert error["hint"]
    assert error["message"] in err
    assert "Traceback" not in err


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in bad_media.REPORTS])
def test_damage_is_reported(case: Case, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = shlex.split(case.prepare(bench))
    capsys.readouterr()
    assert call([*arguments, "--json"]) == case.code
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert report["ok"] is False
    assert any(case.place in row["reason"] for row in report["damaged"])
    assert "Traceback" not in err


def test_names_are_unique() -> None:
    names = [case.name for case in ERRORS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "shown"), [("bundle.yml", ""), ("other.yml", " other.yml"), ("my model.yml", " 'my model.yml'")]
)
def test_a_hint_names_the_file_that_the_command_was_called_with(
    bench: Bench, capsys: pytest.CaptureFixture[str], name: str, shown: str
) -> None:
    """Else the command in the hint would be about a bundle.yml that is not there, or is another one."""
    bench.spec()
    (bench.folder / "bundle.yml").rename(bench.folder / name)
    assert call(["build", name]) == 3
    assert capsys.readouterr().err.splitlines()[-1] == f"  hint: Make it: llm-bundle lock{shown}"
    assert call(["lock", "--quiet", name]) == 0
    renamed = bench.folder / name
    renamed.write_text(renamed.read_text().replace("version: 1.0.0", "version: 1.0.1"))
    capsys.readouterr()
    assert call(["build", name]) == 3
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"llm-bundle lock --update{shown}")
