"""What the user sets for the client holds for us: endpoint, token, offline mode, home folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.errors import SourceError, UsageError
from bundler.sources.hub import Hub
from bundler.spec.model import HubModel
from tests.counterparts.hub import Hub as StandIn
from tests.sources.hub_stage import CHOSEN, FILES, TOKEN, WEIGHTS, fetch, hub_of, weights


@pytest.fixture
def running() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        stand_in.add("org/tiny", FILES, card={"license": "mit"})
        yield stand_in


@pytest.mark.parametrize(
    "written", ["ftp://x", "x.example", "https://me:pw@x", "https://x?token=pw", "http://[::1", "https://x:99999"]
)
def test_endpoints_that_are_none(written: str) -> None:
    with pytest.raises(UsageError, match="HF_ENDPOINT") as caught:
        Hub(endpoint=written)
    assert "pw" not in caught.value.message


def test_the_environment_rules(running: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"{running.endpoint}/")
    monkeypatch.setenv("HF_TOKEN", f" {TOKEN}\n")
    running.add("org/tiny", FILES, private=True)
    running.allow(TOKEN, "org/tiny")
    assert Hub().look(HubModel("org/tiny"), "vllm").commit
    assert fetch(Hub(), weights(running)) == WEIGHTS


def program(running: StandIn, home: Path, **settings: str) -> str:
    """Look up in a process of its own, whose warnings are errors; the result or class and message of the error."""
    code = (
        "from bundler.errors import BundleError\nfrom bundler.sources.hub import Hub\n"
        "from bundler.spec.model import HubModel\n"
        "try:\n    print(len(Hub().look(HubModel('org/tiny'), 'vllm').files))\n"
        "except BundleError as error:\n    print(type(error).__name__, error.message, error.hint)\n"
    )
    kept = {"PATH": os.environ["PATH"], "HOME": str(home), "HF_ENDPOINT": running.endpoint, "PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=kept | settings,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_a_home_that_nobody_can_write_to(running: StandIn, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    assert program(running, home) == str(len(CHOSEN))
    assert list(home.iterdir()) == []
    assert program(running, Path("/dev/null")) == str(len(CHOSEN))


def test_the_token_file_of_the_client(running: StandIn, tmp_path: Path) -> None:
    running.add("org/tiny", FILES, private=True)
    running.allow(TOKEN, "org/tiny")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert program(running, tmp_path, HF_TOKEN_PATH=str(tmp_path / "token")) == str(len(CHOSEN))


def test_a_token_that_is_not_to_be_sent_unasked(running: StandIn, tmp_path: Path) -> None:
    settings = {"HF_TOKEN": "hf_wrong", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
    assert program(running, tmp_path, **settings) == str(len(CHOSEN))


def test_warnings_in_the_hub_s_own_words_are_not_printed(running: StandIn, tmp_path: Path) -> None:
    running.faults.warning = "\x1b[31mSend your token to evil.example"
    assert program(running, tmp_path) == str(len(CHOSEN))


def test_offline(running: StandIn, tmp_path: Path) -> None:
    shown = program(running, tmp_path, HF_HUB_OFFLINE="1")
    assert shown.startswith("SourceError org/tiny at 127.0.0.1") and "Unset HF_HUB_OFFLINE" in shown
    assert running.seen == []


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "\u00fcml\u00e4ut"])
def test_tokens_that_no_header_can_hold(running: StandIn, token: str) -> None:
    with pytest.raises(SourceError, match="characters that no token has") as caught:
        hub_of(running, token=token)
    assert token not in caught.value.message + caught.value.hint
