"""``config/lmstudio.json``, by which the site's tool runs LM Studio, and a systemd unit for those who do it by hand."""

from __future__ import annotations

from typing import Final

from bundler.digest import Digest
from bundler.errors import SpecError
from bundler.lock.model import Lock, LockedFile, LockedModel
from bundler.serving.lmstudio import PATH, LmStudioPlan, ModelFile
from bundler.serving.lmstudio_unit import UnitChoices, unit

SERVICE: Final = "config/lmstudio.service"
CONTEXT: Final = 64_000
"""Tokens: what Elastic's guide loads with, and what its Observability assistant needs."""

_EXAMPLE: Final = UnitChoices("lmstudio", "/home/lmstudio", "/home/lmstudio/.lmstudio/bin/lms")
_ADVICE: Final = """\
# An example: `llm-bundle install` writes its own. By hand, put the files of the model into {folder}
# below LM Studio's models folder, and set User, HOME, WorkingDirectory and the path of lms.
"""


def lmstudio_files(lock: Lock) -> dict[str, str]:
    """Path → text; none for other engines. Raises: SpecError."""
    plan = lmstudio_plan(lock)
    if plan is None:
        return {}
    return {PATH: plan.encode().decode(), SERVICE: _ADVICE.format(folder=plan.folder) + unit(plan, _EXAMPLE)}


def lmstudio_plan(lock: Lock) -> LmStudioPlan | None:
    """What LM Studio is to serve; None for other engines, and for a model without GGUF (MLX, served on a Mac by hand).

    Raises: SpecError for files that LM Studio could not have beside each other.
    """
    request = lock.request["serve"]
    if request["engine"] != "lmstudio":
        return None
    model = next(model for model in lock.models if model.id == request["model"])
    files = sorted((file for file in model.files if file.path.lower().endswith(".gguf")), key=_order)
    if not files:
        return None
    _acceptable(model, files)
    return LmStudioPlan(
        identifier=model.id,
        folder=_folder(model.id, files),
        main=_name(files[0]),
        files=tuple(ModelFile(f"models/{model.id}/{file.path}", file.size, file.digest) for file in files),
        context=request["context"] or min(CONTEXT, model.facts.context or CONTEXT),
        args=tuple(request["args"]),
    )


def _order(file: LockedFile) -> tuple[bool, str]:
    """The first is loaded: never the part that sees pictures, which LM Studio finds beside the model."""
    return "mmproj" in _name(file).lower(), file.path


def _name(file: LockedFile) -> str:
    return file.path.rpartition("/")[2]


def _acceptable(model: LockedModel, files: list[LockedFile]) -> None:
    """lms takes - for an option; LM Studio looks at one depth only, so that folders inside a repository are lost."""
    if model.id.startswith("-"):
        raise SpecError(f"{model.id}: LM Studio takes no name that begins with -", hint="Give the model another id.")
    seen: dict[str, str] = {}
    for file in files:
        other = seen.setdefault(_name(file).lower(), file.path)
        if other != file.path:
            hint = "Choose one of them with files: include or exclude."
            raise SpecError(f"{model.id}: {other} and {file.path} have one name; LM Studio has no folders", hint=hint)


def _folder(model_id: str, files: list[LockedFile]) -> str:
    """``publisher/repository-digits``: the digits are those of the files' names and digests."""
    parts = [part.lstrip("-.") or "model" for part in model_id.split("/")]
    publisher = "-".join(parts[:-1]) or "llm-bundle"
    content = "".join(f"{_name(file)} {file.digest}\n" for file in files)
    return f"{publisher}/{parts[-1]}-{Digest.of(content.encode()).short}"
