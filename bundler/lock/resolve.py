"""Spec → lock: everything looked up once, so that a build needs to look up nothing."""

from __future__ import annotations

import os
import re
import time
from dataclasses import replace

from bundler import __version__
from bundler.errors import UsageError
from bundler.lock.elastic import lock_elastic
from bundler.lock.images import lock_images
from bundler.lock.model import Lock, LockedFile, LockedTool
from bundler.lock.models import lock_model
from bundler.lock.side_files import lock_side_file, other_than_known, side_files
from bundler.models.facts import ModelFacts
from bundler.models.memory import gpu_need, gpus_that_fit, sentence, warnings
from bundler.progress import SILENT, Progress
from bundler.sources.kinds import Sources
from bundler.spec.model import ExtraFile, Spec
from bundler.spec.request import request_of
from bundler.tool.site_tool import site_tool

_LATEST = 1 << 35


def resolve(spec: Spec, sources: Sources, progress: Progress = SILENT) -> Lock:
    """Look up all that ``spec`` names; ``rendered`` is left empty. Raises: BundleError."""
    created = _now()
    tool = _site_tool()  # first, since it needs no network
    images = lock_images(spec, sources, progress)
    models = tuple(lock_model(model, spec, sources, progress) for model in spec.models)
    lock = Lock(
        tool=__version__,
        created=created,
        request=request_of(spec),
        images=images,
        models=models,
        extras=(
            *(_extra(file, sources) for file in spec.files),
            *(lock_side_file(file, sources) for file in side_files(spec, models)),
        ),
        rendered=(),
        site_tool=tool,
        elastic=lock_elastic(spec.elastic, sources, progress),
    )
    for text in (*lock_warnings(lock), *other_than_known(spec, models)):
        progress.say(f"warning: {text}")
    return lock


def lock_warnings(lock: Lock) -> tuple[str, ...]:
    """What a person should think over before the bundle is carried to the site."""
    serve = lock.request["serve"]
    served = next(model for model in lock.models if model.id == serve["model"])
    found = warnings(served.facts, model_id=served.id, engine=serve["engine"], context=serve["context"])
    return (*found, *_too_few_gpus(served.facts, serve["context"] or served.facts.context, serve["gpus"]))


def _too_few_gpus(facts: ModelFacts, context: int | None, gpus: int) -> tuple[str, ...]:
    if not context:
        return ()
    need = gpu_need(facts, context=context)
    fits = gpus_that_fit(need)
    if fits and min(fit.count for fit in fits) <= gpus:
        return ()
    return (f"serve.gpus is {gpus}, which no usual GPU is large enough for: {sentence(need, fits)}",)


def keep_time(new: Lock, old: Lock) -> Lock:
    """``new`` with the time of ``old`` when nothing else differs, so that locking twice gives the same file."""
    aged = replace(new, created=old.created)
    return aged if replace(aged, rendered=old.rendered) == old else new


def _site_tool() -> LockedTool:
    made = site_tool()
    return LockedTool(len(made.data), made.digest, dict(made.versions))


def _extra(file: ExtraFile, sources: Sources) -> LockedFile:
    return LockedFile(file.path, sources.http.look(file.url), file.digest)


def _now() -> int:
    """Seconds since 1970, or SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/)."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        return int(time.time())
    if not re.fullmatch("[0-9]{1,12}", given) or int(given) > _LATEST:
        hint = "Set it to what `date +%s` prints, or unset it."
        raise UsageError(f"SOURCE_DATE_EPOCH: expected seconds since 1970, found {given[:40]!r}", hint=hint)
    return int(given)
