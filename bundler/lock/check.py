"""Does a lock belong to a bundle.yml? No I/O.

Rules: the request in the lock says the same as bundle.yml, and the lock holds what is requested: the images, models
and files of that request, in its order, with the digests that bundle.yml itself gives, and the side files of its model.
So nobody after this meets a lock that lacks a part, however its file came about.
"""

from __future__ import annotations

from dataclasses import replace

from bundler.errors import LockError
from bundler.lock.model import Lock
from bundler.lock.side_files import side_files
from bundler.spec.elastic_sites import locked_artefacts
from bundler.spec.model import Spec, UrlModel
from bundler.spec.request import differences, request_of

_SHOWN = 5
_AGAIN = "Look everything up again: llm-bundle lock --update"


def require_match(lock: Lock, spec: Spec, *, where: str = "bundle.lock") -> Lock:
    """``lock`` with its request as this llm-bundle writes it.

    Raises: LockError when it was made for another bundle.yml; the message names the parts.
    """
    request = request_of(spec)
    found = differences(lock.request, request)
    if found:
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise LockError(f"{where}: does not match bundle.yml: {'; '.join(found[:_SHOWN])}{more}", hint=_AGAIN)
    for part, same in _parts(lock, spec):
        if not same:
            raise LockError(f"{where}: {part}: is not what it says was requested", hint=_AGAIN)
    return replace(lock, request=request)


def _parts(lock: Lock, spec: Spec) -> tuple[tuple[str, bool], ...]:
    """Whether each part is the one that ``spec`` names."""
    files = {model.id: [(file.path, file.digest) for file in model.files] for model in lock.models}
    given = {model.id: [(model.path, model.digest)] for model in spec.models if isinstance(model, UrlModel)}
    images = [(role, image.written) for role, image in spec.images]
    extras = [(file.path, file.digest) for file in (*spec.files, *side_files(spec, lock.models))]
    return (
        ("images", [(image.role, image.written) for image in lock.images] == images),
        ("models", [model.id for model in lock.models] == [model.id for model in spec.models]),
        ("models: files", all(files.get(name) == rows for name, rows in given.items())),
        ("elastic", [file.path for file in lock.elastic] == _elastic(lock, spec)),
        ("extras", [(file.path, file.digest) for file in lock.extras] == extras),
    )


def _elastic(lock: Lock, spec: Spec) -> list[str] | None:
    """The paths that ``spec`` asks for; of its packages the lock knows the versions."""
    found = locked_artefacts(spec.elastic, (file.path for file in lock.elastic))
    return None if found is None else [file.path for file in found]
