"""The rules find what they are for, and nothing in a good package; each rule is tried."""

from __future__ import annotations

import json

import pytest

from kibana_assets.package.tree import Tree
from tests.kibana_assets.package.small import CALLED, CALLER, ON_FAILURE, SMALL, changed, small
from tests.package.format.check import RULES, check

LOG = "data_stream/log"
MAIN = f"{LOG}/elasticsearch/ingest_pipeline/default.yml"
SECOND = f"{LOG}/elasticsearch/ingest_pipeline/second.yml"
STREAM = f"{LOG}/manifest.yml"
BOARD = "kibana/dashboard/small-board.json"
SLO = "kibana/slo_template/small-availability.json"
TAG = "kibana/tag/small-t.json"
RULE = "kibana/alerting_rule_template/small-wait.json"


def board(panel: object, **more: object) -> Tree:
    """The package with a dashboard of one panel."""
    attributes = {"title": "Board", "panelsJSON": [panel]}
    return small(**{BOARD: json.dumps({"id": "small-board", "type": "dashboard", "attributes": attributes, **more})})


LENS = {"type": "lens", "panelIndex": "1", "embeddableConfig": {"filters": "data_stream.dataset"}}
BAD: dict[str, tuple[Tree, str]] = {
    "every_file_has_its_place": (small(**{f"{LOG}/notes.txt": ""}), "notes.txt: found a file"),
    "every_file_fits_its_schema": (
        changed("manifest.yml", "title: Small\nversion", "titel: Small\nversion"),
        "'titel'",
    ),
    "what_a_package_needs_is_there": (small(**{"docs/README.md": None}), "docs/README.md: found nothing"),
    "the_newest_change_is_of_this_version": (changed("manifest.yml", "1.2.0", "1.3.0"), "found 1.2.0, expected 1.3.0"),
    "versions_are_as_the_format_wants_them": (changed("changelog.yml", "1.0.0", "1.2.0"), "found 1.2.0 twice"),
    "links_to_github_are_to_issues": (
        changed("changelog.yml", "https://example.org/1", "https://github.com/small/small/releases"),
        "a link that ends in a number",
    ),
    "images_are_there": (changed("manifest.yml", "/img/small.svg", "/img/other.svg"), "no such file"),
    "an_icon_runs_nothing": (small(**{"img/small.svg": "<svg><script>x</script></svg>"}), "a script"),
    "kibana_is_one_that_knows_the_format": (changed("manifest.yml", "^8.19.0", "^8.16.0"), "at least 8.19"),
    "inputs_and_streams_name_each_other": (changed(STREAM, "input: filestream", "input: logfile"), "input logfile"),
    "every_folder_is_a_stream": (small(**{f"{LOG}/sample_event.json": None}), "sample_event.json: found nothing"),
    "every_agent_template_is_there": (
        changed(STREAM, "title: Log\n    d", "template_path: x.yml.hbs\n    title: Log\n    d"),
        "x.yml.hbs: found nothing",
    ),
    "a_template_is_one_file": (
        small(**{f"{LOG}/agent/stream/other-stream.yml.hbs": "paths:\n"}),
        "one file of that ending",
    ),
    "templates_use_declared_variables": (
        changed(f"{LOG}/agent/stream/stream.yml.hbs", "#if keep", "#if kept"),
        "{{kept}}",
    ),
    "secrets_are_marked": (
        changed(STREAM, "{name: keep, type: bool", "{name: api_key, type: text"),
        "api_key: found no secret",
    ),
    "samples_are_of_their_stream": (
        small(**{f"{LOG}/sample_event.json": '{"data_stream": {"dataset": "small.lag"}}'}),
        "found small.lag, expected small.log",
    ),
    "every_stream_has_the_base_fields": (
        changed(f"{LOG}/fields/base-fields.yml", '- name: "data_stream.type"\n  external: ecs\n', ""),
        "data_stream.type: found nothing, expected constant_keyword",
    ),
    "own_fields_lie_below_the_package": (
        changed(f"{LOG}/fields/fields.yml", "small.labels", "labels"),
        "a name of nobody",
    ),
    "a_field_is_no_parent_of_another": (
        small(**{f"{LOG}/fields/x.yml": "- {name: small.log.state.of, type: keyword, description: Of.}\n"}),
        "small.log.state is a keyword",
    ),
    "a_field_says_only_what_its_type_may": (
        changed(f"{LOG}/fields/fields.yml", "type: object, object_type: keyword", "type: object"),
        "small.labels: found an object, expected one with object_type",
    ),
    "a_time_series_has_dimensions_and_metrics": (
        changed("data_stream/rate/fields/fields.yml", ", dimension: true", ""),
        "no dimension",
    ),
    "a_pipeline_file_begins_with_three_dashes": (changed(SECOND, "---\n", ""), "--- as the first line"),
    "tags_are_there_once": (changed(MAIN, "tag: call_second", "tag: set_ecs"), "tag 'set_ecs' 2 times"),
    "refused_processors_are_not_used": (
        changed(SECOND, "  - grok", "  - reroute: {tag: r}\n  - grok"),
        "r: found reroute",
    ),
    "the_message_moves_as_the_format_says": (
        changed(MAIN, 'if: "ctx.event?.original == null"', 'if: "ctx.event == null"'),
        "no such rename of message",
    ),
    "a_failure_is_told": (changed(SECOND, "{{{ _ingest.pipeline }}}", "it"), "second.yml: on_failure: error.message"),
    "a_failure_reaches_the_caller": (changed(SECOND, "- fail:", "- drop:"), "second.yml: on_failure: found no fail"),
    "failures_quote_nothing": (changed(SECOND, ", ignore_failure: true", ""), "grok_rest: found grok"),
    "groks_are_anchored": (changed(SECOND, "^%{WORD", "%{WORD"), "a pattern between ^ and $"),
    "groks_are_of_tokens": (changed(SECOND, "%{WORD:small", "%{WO-RD:small"), "%{WO-RD:small"),
    "braces_are_three": (
        changed(MAIN, "{{{ _ingest.on_failure_message }}}", "{{ _ingest.on_failure_message }}"),
        "three braces",
    ),
    "appends_are_without_doubles": (
        changed(SECOND, "  - grok", "  - append: {tag: a, field: tags, value: b}\n  - grok"),
        "allow_duplicates: false",
    ),
    "all_say_one_version_of_ecs": (changed(MAIN, "8.17.0", "8.11.0"), "expected one ecs.version"),
    "a_file_is_named_for_its_object": (
        changed(SLO, '"id": "small-availability"', '"id": "small-other"'),
        "found 'small-other'",
    ),
    "tags_have_names_of_their_own": (
        small(
            **{TAG: '{"id": "small-t", "type": "tag", "attributes": {"name": "T"}}', "kibana/tags.yml": "- text: T\n"}
        ),
        "found 2 tags 'T'",
    ),
    "references_lead_somewhere": (
        board(LENS, references=[{"type": "tag", "id": "small-gone", "name": "t"}]),
        "found tag small-gone",
    ),
    "panels_are_by_value": (board({**LENS, "type": "visualization"}), "a panel by value"),
    "dashboards_are_of_their_datasets": (board({**LENS, "embeddableConfig": {}}), "one on data_stream.dataset"),
    "templates_fit_their_schemas": (
        changed(RULE, '"ruleTypeId"', '"description": "It waits.", "ruleTypeId"'),
        "'description' was unexpected",
    ),
    "queries_are_of_declared_datasets_and_fields": (
        changed(RULE, "small.log.state", "small.log.stat"),
        "found small.log.stat, expected a field that logs-small.log-* declares",
    ),
}


def test_a_good_package_has_no_findings() -> None:
    assert check(small()) == []
    assert check(board(LENS)) == []


def test_every_rule_is_tried() -> None:
    assert set(BAD) == {rule.__name__ for rule in RULES}


@pytest.mark.parametrize("name", BAD)
def test_a_rule_finds_what_it_is_for(name: str) -> None:
    tree, says = BAD[name]
    rule = next(rule for rule in RULES if rule.__name__ == name)
    found = [str(finding) for finding in rule(tree)]
    assert any(says in text for text in found), found


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        (changed(RULE, "FROM logs-small.log-*", "FROM logs-other-*, logs-small.log-*"), "found logs-other-*, expected"),
        (changed(RULE, "x.y\\nFROM", "x.y\\n// FROM logs-x-*\\nFROM"), ""),
        (changed(SLO, "small.log.state : *", "small.log.size >= 3"), "found small.log.size, expected"),
        (changed(SLO, "logs-small.log-*", "logs-*"), "found logs-*, expected"),
        (changed(SLO, '"target": 0.99', '"target": 99'), "99 is greater than or equal to the maximum of 1"),
        (changed(RULE, '"threshold": [0]', '"threshold": [1]'), "[0] was expected"),
        (changed(RULE, '"10.1.0"', '"10.3.0"'), "'10.1.0' was expected"),
    ],
)
def test_a_template_that_kibana_or_its_rule_would_refuse(tree: Tree, says: str) -> None:
    found = [str(finding) for finding in check(tree)]
    assert any(says in text for text in found) if says else found == []


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        (changed("manifest.yml", "version: 1.2.0", "version: 1.2.0-alpha1"), "found -alpha1, expected -beta1"),
        (changed("manifest.yml", "version: 1.2.0", "version: 0.2.0-beta1"), "found -beta1"),
        (changed(f"{LOG}/fields/fields.yml", "type: double, unit: s", "type: keyword, unit: s"), "unit of a keyword"),
        (
            changed(f"{LOG}/fields/fields.yml", "type: geo_point", "type: geo_point, dimension: true"),
            "dimension of a geo",
        ),
        (changed(f"{LOG}/fields/fields.yml", "  type: group", "  type: group\n  unit: s"), "unit of a group"),
        (changed(STREAM, "name: keep, type: bool", "name: keep, type: duration"), "'duration' is not one of"),
        (small(**{"kibana/tag/small-ecs.json": '{"id": "small-ecs", "type": "tag"}'}), "does not end in -ecs"),
    ],
)
def test_more_that_the_format_refuses(tree: Tree, says: str) -> None:
    found = [str(finding) for finding in check(tree)]
    assert any(says in text for text in found), found


ALIKE = "append_error: if: found"
FAILURES = [
    (SECOND, CALLED, "", "second.yml: on_failure: found event.kind is not set"),
    (SECOND, CALLED, "", "second.yml: on_failure: error.message: found no _ingest.on_failure_message"),
    (SECOND, "value: pipeline_error", "value: event", "second.yml: on_failure: found event.kind is not set"),
    (SECOND, "- append:", "- rename:", "no _ingest.on_failure_processor_tag"),
    (MAIN, CALLER, ON_FAILURE, f"default.yml: {ALIKE} None"),
    (SECOND, CALLED, CALLER + CALLED.removeprefix(ON_FAILURE), f"second.yml: {ALIKE} ctx.event"),
    (
        MAIN,
        "on_failure:",
        "on_failure:\n  - set: {tag: early, field: event.kind, value: pipeline_error}",
        "behind that of",
    ),
    (SECOND, "message: It failed", "message: '{{ _ingest.pipeline }}'", "three braces"),
    (SECOND, "{WORD:small.log.state}", "{W(?<x>a)%{WORD:y}", "grok_rest: found %{W(?<x>a)"),
    (SECOND, "ignore_failure", "pattern_definitions: {WORD: '%{WORD:a b}'}, ignore_failure", "found %{WORD:a b}"),
]


@pytest.mark.parametrize(("path", "old", "new", "says"), FAILURES)
def test_what_tells_no_failure_or_cannot_be_grok(path: str, old: str, new: str, says: str) -> None:
    found = [str(finding) for finding in check(changed(path, old, new))]
    assert any(says in text for text in found), found


@pytest.mark.parametrize("token", ["%{WORD}", "%{WORD:a.b:int}", "%{WORD:[a][b]}", "%{MY=(a|b)+}", "%{WORD:a=x}"])
def test_a_token_of_grok(token: str) -> None:
    assert check(changed(SECOND, "%{WORD:small.log.state}", token)) == []


BROKEN = [(path, "a: [" if path.endswith(".yml") else "{") for path in SMALL if path.endswith((".yml", ".json"))]


@pytest.mark.parametrize(("path", "text"), BROKEN)
def test_what_cannot_be_read_is_a_finding(path: str, text: str) -> None:
    assert any(path in str(finding) for finding in check(small(**{path: text})))
