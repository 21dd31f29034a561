"""What a build will fetch and what room both sides need, from the lock and the plan. Nothing is fetched for it."""

from __future__ import annotations

from dataclasses import dataclass

from bundler.lock.model import Lock
from bundler.models.memory import Fit, GpuNeed, gpu_need, gpus_that_fit
from bundler.pack.plan import Plan

# vLLM's images: about 12 GB compressed are 25 to 29 GB in an engine's store.
IMAGE_GROWTH = 2.4


@dataclass(frozen=True, slots=True)
class Memory:
    """What of GPU memory one engine takes with ``context`` tokens, and the GPUs that have it; ``replicas`` run."""

    context: int
    need: GpuNeed
    fits: tuple[Fit, ...]
    replicas: int = 1


@dataclass(frozen=True, slots=True)
class Outlook:
    """Sizes in bytes. ``site_bytes`` is for bundle, release and the engine's image store together, an estimate."""

    fetch_bytes: int
    bundle_bytes: int
    site_bytes: int
    memory: Memory | None


def memory(lock: Lock) -> Memory | None:
    """The GPU memory needed; None where neither bundle.yml nor the model says a context."""
    served = next(model for model in lock.models if model.id == lock.request["serve"]["model"])
    context = lock.request["serve"]["context"] or served.facts.context
    if not context:
        return None
    need = gpu_need(served.facts, context=context)
    return Memory(context, need, gpus_that_fit(need), lock.request["serve"].get("replicas") or 1)


def outlook(lock: Lock, plan: Plan) -> Outlook:
    """The outlook of building ``plan``."""
    images = sum({blob.digest: blob.size for image in lock.images for blob in image.blobs}.values())
    bundle = plan.arrangement.size
    return Outlook(
        fetch_bytes=plan.fetch_bytes,
        bundle_bytes=bundle,
        site_bytes=2 * bundle + int(images * IMAGE_GROWTH),
        memory=memory(lock),
    )
