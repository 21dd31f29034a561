"""Configurations for the GPU host without Fleet: filebeat.yml, metricbeat.yml, and a stand-alone elastic-agent.yml.

Rules: what an input does is said once, in the package's agent templates; here it is rendered with the manifests'
defaults and what the user says otherwise. No secret stands in these files: the key for shipping is a variable, which
Beats read from their keystore or the environment, and Elastic Agent from the environment. Elasticsearch parses, so the
files name data streams and nothing else. Where Elasticsearch is not known yet (a bundle is built), it is a variable,
too. Sources: the reference configurations of Beats and Elastic Agent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, Final

from kibana_assets.errors import PackageError, UsageError
from kibana_assets.install.agent_template import render
from kibana_assets.install.host_head import AGENT_HOST, BEAT_HOSTS, KEY, packed, written
from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.tree import Tree, parse_yaml

_INDEX: Final = "%{[data_stream.type]}-%{[data_stream.dataset]}-%{[data_stream.namespace]}"
_AUTHORITY: Final = """\
Of a private authority, put its PEM file onto this host, and take the number sign away:
ssl.certificate_authorities: [/etc/ssl/es-ca.pem]"""
Json = dict[str, Any]
Settings = Mapping[str, Mapping[str, Sequence[str]]]
"""Stream → variable → the values that were given."""


@dataclass(frozen=True, slots=True)
class Host:
    """Where to: ``hosts`` of Elasticsearch, ``ca`` a path on the host; ``settings`` over the manifests' defaults.

    No ``hosts``: nothing of the site is known yet, and the files say how to tell them.
    """

    hosts: tuple[str, ...]
    ca: str = ""
    namespace: str = "default"
    only: tuple[str, ...] = ()
    settings: Settings = field(default_factory=dict)


def host_configs(tree: Tree, host: Host) -> dict[str, str]:
    """File name → text. Raises: UsageError for a stream or a variable that is not there; PackageError."""
    found = [(stream, one) for stream in _chosen(tree, host) for one in stream.manifest["streams"]]
    inputs = [(stream, one["input"], _rendered(tree, stream, one, host)) for stream, one in found]
    files = [one for one in inputs if one[1] == "filestream"]
    metrics = [one for one in inputs if one[1] == "prometheus/metrics"]
    strange = sorted({one[1] for one in inputs} - {"filestream", "prometheus/metrics"})
    if strange:
        raise PackageError(f"inputs {', '.join(strange)}: no Beat is known for them", hint="Teach host_config.py it.")
    made = {"elastic-agent": _agent(inputs, host)}
    if files:
        made["filebeat"] = {"filebeat.inputs": [_filebeat(*one, host) for one in files], **_beat(host)}
    if metrics:
        modules = [{"module": "prometheus", **_placed(stream, said, host)} for stream, _, said in metrics]
        made["metricbeat"] = {"metricbeat.modules": modules, **_beat(host)}
    return {f"{program}.yml": _head(program, host, inputs) + _text(body) for program, body in made.items()}


def _head(program: str, host: Host, inputs: Sequence[tuple[Stream, str, Json]]) -> str:
    if host.hosts:
        return written(program)
    chosen = {stream.name: host.settings.get(stream.name, {}) for stream, _, _ in inputs}
    read = [one for _, _, said in inputs for one in said.get("hosts", ())] if program != "filebeat" else []
    return packed(program, chosen, read)


def _chosen(tree: Tree, host: Host) -> list[Stream]:
    known = {stream.name: stream for stream in streams(tree)}
    for name in (*host.only, *host.settings):
        if name not in known:
            raise UsageError(f"{name}: no such data stream", hint=f"One of {', '.join(known)}.")
    return [known[name] for name in (host.only or known)]


def _rendered(tree: Tree, stream: Stream, one: Json, host: Host) -> Json:
    path = f"{stream.path}/agent/stream/{one.get('template_path', 'stream.yml.hbs')}"
    text = render(tree.text(path), _values(stream, one, host.settings.get(stream.name, {})), path)
    read = parse_yaml(text, path)
    if not isinstance(read, dict):
        raise PackageError(f"{path}: expected settings", hint="Look at what its variables are.")
    return read


def _values(stream: Stream, one: Json, given: Mapping[str, Sequence[str]]) -> Json:
    known = {var["name"]: var for var in one.get("vars", ())}
    values = {name: var.get("default") for name, var in known.items()}
    for name, texts in given.items():
        if name not in known:
            raise UsageError(f"{stream.name}.{name}: no such variable", hint=f"One of {', '.join(known)}.")
        values[name] = _value(f"{stream.name}.{name}", known[name], texts)
    return values


def _value(place: str, var: Json, texts: Sequence[str]) -> Any:
    if var.get("secret") and not all(text.startswith("${") and text.endswith("}") for text in texts):
        hint = "Give the name of a variable, as '${VLLM_PASSWORD}'; Beats take it from their keystore."
        raise UsageError(f"{place}: a secret, which must stand in no file", hint=hint)
    if var.get("multi"):
        return list(texts)
    if len(texts) != 1:
        raise UsageError(f"{place}: expected one value, found {len(texts)}", hint="Give it once.")
    if var["type"] == "bool" and texts[0] not in ("true", "false"):
        raise UsageError(f"{place}: expected true or false, found {texts[0][:40]!r}", hint="Write it in small letters.")
    return texts[0] == "true" if var["type"] == "bool" else texts[0]


def _filebeat(stream: Stream, kind: str, said: Json, host: Host) -> Json:
    return {"type": kind, "id": f"local_llm-{stream.name}", "enabled": True, **_placed(stream, said, host)}


def _placed(stream: Stream, said: Json, host: Host) -> Json:
    """The input with what Elastic Agent would add: which data stream the events are for."""
    place = {"type": stream.type, "dataset": stream.dataset, "namespace": host.namespace}
    added = [
        {"add_fields": {"target": "data_stream", "fields": place}},
        {"add_fields": {"target": "event", "fields": {"dataset": stream.dataset}}},
    ]
    return {**said, "processors": [*added, *(said.get("processors") or [])]}


def _beat(host: Host) -> Json:
    output = _output({}, host, f"${{{BEAT_HOSTS}}}", f"${{{KEY}}}", 2)
    output["index"] = _INDEX
    return {
        "output.elasticsearch": output,
        # The templates are those that llm-bundle installed; the key may not install any.
        "setup.template.enabled": False,
        "setup.ilm.enabled": False,
    }


def _output(more: Json, host: Host, unknown: str | list[str], key: str, indent: int) -> Json:
    """``more`` with addresses, ``unknown`` in place of them, authority and key; ``indent`` is where it will stand."""
    from ruamel.yaml.comments import CommentedMap

    authority = {"ssl.certificate_authorities": [host.ca]} if host.ca else {}
    made = CommentedMap({**more, "hosts": list(host.hosts) or unknown, **authority, "api_key": key})
    if not host.hosts:
        made.yaml_set_comment_before_after_key("api_key", before=_AUTHORITY, indent=indent)
    return made


def _agent(inputs: Sequence[tuple[Stream, str, Json]], host: Host) -> Json:
    output = {"type": "elasticsearch"}
    return {
        "outputs": {"default": _output(output, host, [f"${{env.{AGENT_HOST}}}"], f"${{env.{KEY}}}", 4)},
        "agent.monitoring.enabled": False,
        "inputs": [
            {
                "id": f"local_llm-{stream.name}",
                "type": kind,
                "use_output": "default",
                "data_stream": {"namespace": host.namespace},
                "streams": [
                    {
                        "id": f"local_llm-{stream.name}",
                        "data_stream": {"type": stream.type, "dataset": stream.dataset},
                        **said,
                    }
                ],
            }
            for stream, kind, said in inputs
        ],
    }


def _text(body: Json) -> str:
    from ruamel.yaml import YAML

    writer = YAML()
    writer.default_flow_style = False
    writer.width = 4096
    stream = StringIO()
    writer.dump(body, stream)
    return stream.getvalue()
