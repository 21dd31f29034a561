"""Templates as Fleet makes them: names, order of composition, mappings."""

from __future__ import annotations

from typing import Any

from kibana_assets.package.ecs import ecs
from kibana_assets.package.fields import read_fields
from kibana_assets.package.streams import pipelines, streams
from kibana_assets.package.templates import Templates, mappings, templates
from tests.kibana_assets.package.small import small

LOG, RATE = streams(small())
MANIFEST = small().text("data_stream/rate/manifest.yml")


def made(name: str) -> Templates:
    stream = {"log": LOG, "rate": RATE}[name]
    return templates(stream, read_fields(small(), stream, ecs()))


def mapped(name: str, field: str) -> Any:
    at = made(name).component["template"]["mappings"]
    for part in field.split("."):
        at = at["properties"][part]
    return at


def test_names_are_those_of_fleet() -> None:
    assert (LOG.pipeline_id(), LOG.pipeline_id("second")) == ("logs-small.log-1.2.0", "logs-small.log-1.2.0-second")
    assert list(pipelines(small(), LOG)) == ["logs-small.log-1.2.0-second", "logs-small.log-1.2.0"]
    called = pipelines(small(), LOG)["logs-small.log-1.2.0"]["processors"][-1]["pipeline"]["name"]
    assert called == "logs-small.log-1.2.0-second"
    found = made("log")
    assert (found.component_name, found.index_name) == ("logs-small.log@package", "logs-small.log")
    assert found.index["index_patterns"] == ["logs-small.log-*"]
    assert found.component["template"]["settings"]["index"]["default_pipeline"] == "logs-small.log-1.2.0"


def test_users_come_last_and_need_not_be_there() -> None:
    index = made("log").index
    composed = index["composed_of"]
    assert (
        composed.index("logs-small.log@package")
        < composed.index("small@custom")
        < composed.index("logs-small.log@custom")
    )
    assert set(composed) - set(index["ignore_missing_component_templates"]) == {"logs-small.log@package"}


def test_a_stream_begins_with_what_elasticsearch_has_for_its_type() -> None:
    assert made("log").index["composed_of"][:2] == ["logs@mappings", "logs@settings"]
    composed = made("rate").index["composed_of"]
    assert composed[:2] == ["metrics@tsdb-settings", "metrics-small.rate@package"]
    assert not {"metrics@settings", "metrics@mappings"} & set(composed)
    assert "metrics@tsdb-settings" in made("rate").index["ignore_missing_component_templates"]
    plain = small(
        **{"data_stream/rate/manifest.yml": MANIFEST.replace("index_mode: time_series", "source_mode: default")}
    )
    stream = next(one for one in streams(plain) if one.name == "rate")
    assert templates(stream, []).index["composed_of"][0] == "metrics@settings"


def test_types_become_mappings() -> None:
    assert mapped("log", "small.log.state") == {"type": "keyword", "ignore_above": 1024}
    assert mapped("log", "small.log.wait_time") == {"type": "double", "meta": {"unit": "s"}}
    assert mapped("log", "event.original") == {
        "type": "keyword",
        "ignore_above": 1024,
        "index": False,
        "doc_values": False,
    }
    assert mapped("log", "data_stream.type") == {"type": "constant_keyword"}
    others = (
        "- {name: small.i, type: integer, description: I.}\n- {name: small.f, type: scaled_float, description: F.}\n"
    )
    tree = small(**{"data_stream/log/fields/more.yml": others + "- {name: url.original, external: ecs}\n"})
    properties = mappings(read_fields(tree, LOG, ecs()))["properties"]
    assert properties["small"]["properties"]["i"] == {"type": "long"}
    assert properties["small"]["properties"]["f"] == {"type": "scaled_float", "scaling_factor": 1000}
    assert properties["url"]["properties"]["original"]["ignore_above"] == 1024
    assert properties["url"]["properties"]["original"]["fields"] == {"text": {"type": "match_only_text"}}
    dynamic = made("log").component["template"]["mappings"]["dynamic_templates"]
    assert dynamic[0]["small.labels.*"]["mapping"]["type"] == "keyword"
    assert list(dynamic[-1]) == ["strings_as_keyword"]


def test_a_time_series_has_dimensions_and_metrics() -> None:
    assert made("rate").index["template"] == {"settings": {"index": {"mode": "time_series"}}}
    assert mapped("rate", "service.name") == {"type": "keyword", "time_series_dimension": True}
    assert mapped("rate", "small.rate.tokens")["time_series_metric"] == "counter"
    assert "time_series_metric" not in mapped("log", "small.log.wait_time")
    assert made("log").index["template"] == {}
