"""What is ours and what is not: the refusals that every engine shares."""

from __future__ import annotations

from collections.abc import Mapping

from bundler.errors import EngineError, IntegrityError
from bundler.serving.container import LABEL
from bundler.site.engines.stored import StoredImage


def only_ours(engine: str, what: str, owner: str | None) -> None:
    """Raises: EngineError when ``what`` bears no label of ours."""
    if not owner:
        hint = "It is left as it is. Rename or remove it yourself, or choose another name."
        raise EngineError(f"{engine}: {what} was not made by llm-bundle", hint=hint)


def same_network(engine: str, name: str, labels: Mapping[str, str] | None, found: bool, *, internal: bool) -> None:
    """Raises: EngineError when a network that is there is not ours, or not as ``internal`` as it must be."""
    only_ours(engine, f"the network {name}", (labels or {}).get(LABEL))
    if found != internal:
        expected = "without a way out" if internal else "with a way out"
        raise EngineError(f"{engine}: expected the network {name} {expected}, found the other sort")


def other_image(engine: str, image: StoredImage, found: str | None) -> IntegrityError:
    """The complaint that, after loading, the engine has another image or none."""
    hint = "Verify the release (llm-bundle verify DIR) and unpack the bundle again."
    expected = f"{image.config.digest} or {image.digest}"
    return IntegrityError(f"{engine}: {image.name}: expected the image {expected}, found {found or 'none'}", hint=hint)
