"""What ``elastic-package test pipeline`` and ``test static`` refuse of a document, beside an undeclared field.

Rules: a field that ECS normalizes is a list; a keyword is a text, a number a number; an address is one that may stand
in a test; ``event.category`` and its like have values of ECS, and each ``event.type`` is one that its categories admit;
the dataset is the stream's; no document says that its pipeline failed. Sources: elastic-package's
``internal/fields/validate.go`` and ``internal/testrunner/runners/pipeline/tester.go``; for the values ECS 9.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from kibana_assets.package.fields import Field
from tests.package.simulate import leaves

FILE_NAME = re.compile(r"test-common-config\.yml|test-[a-z0-9-]+\.(json|log)(-config\.yml|-expected\.json)?")
"""How the format names the files of a pipeline test: no dot in a version's number."""

KINDS = {"alert", "asset", "enrichment", "event", "metric", "pipeline_error", "signal", "state"}
OUTCOMES = {"failure", "success", "unknown"}
# Of each category the types that ECS expects; other categories are not used here.
TYPES = {
    "api": {"access", "admin", "allowed", "change", "creation", "deletion", "denied", "end", "info", "start", "user"},
    "authentication": {"start", "end", "info"},
    "configuration": {"access", "change", "creation", "deletion", "info"},
    "file": {"access", "change", "creation", "deletion", "info"},
    "iam": {"admin", "change", "creation", "deletion", "group", "info", "user"},
    "network": {"access", "allowed", "connection", "denied", "end", "info", "protocol", "start"},
    "package": {"access", "change", "deletion", "info", "installation", "start"},
    "process": {"access", "change", "end", "info", "start"},
    "web": {"access", "error", "info"},
}
NUMBERS = {"long", "double", "float"}
# For tests of GeoIP; and the ranges for documentation. Private and local ones are free too.
TEST_NETWORKS = (
    *("1.128.0.0/11", "175.16.199.0/24", "216.160.83.56/29", "81.2.69.142/31", "81.2.69.192/28", "89.160.20.112/28"),
    *("89.160.20.128/25", "67.43.156.0/24", "2a02:cf40::/29"),
    *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"),
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "127.0.0.0/8", "::1/128", "169.254.0.0/16"),
    *("fe80::/10", "224.0.0.0/4", "ff00::/8", "0.0.0.0/32", "::/128", "255.255.255.255/32"),
)
NETWORKS = tuple(ip_network(text) for text in TEST_NETWORKS)


def refused(document: Mapping[str, Any], dataset: str, fields: Iterable[Field]) -> Iterator[str]:
    """Sentences, each with the field's name; ``dataset`` is the stream's, ``fields`` what it declares."""
    types = {field.name: field for field in fields}
    said = dict(leaves(document))
    for name, value in said.items():
        if name in types:
            yield from _value(types[name], value)
    for name in ("event.dataset", "data_stream.dataset"):
        if said.get(name, dataset) != dataset:
            yield f"{name}: found {said[name]!r}, expected {dataset!r}"
    yield from _event(said)


def _event(said: Mapping[str, Any]) -> Iterator[str]:
    if said.get("event.kind") == "pipeline_error":
        yield f"event.kind: found 'pipeline_error', expected a pipeline that works: {said.get('error.message')}"
    for name, allowed in (("event.kind", KINDS), ("event.outcome", OUTCOMES)):
        if said.get(name, next(iter(allowed))) not in allowed:
            yield f"{name}: found {said[name]!r}, expected one of {', '.join(sorted(allowed))}"
    categories = said.get("event.category", [])
    for category in set(categories) - set(TYPES):
        yield f"event.category: found {category!r}, expected one of {', '.join(sorted(TYPES))}"
    expected = {kind for category in categories for kind in TYPES.get(category, ())}
    for kind in said.get("event.type", ()) if expected else ():
        if kind not in expected:
            yield f"event.type: found {kind!r}, expected of {categories} one of {', '.join(sorted(expected))}"


def _value(field: Field, value: object) -> Iterator[str]:
    if "normalize" in field.entry and not isinstance(value, list):
        yield f"{field.name}: found {value!r}, expected a list"
    for one in value if isinstance(value, list) else [value]:
        if field.type in ("keyword", "constant_keyword", "text") and not isinstance(one, str):
            yield f"{field.name}: found {one!r}, expected a text"
        if field.type in NUMBERS and (isinstance(one, bool) or not isinstance(one, (int, float))):
            yield f"{field.name}: found {one!r}, expected a number"
        if field.type == "ip" and not _may_stand_in_a_test(str(one)):
            yield f"{field.name}: found {one!r}, expected an address for tests or documentation, or a private one"


def _may_stand_in_a_test(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in NETWORKS)
