"""Which image of an index fits a platform; no I/O.

Rules, those of containerd (https://github.com/containerd/platforms): ``arm64`` is ``arm64/v8``, ``amd64`` is
``amd64/v1``, ``arm`` is ``arm/v7``; a machine of a later variant runs images of an earlier one, so the latest
that is not too late is taken. Attestations and signatures are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bundler.errors import SpecError
from bundler.sources import media
from bundler.sources.image import Descriptor, Index
from bundler.spec.model import Platform

_ARCHITECTURES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armhf": "arm"}
_VARIANTS = {"arm64": "v8", "amd64": "v1", "arm": "v7"}


def choose(index: Index, platform: Platform, *, place: str = "the image") -> Descriptor:
    """The entry of ``index`` for ``platform``. Raises: SpecError with the platforms that there are."""
    images = [one for one in index.manifests if not one.attached and one.media_type in media.MANIFESTS | media.INDEXES]
    fitting = [one for one in images if one.platform and fits(one.platform, platform)]
    if fitting:
        return max(fitting, key=_rank)
    unnamed = [one for one in images if one.platform is None]
    if len(unnamed) == 1:
        return unnamed[0]
    raise lacking(platform, (one.platform for one in images if one.platform), place)


def fits(found: Platform, wanted: Platform) -> bool:
    """Whether an image for ``found`` runs on ``wanted``."""
    (os, architecture, variant), (its_os, its_architecture, its_variant) = _normal(wanted), _normal(found)
    if (os, architecture) != (its_os, its_architecture):
        return False
    numbers = _number(its_variant), _number(variant)
    return variant == its_variant or (0 < numbers[0] <= numbers[1])


def lacking(wanted: Platform, there: Iterable[Platform], place: str) -> SpecError:
    """The error for an image without the platform ``wanted``."""
    names = list(dict.fromkeys(str(one)[:80] for one in there))[:20]
    has = f"it has {', '.join(names)}" if names else "it names none"
    hint = "Set `platform` in bundle.yml to one of these, or use another image or tag."
    return SpecError(f"{place}: there is no image for {wanted}; {has}", hint=hint)


def _rank(entry: Descriptor) -> int:
    return _number(_normal(entry.platform)[2]) if entry.platform else 0


def _normal(platform: Platform) -> tuple[str, str, str]:
    architecture = _ARCHITECTURES.get(platform.architecture.lower(), platform.architecture.lower())
    variant = platform.variant.lower() or _VARIANTS.get(architecture, "")
    return platform.os.lower(), architecture, f"v{variant}" if variant.isdigit() else variant


def _number(variant: str) -> int:
    return int(variant[1:]) if re.fullmatch("v[0-9]{1,3}", variant) else 0
