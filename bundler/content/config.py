"""``config/``: what the engine runs at the site, as data that the site's tool turns into containers and units."""

from __future__ import annotations

from bundler.lock.model import Lock, LockedImage, LockedModel
from bundler.serving import vllm
from bundler.serving.plan import INSIDE, PATH, ServePlan
from bundler.spec.families import engine_args, family_of
from bundler.spec.named import Named, named, replaced


def config_files(lock: Lock) -> dict[str, str]:
    """Path → text of the files below ``config/``."""
    plan = serve_plan(lock)
    return {PATH: plan.encode().decode()} if plan else {}


def serve_plan(lock: Lock) -> ServePlan | None:
    """What the engine's container runs; None for LM Studio, which has no container."""
    request = lock.request["serve"]
    if request["engine"] != "vllm":
        return None
    image = next(image for image in lock.images if image.role == "engine")
    model = next(model for model in lock.models if model.id == request["model"])
    user = [replaced(arg, lambda part: INSIDE + _place(part, lock)) for arg in request["args"]]
    args = _args(image, model, user)
    return ServePlan(
        image=image.name,
        digest=image.digest,
        model=_path(model),
        served_name=model.id,
        context=request["context"],
        gpus=request["gpus"],
        args=args,
        env=tuple(sorted(vllm.ENVIRONMENT.items())),
        tool_parser=vllm.tool_parser(args),
        vocabularies=_vocabularies(lock),
        replicas=request.get("replicas") or 1,
        upstreams=tuple(request.get("upstreams") or ()),
        beside=tuple(sorted({_below(part) for arg in request["args"] for part in named(arg)})),
    )


def _args(image: LockedImage, model: LockedModel, user: list[str]) -> tuple[str, ...]:
    tag = image.name.partition("@")[0].rpartition(":")[2]
    family = family_of(model.id, model.facts.architecture)
    known = engine_args(family, tag, [file.path for file in model.files]).args if family else ()
    return vllm.base_args(tag, known, user)


def _path(model: LockedModel) -> str:
    """The folder, or the GGUF file itself: vLLM is given the first of its parts."""
    paths = sorted(file.path for file in model.files)
    weights = [path for path in paths if path.endswith(".gguf")]
    return f"models/{model.id}/{weights[0]}" if weights else f"models/{model.id}"


def _below(part: Named) -> str:
    """What the container is given of the bundle for an argument that names ``part``."""
    return f"models/{part.name}" if part.kind == "model" else f"extra/{part.name}"


def _place(part: Named, lock: Lock) -> str:
    """What stands in the argument itself, below the bundle: of a model with GGUF weights the first file of them."""
    return _path(next(m for m in lock.models if m.id == part.name)) if part.kind == "model" else _below(part)


def _vocabularies(lock: Lock) -> str | None:
    """The folder with the vocabularies that gpt-oss needs: side files, or of ``files:``."""
    for extra in lock.extras:
        folder, _, name = extra.path.rpartition("/")
        if name in vllm.VOCABULARY_FILES:
            return folder
    return None
