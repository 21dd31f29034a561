"""How the connected side's results read: their JSON, with stable keys, and their lines for people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from bundler.cli.keys import name_json
from bundler.cli.output import table
from bundler.disk import size_text
from bundler.lock.model import Lock, LockedFile, LockedImage, LockedModel
from bundler.models.memory import sentence
from bundler.pack.build import Built
from bundler.pack.locking import Made
from bundler.pack.outlook import Memory, Outlook, memory
from bundler.pack.plan import Plan
from bundler.spec.families import fetched_by
from bundler.trust.keys import KeyName

Place: TypeAlias = "Callable[[str], str]"
"""The kind of a model's source → where that is."""


def lock_lines(made: Made, spec_path: Path) -> list[str]:
    """What was locked."""
    rows = [*map(_image_row, made.lock.images), *map(_model_row, made.lock.models), *map(_extra_row, made.lock.extras)]
    rows += _elastic_rows(made.lock)
    rows.append(("GPU", "", _gpu_text(memory(made.lock))))
    verb = "wrote" if made.changed else "kept, nothing has changed:"
    named = "" if spec_path == Path("bundle.yml") else f" {spec_path}"
    return [*table(rows), f"{verb} {made.path}", f"next: llm-bundle plan{named}, then llm-bundle build{named}"]


def plan_json(lock: Lock, plan: Plan, ahead: Outlook, place: Place) -> dict[str, Any]:
    """The stable keys of ``plan --json``; sizes in bytes, context in tokens."""
    return {
        "bundle": plan.file_name,
        "images": [
            {
                "role": image.role,
                "name": image.name,
                "from": image.written,
                "platform": image.platform,
                "digest": str(image.digest),
                "bytes": _image_bytes(image),
            }
            for image in lock.images
        ],
        "models": [
            {
                "id": model.id,
                "from": place(model.kind),
                "commit": model.commit,
                "files": len(model.files),
                "bytes": _model_bytes(model),
                "context": model.facts.context,
                "weights_bytes": model.facts.weights_bytes,
                "kv_bytes_per_token": model.facts.kv_bytes_per_token,
            }
            for model in lock.models
        ],
        "files": [
            {"path": one.path, "bytes": one.size, "digest": str(one.digest), "fetched_by": fetched_by(one.path)}
            for one in (*lock.extras, *lock.elastic)
        ],
        "fetch_bytes": ahead.fetch_bytes,
        "bundle_bytes": ahead.bundle_bytes,
        "site_bytes": ahead.site_bytes,
        "gpu": _gpu_json(ahead.memory),
    }


def plan_lines(lock: Lock, plan: Plan, ahead: Outlook, place: Place) -> list[str]:
    """The plan for people."""
    rows = [*map(_image_row, lock.images), *(_model_row(model, place(model.kind)) for model in lock.models)]
    rows += [*map(_extra_row, lock.extras), *_elastic_rows(lock)]
    return [
        f"{plan.file_name}",
        *table(rows),
        *table(
            [
                ("to fetch", size_text(ahead.fetch_bytes)),
                ("disk here", f"{size_text(ahead.bundle_bytes)} for the bundle; nothing besides"),
                ("disk at the site", f"about {size_text(ahead.site_bytes)}: bundle, what is unpacked, images loaded"),
                ("GPU", _gpu_text(ahead.memory)),
            ]
        ),
    ]


def build_json(built: Built, by: KeyName | None) -> dict[str, Any]:
    """The stable keys of ``build --json``."""
    return {
        "bundle": str(built.bundle),
        "volumes": [str(path) for path in built.volumes],
        "bytes": built.bytes,
        "manifest_sha256": built.manifest.hex,
        "signed_by": name_json(by),
        "bytes_fetched": built.bytes_fetched,
        "bytes_written": built.bytes_written,
        "seconds": built.seconds,
    }


def build_lines(built: Built, by: KeyName | None) -> list[str]:
    """What was built, and what to tell the site."""
    first = built.volumes[0] if built.volumes else built.bundle
    more = f" to {built.volumes[-1].name}" if len(built.volumes) > 1 else ""
    return [
        f"built {first}{more}: {size_text(built.bytes)} in {built.seconds:.1f} s",
        f"  manifest {built.manifest}",
        *([f"  signed with {by}"] if by else []),
        "  Tell the site this digest on another way than the bundle's: it stands for every byte.",
        f"next: llm-bundle verify {first}",
    ]


def lock_json(made: Made) -> dict[str, Any]:
    """The stable keys of ``lock --json``."""
    lock = made.lock
    return {
        "lock": str(made.path),
        "changed": made.changed,
        "images": [{"role": image.role, "name": image.name, "digest": str(image.digest)} for image in lock.images],
        "models": [{"id": model.id, "commit": model.commit, "files": len(model.files)} for model in lock.models],
        "gpu": _gpu_json(memory(lock)),
    }


def _gpu_json(need: Memory | None) -> dict[str, Any] | None:
    if need is None:
        return None
    fits = [{"name": fit.gpu_name, "bytes": fit.gpu_bytes, "count": fit.count} for fit in need.fits]
    return {"bytes": need.need.total, "context": need.context, "replicas": need.replicas, "fits": fits}


def _gpu_text(need: Memory | None) -> str:
    if need is None:
        return "not known: neither bundle.yml nor the model says a context"
    each = f"{need.replicas} replicas, each " if need.replicas > 1 else ""
    return each + sentence(need.need, need.fits)


def _image_bytes(image: LockedImage) -> int:
    return sum({blob.digest: blob.size for blob in image.blobs}.values())


def _model_bytes(model: LockedModel) -> int:
    return sum(file.size for file in model.files)


def _image_row(image: LockedImage) -> tuple[str, str, str]:
    source = "" if image.written in image.name else f", from {image.written}"
    return image.name, size_text(_image_bytes(image)), f"{image.platform}, {image.digest}{source}"


def _extra_row(extra: LockedFile) -> tuple[str, str, str]:
    reader = fetched_by(extra.path)
    return extra.path, size_text(extra.size), "from its address" + (f", for {reader}" if reader else "")


def _elastic_rows(lock: Lock) -> list[tuple[str, str, str]]:
    """What is wanted; digests, signatures and vocabularies beside it are small and many."""
    wanted = (file for file in lock.elastic if file.path.endswith((".tar.gz", ".zip", ".pt")))
    return [(file.path, size_text(file.size), "from Elastic") for file in wanted]


def _model_row(model: LockedModel, place: str = "") -> tuple[str, str, str]:
    origin = f", from {place}" if place else ""
    commit = f", commit {model.commit}" if model.commit else ""
    context = f", context {model.facts.context:,}" if model.facts.context else ""
    return model.id, size_text(_model_bytes(model)), f"{len(model.files)} files{origin}{commit}{context}"
