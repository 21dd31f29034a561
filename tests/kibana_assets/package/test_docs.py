"""README: tables and samples in the place of calls."""

from __future__ import annotations

import pytest

from kibana_assets.errors import PackageError
from kibana_assets.package.docs import field_table, render
from kibana_assets.package.fields import Field
from kibana_assets.package.tree import Tree
from tests.kibana_assets.package.small import small

MULTI = [{"name": "text", "type": "match_only_text"}]


def test_a_table_has_only_the_columns_that_say_something() -> None:
    text = render('{{fields "log"}}', small())
    assert "| Field | Description | Type | Unit |\n|---|---|---|---|\n" in text
    assert "| small.log.wait_time | How long it waited. | double | s |" in text
    assert "| small.log.state | Open or closed. | keyword |  |" in text
    assert "Metric Type" in render('{{ fields "rate" }}', small())


def test_a_cell_is_as_elastic_package_writes_it() -> None:
    """A line break is a blank, so that an empty line is two; signs are escaped in code spans too."""
    text = field_table([Field("a.*", "keyword", "One *two*\n\n<b> `{c}`", {}, "x")])
    assert r"| a.\* | One \*two\*  \<b\> `\{c\}` | keyword |" in text


def test_multi_fields_have_rows_between_the_others() -> None:
    fields = [Field("b", "ip", "B.", {}, "x"), Field("a", "keyword", "A.", {"multi_fields": MULTI}, "x")]
    assert field_table(fields).splitlines()[4:] == [
        "| a | A. | keyword |",
        "| a.text | Multi-field of `a`. | match_only_text |",
        "| b | B. | ip |",
    ]


def test_a_sample() -> None:
    text = render('Before\n{{event "rate"}}\nafter', small())
    assert text.startswith("Before\nAn example event for `rate` looks as following:\n\n```json\n{")
    assert text.endswith("\n```\nafter")


@pytest.mark.parametrize("call", ['{{fields "nothing"}}', "{{fields}}", '{{table "log"}}'])
def test_a_call_that_nothing_answers(call: str) -> None:
    with pytest.raises(PackageError, match="expected fields or event of a data stream"):
        render(call, small())


def test_a_sample_of_metrics_is_named_as_elastic_package_names_it() -> None:
    moved = {path.replace("/rate/", "/rate_metrics/"): data for path, data in small().files.items()}
    assert render('{{event "rate_metrics"}}', Tree(moved)).startswith("An example event for `rate` looks")
