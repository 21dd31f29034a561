"""The stricter rules for uploads, of 8.19.22, 9.4.7, 9.5.4 and 9.6.

Source: elastic/kibana, Fleet's validate_package_upload.ts (pull request 286094; read, not copied).
"""

from __future__ import annotations

import re

from tests.counterparts.kibana_stack.archive import Package
from tests.counterparts.kibana_stack.route import Json, Refusal
from tests.counterparts.kibana_stack.state import Stack

_NAME = re.compile(r"[a-z][a-z0-9_]{1,149}")
_FORBIDDEN = re.compile(
    r"[^/]+/(?:elasticsearch/[^/]+/|data_stream/[^/]+/elasticsearch/"
    r"(?:index_template|component_template|ilm|ilm_policy|transform|ml_model)/).+"
)


def check_upload(stack: Stack, package: Package) -> None:
    """Raises: Refusal for what these Kibanas do not let in."""
    name = package.name
    if not _NAME.fullmatch(name):
        text = "Use a lowercase identifier with letters, numbers, and underscores only."
        raise Refusal(400, f'Uploaded package name "{name}" is invalid. {text}')
    forbidden = next((path for path in package.paths if _FORBIDDEN.fullmatch(path)), None)
    if forbidden:
        raise Refusal(400, f"Uploaded package contains a forbidden asset: {forbidden}")
    _check_wishes(package)
    installed = stack.packages.get(name)
    if installed and installed.source != "upload":
        raise Refusal(400, f'Cannot upload a package that replaces the {installed.source}-installed package "{name}".')
    _check_registry(stack, name)
    _check_datasets(stack, package)


def _check_wishes(package: Package) -> None:
    if package.manifest.get("type") == "input":
        raise Refusal(400, "Uploaded packages cannot be input packages.")
    for template in package.manifest.get("policy_templates") or ():
        if any(one.get("dynamic_signal_types") for one in (template, *(template.get("inputs") or ()))):
            raise Refusal(400, "Uploaded packages cannot enable dynamic_signal_types.")
    asked: Json = (package.manifest.get("elasticsearch") or {}).get("privileges") or {}
    if asked.get("cluster"):
        raise Refusal(400, "Uploaded packages cannot request Elasticsearch cluster privileges.")
    if asked.get("indices"):
        raise Refusal(400, "Uploaded packages cannot request Elasticsearch index privileges.")
    for stream in package.streams:
        if (stream.elasticsearch.get("privileges") or {}).get("cluster"):
            text = f'Uploaded package dataset "{stream.dataset}" cannot request Elasticsearch cluster privileges.'
            raise Refusal(400, text)
        if stream.elasticsearch.get("dynamic_dataset") or stream.elasticsearch.get("dynamic_namespace"):
            text = f'Uploaded package dataset "{stream.dataset}" cannot enable dynamic_dataset or dynamic_namespace.'
            raise Refusal(400, text)
        if stream.type == "profiles":
            raise Refusal(400, "Uploaded packages cannot declare profiles data streams.")
        if "-" in stream.dataset or "@" in stream.dataset or stream.dataset != stream.dataset.lower():
            raise Refusal(400, f'Uploaded package declares invalid dataset "{stream.dataset}".')


def _check_registry(stack: Stack, name: str) -> None:
    registry = stack.registry
    if registry.air_gapped and not registry.url:
        return
    if not registry.reachable:
        text = f'Could not verify that uploaded package name "{name}" is not a registry or bundled package.'
        raise Refusal(400, text)
    if name in registry.names:
        text = "Cannot upload a package whose name already exists in the package registry or as a bundled package"
        raise Refusal(400, f"{text}: {name}")


def _check_datasets(stack: Stack, package: Package) -> None:
    ours = {f"{stream.type}-{stream.dataset}": stream.dataset for stream in package.streams}
    for other in stack.packages.values():
        for stream in other.streams if other.name != package.name else ():
            base = f"{stream.type}-{stream.dataset}"
            owned = next((one for one in ours if _overlap(one, base)), None)
            if owned:
                text = f'Uploaded package declares dataset "{owned}" that is already owned by installed package'
                raise Refusal(400, f'{text} "{other.name}".')
    for name, owner in stack.data_streams.items():
        base = name.rpartition("-")[0]
        if base in ours and owner != package.name:
            text = f'Uploaded package declares dataset "{ours[base]}" that matches existing Elasticsearch data stream'
            raise Refusal(400, f'{text} "{name}" which this package does not own.')


def _overlap(left: str, right: str) -> bool:
    return left == right or left.startswith(f"{right}.") or right.startswith(f"{left}.")
