"""What installing needs of a Kibana."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from kibana_assets.kibana.rights import Lack

Json = dict[str, Any]
Name = tuple[str, str]
"""Type and id."""


class SavedObjects(Protocol):
    """A Kibana's saved objects, space by space. Every method raises KibanaAssetsError."""

    @property
    def place(self) -> str:
        """The address, safe to print."""

    @property
    def authorization(self) -> str:
        """The header by which it is asked; empty without a login."""

    def version(self) -> str:
        """The version, checked: a Kibana that objects of ours can be imported into."""

    def spaces(self) -> tuple[str, ...]:
        """The ids of all spaces that the login sees."""

    def may_read(self, space: str, kinds: Iterable[str]) -> bool:
        """Whether objects of these types may be read there."""

    def find(self, space: str, names: Iterable[Name]) -> dict[Name, Json]:
        """Those of the objects that are there."""

    def put(self, space: str, objects: Sequence[Json]) -> dict[Name, str]:
        """Create or replace; the ids that they have now, which Kibana may choose anew."""

    def delete(self, space: str, name: Name) -> None:
        """Remove one, if it is there."""


class AlertingRules(Protocol):
    """A Kibana's alerting rules, space by space. Every method raises KibanaAssetsError."""

    def why_not(self, space: str) -> str:
        """Why no rules can be kept, in words; nothing where they can."""

    def lacking(self, spaces: Iterable[str], consumer: str) -> tuple[Lack, ...]:
        """What the login may not do with rules in these spaces."""

    def find(self, space: str, names: Iterable[str]) -> dict[str, Json]:
        """Those of the rules that are there, by id."""

    def create(self, space: str, name: str, body: Json) -> Json:
        """A new rule under this id; as it is then."""

    def update(self, space: str, name: str, body: Json) -> Json:
        """Another content for a rule; as it is then."""

    def enable(self, space: str, name: str) -> None:
        """Switch a rule on."""

    def delete(self, space: str, name: str) -> None:
        """Remove a rule, if it is there."""
