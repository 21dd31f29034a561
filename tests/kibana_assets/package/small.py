"""A small good package, whole by every rule, in which a test changes what it needs to."""

from __future__ import annotations

import json
from types import MappingProxyType

from kibana_assets.package.tree import Tree

ON_FAILURE = """
on_failure:
  - append:
      tag: append_error
      field: error.message
      allow_duplicates: false
      value: >-
        {{{ _ingest.on_failure_processor_type }}} {{{ _ingest.on_failure_processor_tag }}} in {{{ _ingest.pipeline }}}:
        {{{ _ingest.on_failure_message }}}
  - set: {tag: set_kind, field: event.kind, value: pipeline_error}
"""
CALLER = ON_FAILURE.replace("error.message\n", "error.message\n      if: ctx.event?.kind != 'pipeline_error'\n", 1)
CALLED = ON_FAILURE + "  - fail: {tag: fail_again, message: It failed}\n"
BASE_FIELDS = "".join(
    f'- name: "{name}"\n  external: ecs\n'
    for name in ("@timestamp", "data_stream.type", "data_stream.dataset", "data_stream.namespace", "message")
)
SMALL = {
    "manifest.yml": """
format_version: "3.4.0"
name: small
title: Small
version: 1.2.0
description: Collect small things.
type: integration
categories: [observability]
conditions: {kibana: {version: "^8.19.0 || ^9.1.0"}}
icons: [{src: /img/small.svg, title: Small, size: 32x32, type: image/svg+xml}]
owner: {github: small/team, type: community}
policy_templates:
  - name: small
    title: Small
    description: Collect small things.
    inputs:
      - {type: filestream, title: Files, description: Reads files.}
      - {type: prometheus/metrics, title: Metrics, description: Reads metrics.}
""",
    "changelog.yml": """
- version: 1.2.0
  changes: [{description: Second., type: enhancement, link: "https://example.org/2"}]
- version: 1.0.0
  changes: [{description: First., type: enhancement, link: "https://example.org/1"}]
""",
    "LICENSE.txt": "Do what you like.\n",
    "docs/README.md": "# Small\n",
    "img/small.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"/>\n',
    "data_stream/log/manifest.yml": """
title: Log
type: logs
streams:
  - input: filestream
    title: Log
    description: Reads the log.
    vars:
      - {name: paths, type: text, title: Paths, multi: true, default: [/var/log/small.log]}
      - {name: keep, type: bool, title: Keep, default: false}
      - {name: processors, type: yaml, title: Processors, multi: false}
""",
    "data_stream/log/fields/base-fields.yml": BASE_FIELDS,
    "data_stream/log/fields/fields.yml": """
- name: small.log
  type: group
  fields:
    - {name: wait_time, type: double, unit: s, description: How long it waited.}
    - {name: state, type: keyword, description: "Open or closed."}
    - {name: where, type: geo_point, description: Where it came from.}
- {name: small.labels, type: object, object_type: keyword, description: Labels.}
- {name: ecs.version, external: ecs}
- {name: event.original, external: ecs}
- {name: event.kind, external: ecs}
- {name: error.message, external: ecs}
""",
    "data_stream/log/agent/stream/stream.yml.hbs": """
paths:
{{#each paths}}
  - {{this}}
{{/each}}
{{#if keep}}
tags: [keep]
{{/if}}
{{#if processors}}
processors:
{{processors}}
{{/if}}
""",
    "data_stream/log/elasticsearch/ingest_pipeline/default.yml": """---
description: Reads a line.
processors:
  - set: {tag: set_ecs, field: ecs.version, value: 8.17.0}
  - rename: {tag: rename_message, field: message, target_field: event.original, ignore_missing: true,
             if: "ctx.event?.original == null"}
  - remove: {tag: remove_message, field: message, ignore_missing: true, if: "ctx.event?.original != null"}
  - pipeline: {tag: call_second, name: '{{ IngestPipeline "second" }}'}
"""
    + CALLER,
    "data_stream/log/elasticsearch/ingest_pipeline/second.yml": """---
description: Reads the rest.
processors:
  - grok: {tag: grok_rest, field: event.original, patterns: ["^%{WORD:small.log.state}$"], ignore_failure: true}
"""
    + CALLED,
    "data_stream/log/sample_event.json": json.dumps({"data_stream": {"dataset": "small.log"}, "ecs": {"version": "1"}}),
    "data_stream/rate/manifest.yml": """
title: Rate
type: metrics
elasticsearch: {index_mode: time_series}
streams:
  - {input: prometheus/metrics, title: Rate, description: Reads metrics.,
     vars: [{name: hosts, type: text, title: Hosts, multi: true, default: ["http://127.0.0.1:8000"]}]}
""",
    "data_stream/rate/fields/base-fields.yml": BASE_FIELDS,
    "data_stream/rate/fields/fields.yml": """
- {name: service.name, external: ecs, dimension: true}
- {name: ecs.version, external: ecs}
- {name: event.kind, external: ecs}
- {name: error.message, external: ecs}
- {name: small.rate.tokens, type: long, metric_type: counter, description: Tokens.}
- {name: small.rate.wait_time, type: double, unit: s, metric_type: gauge, description: Wait.}
""",
    "data_stream/rate/agent/stream/stream.yml.hbs": "hosts:\n{{#each hosts}}\n  - {{this}}\n{{/each}}\n",
    "data_stream/rate/elasticsearch/ingest_pipeline/default.yml": """---
description: Names fields.
processors:
  - set: {tag: set_ecs, field: ecs.version, value: 8.17.0}
"""
    + ON_FAILURE,
    "data_stream/rate/sample_event.json": json.dumps({"data_stream": {"dataset": "small.rate"}}),
    "kibana/slo_template/small-availability.json": json.dumps(
        {
            "id": "small-availability",
            "type": "slo_template",
            "attributes": {
                "name": "[Small] Availability",
                "description": "How often the state is open.",
                "indicator": {
                    "type": "sli.kql.custom",
                    "params": {
                        "index": "logs-small.log-*",
                        "good": 'small.log.state : "open"',
                        "total": "small.log.state : *",
                        "timestampField": "@timestamp",
                    },
                },
                "budgetingMethod": "occurrences",
                "timeWindow": {"duration": "30d", "type": "rolling"},
                "objective": {"target": 0.99},
                "tags": ["Small"],
            },
            "references": [],
        }
    ),
    "kibana/alerting_rule_template/small-wait.json": json.dumps(
        {
            "id": "small-wait",
            "type": "alerting_rule_template",
            "managed": True,
            "attributes": {
                "name": "[Small] It waits",
                "tags": ["Small"],
                "ruleTypeId": ".es-query",
                "schedule": {"interval": "1m"},
                "params": {
                    "searchType": "esqlQuery",
                    "esqlQuery": {
                        "esql": '// Of x.y\nFROM logs-small.log-*\n| WHERE small.log.state == "a.b" AND @timestamp > 1'
                    },
                    "timeField": "@timestamp",
                    "timeWindowSize": 5,
                    "timeWindowUnit": "m",
                    "threshold": [0],
                    "thresholdComparator": ">",
                    "size": 100,
                },
            },
            "references": [],
            "coreMigrationVersion": "8.8.0",
            "typeMigrationVersion": "10.1.0",
        }
    ),
}


def small(**files: str | None) -> Tree:
    """The package, with ``files`` replaced, added, or (None) taken out."""
    whole = {**SMALL, **files}
    return Tree(MappingProxyType({path: text.encode() for path, text in sorted(whole.items()) if text is not None}))


def changed(path: str, old: str, new: str) -> Tree:
    """The package with one text of one file replaced."""
    assert SMALL[path].count(old) == 1, f"{path} has {old!r} {SMALL[path].count(old)} times"
    return small(**{path: SMALL[path].replace(old, new)})
