"""The same connectors for Kibana on Kubernetes: a ``Kibana`` resource of the ECK operator.

Rules: ``config`` holds what would stand in kibana.yml, and ``secureSettings`` names the Secrets that the script for
``eck`` makes; the operator puts those into the keystore. Source of the form: ECK's API reference,
kibana.k8s.elastic.co/v1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from preconfigured.connectors import Connector, Rendered
from preconfigured.errors import UsageError
from preconfigured.keystore import secret_name
from preconfigured.render import Snippet, render_all, snippet
from preconfigured.secret_sources import needed
from preconfigured.settings import Settings
from preconfigured.version import StackVersion
from preconfigured.yaml_text import Entry, comment, mapping

# RFC 1123, as Kubernetes wants names.
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)

_HEAD = """\
A Kibana resource for the ECK operator, Kibana {stack}. Put config and secureSettings into the resource that you have \
(kubectl edit kibana {name}): name, version, count and elasticsearchRef stand here so that it is a whole one.

Run keystore-eck.sh first: it makes the Secrets that are named below."""
_FILE = """\
The path of the private CA is one inside of the pods: mount the file there by spec.podTemplate, from a Secret or a \
ConfigMap."""


def eck(connectors: Sequence[Connector], settings: Settings, *, stack: StackVersion, name: str = "kibana") -> Snippet:
    """Write the resource: UTF-8 text that ends in a line break. ``name`` is that of the Kibana and its Elasticsearch.

    Raises:
        ConnectorError: something that Kibana would refuse or read otherwise.
        UsageError: a name that Kubernetes does not take.
    """
    if not _NAME.fullmatch(name):
        message = f"name: expected a Kubernetes name (a-z, 0-9, '-'), found {name[:80]!r}"
        raise UsageError(message, hint="It is the name of the Kibana resource.")
    made = snippet(connectors, settings, stack=stack)
    rendered = render_all(connectors, stack)
    text = "\n".join([*_lines(rendered, settings, made.text, stack, name)]) + "\n"
    return Snippet(text, made.notes)


def _lines(
    rendered: Sequence[Rendered], settings: Settings, config: str, stack: StackVersion, name: str
) -> Iterator[str]:
    yield from comment(_HEAD.format(stack=stack, name=name))
    if settings.private_ca:
        yield from comment("\n" + _FILE)
    head = (Entry("apiVersion", "kibana.k8s.elastic.co/v1"), Entry("kind", "Kibana"))
    yield from mapping((*head, Entry("metadata", (Entry("name", name),))))
    yield "spec:"
    reference = Entry("elasticsearchRef", (Entry("name", name),))
    yield from mapping((Entry("version", str(stack)), Entry("count", 1), reference), 2)
    yield "  config:"
    # The head of the snippet speaks of kibana.yml; the rest is the same.
    body = config.split("\n\n", 1)[1]
    yield from (f"    {line}" if line else "" for line in body.rstrip("\n").split("\n"))
    names = [secret_name(connector.id, secret.name) for connector in rendered for secret in needed(connector)]
    if names:
        yield "  secureSettings:"
        yield from (line for one in names for line in (f"    - secretName: {one}",))
