"""Hatch's build hook: the integration package becomes data of kibana_assets in the wheel, without its tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class IntegrationPackage(BuildHookInterface):
    """Adds ``package/`` as ``kibana_assets/local_llm``; an editable installation reads it where it is."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        package = Path(self.root) / "package"
        for path in sorted(package.rglob("*")):
            inside = path.relative_to(package)
            if path.is_file() and not any(part == "_dev" or part.startswith(".") for part in inside.parts):
                build_data["force_include"][str(path)] = f"kibana_assets/local_llm/{inside.as_posix()}"
