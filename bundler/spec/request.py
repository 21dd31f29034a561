"""What of bundle.yml determines the bytes of the bundle, in a form that JSON can hold and the lock keeps.

Rules: how this machine reaches its sources (``registries``, the folder of bundle.yml) and who signs is not part of
it. Two texts of bundle.yml that mean the same give the same request. ``differences`` reads a request from a lock
file, which anyone may have edited, so it takes nothing about its shape for granted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bundler.spec.model import (
    API_VERSION,
    Elastic,
    FilePatterns,
    FolderModel,
    HubModel,
    ImageSource,
    ModelSource,
    Proxy,
    Serve,
    Spec,
)
from bundler.spec.wording import quoted, step


def request_of(spec: Spec) -> dict[str, Any]:
    """The request of ``spec``: texts, numbers, booleans, None, lists and dicts, equal after a trip through JSON."""
    return {
        "apiVersion": API_VERSION,
        "name": spec.name,
        "version": spec.version,
        "platform": str(spec.platform),
        "stack": spec.stack,
        "models": [_model(model) for model in spec.models],
        "serve": _serve(spec.serve),
        "proxy": _proxy(spec.proxy) if spec.proxy else None,
        "connectors": [{"id": c.id, "name": c.name, "provider": c.provider} for c in spec.connectors],
        "monitoring": {"package": spec.monitoring.package, "filebeat": spec.monitoring.filebeat},
        # None where bundle.yml says nothing, so that locks from before this key still match.
        "elastic": _elastic(spec.elastic) if spec.elastic else None,
        "files": [{"url": f.url, "sha256": f.digest.hex, "path": f.path} for f in spec.files],
    }


def _model(model: ModelSource) -> dict[str, Any]:
    common: dict[str, Any] = {"id": model.id, "allow_pickle": list(model.allow_pickle)}
    if isinstance(model, HubModel):
        return {**common, "revision": model.revision, "files": _patterns(model.files)}
    if isinstance(model, FolderModel):
        return {**common, "folder": model.folder, "files": _patterns(model.files)}
    return {**common, "url": model.url, "sha256": model.digest.hex, "path": model.path}


def _patterns(patterns: FilePatterns) -> dict[str, list[str]]:
    return {"include": list(patterns.include), "exclude": list(patterns.exclude)}


def _serve(serve: Serve) -> dict[str, Any]:
    return {
        "engine": serve.engine,
        "image": _image(serve.image),
        "model": serve.model,
        "context": serve.context,
        "gpus": serve.gpus,
        "args": list(serve.args),
        # None where bundle.yml says nothing, so that locks from before these keys still match.
        "replicas": serve.replicas if serve.replicas > 1 else None,
        "upstreams": list(serve.upstreams) or None,
    }


def _proxy(proxy: Proxy) -> dict[str, Any]:
    return {"server_name": proxy.server_name, "run": proxy.run, "image": _image(proxy.image)}


def _elastic(elastic: Elastic) -> dict[str, Any]:
    return {
        "agent": elastic.agent,
        "beats": [{"name": beat.name, "version": beat.version} for beat in elastic.beats],
        "packages": [{"name": package.name, "version": package.version} for package in elastic.packages],
        "product_docs": list(elastic.product_docs),
        "elser": list(elastic.elser),
        "served_from": elastic.served_from,
    }


def _image(image: ImageSource | None) -> str | None:
    # As written: the bundle's manifest repeats it, so nginx and docker.io/library/nginx are two requests.
    return image.written if image else None


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The parts that differ, as in ``models[0].revision: "main" in the lock, "v2" in bundle.yml``, in path order.

    ``old`` is the request in a lock, of any shape; ``new`` is that of bundle.yml. A key that is missing is as good
    as one that says None, so that a lock stays good when a later version learns a new optional key.
    """
    return list(_differences(old, new, ""))


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*new, *(key for key in old if key not in new)]:
            yield from _differences(old.get(key), new.get(key), step(path, str(key)))
    elif isinstance(old, list) and isinstance(new, list):
        for position in range(max(len(old), len(new))):
            yield from _differences(_at(old, position), _at(new, position), f"{path}[{position}]")
    elif type(old) is not type(new) or old != new:
        yield f"{path}: {_shown(old)} in the lock, {_shown(new)} in bundle.yml"


def _at(values: list[Any], position: int) -> Any:
    return values[position] if position < len(values) else None


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        name = value.get("id", value.get("path"))
        return quoted(name) if isinstance(name, str) else "a mapping"
    if isinstance(value, list):
        return "a list"
    return quoted(value) if isinstance(value, str) else str(value)[:80]
