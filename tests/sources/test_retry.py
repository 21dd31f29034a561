"""The rule of trying again."""

from __future__ import annotations

import pytest

from bundler.errors import SourceError, TransientError
from bundler.sources.retry import Backoff, retrying
from tests.sources.reading import Heard


class Failing:
    """Fails with ``errors`` in turn, then succeeds."""

    def __init__(self, *errors: SourceError) -> None:
        self._errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        return "done"


def test_waits_double_and_are_spread() -> None:
    waits: list[float] = []
    action = Failing(*[TransientError("cut")] * 5)
    assert retrying(action, sleep=waits.append) == "done"
    assert len(waits) == 5
    for number, wait in enumerate(waits):
        assert 2**number / 2 <= wait <= 2**number


def test_own_waits_are_bounded() -> None:
    waits: list[float] = []
    retrying(Failing(*[TransientError("cut")] * 50), attempts=51, sleep=waits.append)
    assert 30 <= waits[-1] <= 60
    assert max(waits) <= 60


def test_keeps_what_the_server_asks_up_to_five_minutes() -> None:
    waits: list[float] = []
    errors = [TransientError("busy", retry_after=seconds) for seconds in (90.0, 4000.0)]
    retrying(Failing(*errors), sleep=waits.append)
    assert waits == [90.0, 300.0]


def test_gives_up_with_a_hint_and_the_count() -> None:
    action = Failing(*[TransientError("cut")] * 9)
    with pytest.raises(TransientError, match=r"cut \(tried 3 times\)") as caught:
        retrying(action, attempts=3, sleep=lambda seconds: None)
    assert action.calls == 3
    assert "HTTPS_PROXY" in caught.value.hint


def test_keeps_the_hint_of_the_error() -> None:
    with pytest.raises(TransientError) as caught:
        retrying(Failing(TransientError("cut", hint="Plug it in.")), attempts=1)
    assert (caught.value.message, caught.value.hint) == ("cut", "Plug it in.")


def test_a_final_error_is_not_tried_again() -> None:
    action = Failing(SourceError("gone"))
    with pytest.raises(SourceError, match="gone"):
        retrying(action, sleep=lambda seconds: pytest.fail("slept"))
    assert action.calls == 1


def test_every_wait_is_said() -> None:
    heard = Heard()
    action = Failing(TransientError("cut", retry_after=3.0))
    retrying(action, progress=heard, attempts=4, sleep=lambda seconds: None)
    assert heard.said == ["cut; trying again in 3 s (attempt 2 of 4)"]


def test_a_reset_counts_anew() -> None:
    backoff = Backoff(2, sleep=lambda seconds: None)
    for _ in range(5):
        backoff.wait(TransientError("cut"))
        backoff.reset()
    backoff.wait(TransientError("cut"))
    with pytest.raises(TransientError):
        backoff.wait(TransientError("cut"))
