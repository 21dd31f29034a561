"""Rules for ingest pipelines: the format's, those of format 3.6, and good habits (reference/package.md)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from kibana_assets.package.streams import pipelines, streams
from kibana_assets.package.tree import Tree
from tests.package.format.finding import Finding

REFUSED = {"enrich", "reroute", "geo_grid", "set_security_user"}
MUST_SAY = (
    "_ingest.on_failure_processor_type",
    "_ingest.on_failure_processor_tag",
    "_ingest.on_failure_message",
    "_ingest.pipeline",
)
RENAME = {
    "field": "message",
    "target_field": "event.original",
    "ignore_missing": True,
    "if": "ctx.event?.original == null",
}
REMOVE = {"field": "message", "ignore_missing": True, "if": "ctx.event?.original != null"}
UNTOLD = "ctx.event?.kind != 'pipeline_error'"
QUOTING = {"bytes", "convert", "csv", "date", "dissect", "grok", "json", "kv", "uri_parts", "urldecode"}
TOKEN = re.compile(r"%\{[A-z0-9]+(?::[A-Za-z0-9@\[\]_:.-]+)?(?:=(?:[^{}]+|\.+)+)?\}")
Processor = tuple[str, dict[str, Any]]


def a_pipeline_file_begins_with_three_dashes(tree: Tree) -> Iterator[Finding]:
    for path in tree.files:
        if "/ingest_pipeline/" in path and not tree.text(path).startswith("---\n"):
            yield Finding(path, repr(tree.text(path)[:20]), "--- as the first line")


def tags_are_there_once(tree: Tree) -> Iterator[Finding]:
    for place, pipeline in _pipelines(tree):
        processors = [*_inside(pipeline["processors"]), *_inside(pipeline.get("on_failure", ()))]
        counted = Counter(str(body.get("tag", "")) for _, body in processors)
        for tag, count in counted.items():
            if not tag or count > 1:
                yield Finding(place, f"tag {tag!r} {count} times", "a tag of its own for each processor")


def refused_processors_are_not_used(tree: Tree) -> Iterator[Finding]:
    for place, pipeline in _pipelines(tree):
        for name, body in _inside(pipeline["processors"]):
            if name in REFUSED:
                yield Finding(f"{place}: {body.get('tag')}", name, "a processor that packages may use")


def the_message_moves_as_the_format_says(tree: Tree) -> Iterator[Finding]:
    for place, pipeline in _pipelines(tree, only_default=True):
        bodies = [({**body, "tag": None}, name) for name, body in _inside(pipeline["processors"])]
        if any(body.get("target_field") == "event.original" for body, _ in bodies):
            for name, wanted in (("rename", RENAME), ("remove", REMOVE)):
                if ({**wanted, "tag": None}, name) not in bodies:
                    yield Finding(place, f"no such {name} of message", str(wanted))


def a_failure_is_told(tree: Tree) -> Iterator[Finding]:
    """By each pipeline itself, as format 3.6 wants it (package-spec, validate_pipeline_on_failure.go)."""
    for place, pipeline in _pipelines(tree):
        bodies = [(name, body) for entry in pipeline.get("on_failure", ()) for name, body in entry.items()]
        kinds = [body.get("value") for name, body in bodies if (name, body.get("field")) == ("set", "event.kind")]
        if kinds[:1] != ["pipeline_error"]:
            yield Finding(f"{place}: on_failure", "event.kind is not set", "pipeline_error")
        said = [body for name, body in bodies if name in ("set", "append") and body.get("field") == "error.message"]
        text = str(said[0].get("value")) if said else ""
        for word in MUST_SAY:
            if word not in text:
                yield Finding(f"{place}: on_failure: error.message", f"no {word}", "all four")


def a_failure_reaches_the_caller(tree: Tree) -> Iterator[Finding]:
    """A pipeline that is called fails in the end, so that nothing goes on; who calls one does not tell it again."""
    for place, pipeline in _pipelines(tree):
        handlers = pipeline.get("on_failure", ())
        if not place.endswith("/default.yml") and not (handlers and "fail" in handlers[-1]):
            yield Finding(f"{place}: on_failure", "no fail at its end", "one, for the caller")
        calls = any(name == "pipeline" for name, _ in _inside(pipeline["processors"]))
        known = False
        for body in (body for handler in handlers for body in handler.values()):
            known = known or body.get("field") == "event.kind"
            if body.get("field") == "error.message" and body.get("if") != (UNTOLD if calls else None):
                yield Finding(f"{place}: {body['tag']}: if", str(body.get("if")), UNTOLD if calls else "none")
            if body.get("field") == "error.message" and known:
                yield Finding(f"{place}: {body['tag']}", "behind that of event.kind", "error.message before event.kind")


def failures_quote_nothing(tree: Tree) -> Iterator[Finding]:
    """What these say of a value that they cannot read has the value in it, and would stand in error.message."""
    for place, pipeline in _pipelines(tree):
        for name, body in _inside([*pipeline["processors"], *pipeline.get("on_failure", ())]):
            if name in QUOTING and not (body.get("ignore_failure") or body.get("on_failure")):
                yield Finding(f"{place}: {body.get('tag')}", name, "ignore_failure, or an on_failure of its own")


def groks_are_anchored(tree: Tree) -> Iterator[Finding]:
    for place, pipeline in _pipelines(tree):
        for name, body in _inside(pipeline["processors"]):
            for pattern in body.get("patterns", ()) if name == "grok" else ():
                if not (pattern.startswith("^") and pattern.endswith("$")):
                    yield Finding(f"{place}: {body['tag']}", pattern[:80], "a pattern between ^ and $")


def groks_are_of_tokens(tree: Tree) -> Iterator[Finding]:
    """Elasticsearch takes any other ``%{`` for text (package-spec, validate_pipeline_grok.go)."""
    for place, pipeline in _pipelines(tree):
        for name, body in _inside([*pipeline["processors"], *pipeline.get("on_failure", ())]):
            texts = [*body.get("patterns", ()), *body.get("pattern_definitions", {}).values()] if name == "grok" else ()
            for text in texts:
                rest = TOKEN.sub(" ", text)
                for start in re.finditer(r"%\{", rest):
                    yield Finding(f"{place}: {body['tag']}", rest[start.start() :][:60], "a grok token")


def braces_are_three(tree: Tree) -> Iterator[Finding]:
    """Two would write ``&quot;`` for a quote. A call of another pipeline is resolved before that."""
    for place, pipeline in _pipelines(tree):
        for name, body in [*_inside(pipeline["processors"]), *_inside(pipeline.get("on_failure", ()))]:
            value = body.get("message" if name == "fail" else "value") if name in ("set", "append", "fail") else None
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str) and re.search(r"(?<!\{)\{\{(?!\{)", text):
                    yield Finding(f"{place}: {body['tag']}", text[:80], "three braces")


def appends_are_without_doubles(tree: Tree) -> Iterator[Finding]:
    for place, pipeline in _pipelines(tree):
        for name, body in _inside(pipeline["processors"]):
            if name == "append" and body.get("allow_duplicates") is not False:
                yield Finding(f"{place}: {body.get('tag')}", "append", "allow_duplicates: false")


def all_say_one_version_of_ecs(tree: Tree) -> Iterator[Finding]:
    said: dict[str, str] = {}
    for place, pipeline in _pipelines(tree, only_default=True):
        values = [body["value"] for _, body in _inside(pipeline["processors"]) if body.get("field") == "ecs.version"]
        if not values:
            yield Finding(place, "ecs.version is not set", "a set processor")
        said |= {str(value): place for value in values}
    if len(said) > 1:
        yield Finding(" and ".join(said.values()), " and ".join(said), "one ecs.version")


def _pipelines(tree: Tree, *, only_default: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    for stream in streams(tree):
        main = stream.pipeline_id()
        for name, pipeline in pipelines(tree, stream).items():
            if name == main or not only_default:
                file = "default" if name == main else name[len(main) + 1 :]
                yield f"{stream.path}/elasticsearch/ingest_pipeline/{file}.yml", pipeline


def _inside(processors: Any) -> Iterator[Processor]:
    """All processors, with those in on_failure and in foreach."""
    for entry in processors:
        for name, body in entry.items():
            yield name, body
            yield from _inside(body.get("on_failure", ()))
            yield from _inside([body["processor"]] if name == "foreach" else ())


RULES = (
    a_pipeline_file_begins_with_three_dashes,
    tags_are_there_once,
    refused_processors_are_not_used,
    the_message_moves_as_the_format_says,
    a_failure_is_told,
    a_failure_reaches_the_caller,
    failures_quote_nothing,
    groks_are_anchored,
    groks_are_of_tokens,
    braces_are_three,
    appends_are_without_doubles,
    all_say_one_version_of_ecs,
)
