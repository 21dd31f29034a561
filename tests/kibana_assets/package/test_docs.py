"""README: tables and samples in the place of calls."""

from __future__ import annotations

import pytest

from kibana_assets.errors import PackageError
from kibana_assets.package.docs import field_table, render
from kibana_assets.package.fields import Field
from tests.kibana_assets.package.small import small


def test_a_table_has_only_the_columns_that_say_something() -> None:
    text = render('{{fields "log"}}', small())
    assert "| Field | Description | Type | Unit |\n| --- | --- | --- | --- |\n" in text
    assert "| small.log.wait_time | How long it waited. | double | s |" in text
    assert r"| small.log.state | Open \| closed. | keyword |  |" in text
    assert "Metric Type" in render('{{ fields "rate" }}', small())


def test_a_description_is_one_line_that_cannot_break_the_table() -> None:
    text = field_table([Field("a", "keyword", "One *two*\n\n<b>| `<c>|`", {}, "x")])
    assert r"| a | One \*two\* \<b>\| `<c>\|` | keyword |" in text


def test_a_sample() -> None:
    text = render('Before\n{{event "rate"}}\nafter', small())
    assert text.startswith("Before\nAn example event for `rate` looks as following:\n\n```json\n{")
    assert text.endswith("\n```\nafter")


@pytest.mark.parametrize("call", ['{{fields "nothing"}}', "{{fields}}", '{{table "log"}}'])
def test_a_call_that_nothing_answers(call: str) -> None:
    with pytest.raises(PackageError, match="expected fields or event of a data stream"):
        render(call, small())
