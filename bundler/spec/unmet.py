"""What a bundle.yml asks for and this version does not do yet: said, so that nobody relies on it. No I/O."""

from __future__ import annotations

from bundler.spec.model import Spec


def unmet(spec: Spec) -> tuple[str, ...]:
    """A sentence for each wish that is read and checked, but changes nothing yet."""
    found = []
    if spec.monitoring.filebeat:
        found.append("monitoring.filebeat: this version packs no Filebeat configuration yet")
    return tuple(found)
