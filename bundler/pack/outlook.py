"""What a build will fetch and what room both sides need, from the lock and the plan. Nothing is fetched for it."""

from __future__ import annotations

from dataclasses import dataclass

from bundler.lock.model import Lock, LockedModel
from bundler.models.memory import Fit, GpuNeed, gpu_need, gpus_that_fit
from bundler.pack.plan import Plan

# vLLM's images: about 12 GB compressed are 25 to 29 GB in an engine's store.
IMAGE_GROWTH = 2.4


@dataclass(frozen=True, slots=True)
class Outlook:
    """Sizes in bytes. ``site_bytes`` is for bundle, release and the engine's image store together, an estimate."""

    fetch_bytes: int
    bundle_bytes: int
    site_bytes: int
    need: GpuNeed | None
    fits: tuple[Fit, ...]
    context: int | None


def outlook(lock: Lock, plan: Plan) -> Outlook:
    """The outlook of building ``plan``."""
    images = sum({blob.digest: blob.size for image in lock.images for blob in image.blobs}.values())
    bundle = plan.arrangement.size
    served = served_model(lock)
    context = lock.request["serve"]["context"] or served.facts.context
    need = gpu_need(served.facts, context=context) if context else None
    return Outlook(
        fetch_bytes=plan.fetch_bytes,
        bundle_bytes=bundle,
        site_bytes=2 * bundle + int(images * IMAGE_GROWTH),
        need=need,
        fits=gpus_that_fit(need) if need else (),
        context=context,
    )


def served_model(lock: Lock) -> LockedModel:
    """The model that the engine serves."""
    return next(model for model in lock.models if model.id == lock.request["serve"]["model"])
