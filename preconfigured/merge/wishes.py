"""What is wished for in a kibana.yml: connectors and the settings around them, each under a name of its own.

Rules: a wish knows the name that stands in its markers, the path of its setting, and how it goes together with what
is there already. Lists that restrict (``allowedHosts``, ``enabledActionTypes``) are completed where they stand and
would block a connector, and never begun unasked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from preconfigured.connectors import Connector, Note, Rendered
from preconfigured.errors import UsageError
from preconfigured.merge.index import Path, segments
from preconfigured.render import connector_entries, connector_lines, render_all
from preconfigured.secret_sources import SecretsMode
from preconfigured.settings import Settings, around, called_by_kibana
from preconfigured.version import StackVersion
from preconfigured.yaml_text import Entry, Items, Value

CONNECTORS: Path = ("xpack", "actions", "preconfigured")
OVERRIDES = "uiSettings.overrides"
_HOSTS = "xpack.actions.allowedHosts"
_TYPES = "xpack.actions.enabledActionTypes"

Kind = Literal["connector", "setting", "settings", "list"]


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing to be put in. ``kind`` says how it is merged:

    ``connector`` as a whole; ``setting`` one value; ``settings`` each entry of a mapping by itself; ``list`` the items
    that are missing. ``only_there``: only where the list exists.
    """

    name: str
    kind: Kind
    path: Path
    value: Value
    comment: str = ""
    rendered: Rendered | None = None
    secrets: SecretsMode = "keystore"
    only_there: bool = False

    def lines(self, key: str) -> list[str]:
        """A connector's lines below ``key``, without indentation."""
        assert self.rendered is not None
        return list(connector_lines(self.rendered, key, self.secrets, {}, 0))


@dataclass(frozen=True, slots=True)
class Wishes:
    """Everything that is wished for, and what was left out for the stack version."""

    wishes: tuple[Wish, ...]
    notes: tuple[Note, ...]


def wishes(
    connectors: Sequence[Connector], settings: Settings, stack: StackVersion, secrets: SecretsMode = "keystore"
) -> Wishes:
    """What a kibana.yml is to hold for these connectors.

    Raises:
        ConnectorError: something that Kibana would refuse or read otherwise.
        UsageError: secrets that were to stand in the file.
    """
    if secrets not in {"keystore", "env"}:
        raise UsageError(
            "secrets: expected keystore or env: a kibana.yml is never given secrets in clear",
            hint="For inline secrets, render a snippet and paste it.",
        )
    rendered = render_all(connectors, stack)
    surroundings = around(settings, rendered, stack)
    found = [*(_connector(one, secrets) for one in rendered), *map(_setting, surroundings.entries)]
    found += _completed(rendered, {wish.name for wish in found})
    notes = (*(note for connector in rendered for note in connector.notes), *surroundings.notes)
    return Wishes(tuple(found), notes)


def _connector(rendered: Rendered, secrets: SecretsMode) -> Wish:
    value = connector_entries(rendered, secrets, {})
    return Wish(rendered.id, "connector", (*CONNECTORS, rendered.id), value, rendered=rendered, secrets=secrets)


def _setting(entry: Entry) -> Wish:
    path = segments(entry.key)
    if isinstance(entry.value, tuple):
        return Wish(entry.key, "settings", path, entry.value, entry.comment)
    return Wish(entry.key, "list" if isinstance(entry.value, Items) else "setting", path, entry.value, entry.comment)


def _completed(rendered: Sequence[Rendered], wished: set[str]) -> Iterator[Wish]:
    targets = [called_by_kibana(connector) for connector in rendered]
    hosts = tuple(dict.fromkeys(target.host for target in targets if target))
    types = tuple(dict.fromkeys(connector.action_type for connector in rendered))
    if hosts and _HOSTS not in wished:
        comment = "Added, because a connector calls it and hosts outside of this list are blocked."
        yield Wish(_HOSTS, "list", segments(_HOSTS), Items(hosts), comment, only_there=True)
    comment = "Added, because connectors of types outside of this list do not work."
    yield Wish(_TYPES, "list", segments(_TYPES), Items(types), comment, only_there=True)
