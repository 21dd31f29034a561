"""The ECS fields that the package uses: a frozen extract, ``ecs.json``, of the npm package ``@elastic/ecs``.

Rules: the extract has only what fields/*.yml name with ``external: ecs``, and says its version and licence. It is
made by ``make ecs`` (refresh_ecs.py) alone. ECS is Apache-2.0: https://github.com/elastic/ecs.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from kibana_assets.errors import PackageError
from kibana_assets.package.tree import parse_json

EXTRACT: Final = "ecs.json"


@dataclass(frozen=True, slots=True)
class Ecs:
    """``fields`` by dotted name: type, description and the parameters of the mapping that ECS gives."""

    version: str
    fields: dict[str, dict[str, Any]]

    def field(self, name: str, place: str) -> dict[str, Any]:
        """What ECS says of ``name``. Raises: PackageError if the extract has no such field."""
        if name not in self.fields:
            raise PackageError(
                f"{place}: {name}: external: ecs, but the extract of ECS {self.version} has no such field",
                hint="Correct the name; or, if it is new to the package: make ecs.",
            )
        return self.fields[name]


def ecs() -> Ecs:
    """The extract that lies beside this module."""
    text = resources.files("kibana_assets.package").joinpath(EXTRACT).read_text(encoding="utf-8")
    read = parse_json(text, EXTRACT)
    return Ecs(read["version"], read["fields"])
