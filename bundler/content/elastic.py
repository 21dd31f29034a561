"""``elastic/``: the integration package, as Fleet takes it."""

from __future__ import annotations

from bundler.lock.model import Lock
from kibana_assets.package.build import build
from kibana_assets.package.tree import load


def elastic_files(lock: Lock) -> dict[str, bytes]:
    """Path → bytes of the files below ``elastic/``; none unless bundle.yml asks for the package.

    Raises: KibanaAssetsError for an llm-bundle that has lost its package.
    """
    if not lock.request["monitoring"]["package"]:
        return {}
    built = build(load())
    return {f"elastic/{built.name}": built.data}
