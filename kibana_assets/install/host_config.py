"""Configurations for the GPU host without Fleet: filebeat.yml, metricbeat.yml, and a stand-alone elastic-agent.yml.

Rules: what an input does is said once, in the package's agent templates; here it is rendered with the manifests'
defaults and what the user says otherwise. No secret stands in these files: the key for shipping is a variable, which
Beats read from their keystore or the environment, and Elastic Agent from the environment. Elasticsearch parses, so the
files name data streams and nothing else. Sources: the reference configurations of Beats and Elastic Agent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, Final

from kibana_assets.errors import PackageError, UsageError
from kibana_assets.install.agent_template import render
from kibana_assets.package.streams import Stream, streams
from kibana_assets.package.tree import Tree, parse_yaml

KEY: Final = "LLM_BUNDLE_SHIP_KEY"
_INDEX: Final = "%{[data_stream.type]}-%{[data_stream.dataset]}-%{[data_stream.namespace]}"
_HEAD: Final = """\
# Written by llm-bundle assets host-config. The API key is no part of it:
#   {keystore}
# llm-bundle assets role ship --create makes one that may do just this. Elasticsearch needs llm-bundle assets install.
"""
Json = dict[str, Any]
Settings = Mapping[str, Mapping[str, Sequence[str]]]
"""Stream → variable → the values that were given."""


@dataclass(frozen=True, slots=True)
class Host:
    """Where to: ``hosts`` of Elasticsearch, ``ca`` a path on the host; ``settings`` over the manifests' defaults."""

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
    made = {"elastic-agent.yml": _text(_agent(inputs, host), f"export {KEY}=ID:KEY")}
    if files:
        body = {"filebeat.inputs": [_filebeat(*one, host) for one in files], **_beat(host)}
        made["filebeat.yml"] = _text(body, f"filebeat keystore add {KEY}")
    if metrics:
        modules = [{"module": "prometheus", **_placed(stream, said, host)} for stream, _, said in metrics]
        made["metricbeat.yml"] = _text({"metricbeat.modules": modules, **_beat(host)}, f"metricbeat keystore add {KEY}")
    return made


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
    return {
        "output.elasticsearch": {**_output(host), "api_key": f"${{{KEY}}}", "index": _INDEX},
        # The templates are those that llm-bundle installed; the key may not install any.
        "setup.template.enabled": False,
        "setup.ilm.enabled": False,
    }


def _output(host: Host) -> Json:
    return {"hosts": list(host.hosts), **({"ssl.certificate_authorities": [host.ca]} if host.ca else {})}


def _agent(inputs: Sequence[tuple[Stream, str, Json]], host: Host) -> Json:
    output = {"type": "elasticsearch", **_output(host), "api_key": f"${{env.{KEY}}}"}
    return {
        "outputs": {"default": output},
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


def _text(body: Json, keystore: str) -> str:
    from ruamel.yaml import YAML

    writer = YAML()
    writer.default_flow_style = False
    writer.width = 4096
    stream = StringIO()
    writer.dump(body, stream)
    return _HEAD.format(keystore=keystore) + stream.getvalue()
