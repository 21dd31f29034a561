"""From a bundle to what the checks want to know of it. Reads a few small members, each against its digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from bundler.errors import BundleError
from bundler.layout.manifest import Manifest
from bundler.models.facts import ModelFacts
from bundler.models.memory import gpu_need
from bundler.serving import plan, proxy_plan
from bundler.site.doctor.interface import Wish
from bundler.site.medium import Medium, find
from bundler.site.members import read_member
from bundler.site.opening import Opened, open_bundle
from bundler.site.place import Place
from bundler.site.store import StateStore

_MOST: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Choices:
    """What only the site knows; ``server_name`` None is that of the bundle."""

    root: Path
    server_name: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    ports: tuple[int, ...] = (443,)


def wish_of(bundle: Path | None, choices: Choices) -> Wish:
    """The wish to install ``bundle`` (None: no bundle is at hand yet). Raises: IntegrityError; MachineError."""
    plain = Wish(
        choices.root,
        server_name=choices.server_name,
        certificate=choices.certificate,
        key=choices.key,
        ports=choices.ports,
        own_ports=_own_ports(choices.root),
    )
    if bundle is None:
        return plain
    with find([bundle]) as medium:
        return _with_bundle(plain, bundle, medium, open_bundle(medium))


def _own_ports(root: Path) -> frozenset[int]:
    """Those of what serves now; none where that cannot be told, as for another user than root."""
    try:
        state = StateStore(Place(root)).read()
    except BundleError:
        return frozenset()
    return frozenset(state.settings.ports) if state.current else frozenset()


def _with_bundle(plain: Wish, bundle: Path, medium: Medium, opened: Opened) -> Wish:
    wish = replace(plain, bundle=bundle, manifest=opened.manifest, image_config=_image_config(medium, opened))
    proxy = read_member(medium, opened, proxy_plan.PATH, proxy_plan.MAX_BYTES)
    if proxy is not None and wish.server_name is None:
        wish = replace(wish, server_name=proxy_plan.decode(proxy).server_name)
    data = read_member(medium, opened, plan.PATH, plan.MAX_BYTES)
    if data is None:
        return wish
    serve = plan.decode(data)
    return replace(wish, gpus=serve.gpus * serve.replicas, gpu_bytes=_gpu_bytes(opened.manifest, serve))


def _gpu_bytes(manifest: Manifest, serve: plan.ServePlan) -> int:
    """What all replicas' GPUs must have together, of which vLLM takes its share; 0 where the model says too little."""
    said = next((model.facts for model in manifest.models if model.id == serve.served_name), {})
    facts = _facts(said)
    context = serve.context or facts.context
    if not facts.weights_bytes or not context:
        return 0
    need = gpu_need(facts, context=context)
    return int(need.on_each(serve.gpus) * serve.gpus * serve.replicas / need.utilization)


def _facts(said: Mapping[str, Any]) -> ModelFacts:
    """The numbers of the manifest's facts; it may say anything, so only whole numbers are taken."""
    numbers = {
        field.name: said[field.name]
        for field in fields(ModelFacts)
        if "int" in str(field.type) and type(said.get(field.name)) is int and 0 <= said[field.name] < 1 << 60
    }
    return ModelFacts(**numbers)


def _image_config(medium: Medium, opened: Opened) -> Mapping[str, object]:
    """The configuration of the engine's image, {} where there is none."""
    engine = next((image for image in opened.manifest.images if image.role == "engine"), None)
    if engine is None:
        return {}
    manifest = _json(medium, opened, f"images/blobs/sha256/{engine.digest.hex}")
    config = manifest.get("config")
    digest = config.get("digest") if isinstance(config, dict) else None
    return _json(medium, opened, f"images/blobs/{str(digest).replace(':', '/')}")


def _json(medium: Medium, opened: Opened, path: str) -> Mapping[str, object]:
    data = read_member(medium, opened, path, _MOST)
    try:
        document = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
