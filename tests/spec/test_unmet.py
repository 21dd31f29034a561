"""Nobody is left to believe that a wish was met."""

from __future__ import annotations

from bundler.spec.parse import parse_spec
from bundler.spec.unmet import unmet
from tests.spec.texts import FULL, SMALLEST


def test_what_is_not_done_yet_is_said() -> None:
    said = unmet(parse_spec(FULL.replace("filebeat: false", "filebeat: true")))
    assert [sentence.partition(":")[0] for sentence in said] == ["monitoring.filebeat"]


def test_nothing_to_say() -> None:
    assert unmet(parse_spec(SMALLEST)) == unmet(parse_spec(FULL)) == ()
