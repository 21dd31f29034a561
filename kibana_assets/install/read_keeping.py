"""What of the data streams' lifecycles there is: their own, their indices' settings, and the templates that say more.

Rules: only data streams whose template is ours, or is to be, or is that of our package by Fleet; not those that a
template of somebody else's rules. Nothing is asked where no lifecycle of ours is wanted or there.
"""

from __future__ import annotations

from collections.abc import Mapping

from kibana_assets.elasticsearch import stored
from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.install.asset import COMPONENT, INDEX, Asset, Json, is_fleets
from kibana_assets.install.keeping import StreamKeeping, ilm, plain, says
from kibana_assets.install.lifecycle import CUSTOM, POLICY
from kibana_assets.install.plan import Found, Key
from kibana_assets.install.prove import NAMESPACE
from kibana_assets.install.role import PATTERNS


def read_keeping(cluster: Cluster, wanted: list[Asset], assets: Mapping[Key, Found]) -> dict[str, StreamKeeping]:
    """Of each data stream of ours, by its name. Raises: as Cluster.call."""
    ours = [one.body for one in wanted if one.kind == COMPONENT]
    ours += [found.body for key, found in assets.items() if key[0] == COMPONENT and found.ours]
    if not any(says(body.get("template") or {}) for body in ours):
        return {}
    read = _Templates(cluster, {asset.id: asset.body for asset in wanted if asset.kind == INDEX})
    made = {}
    for stream in (one for pattern in PATTERNS for one in stored.data_streams(cluster, pattern)):
        name, own = str(stream["name"]), str(stream["name"]).rpartition("-")[0]
        if name.endswith(f"-{NAMESPACE}"):
            continue
        found = read.around(own, str(stream.get("template", "")), there=(INDEX, "", own) in assets)
        if found is None:
            continue
        settings = stored.settings(cluster, name, "index.lifecycle.*")
        ilms = frozenset(ilm(settings.get(str(one["index_name"]), {})) for one in stream["indices"])
        made[name] = StreamKeeping(*found, plain(stream.get("lifecycle")), ilms)
    return made


_Around = tuple[str, str, tuple[Json, ...], tuple[Json, ...]]


class _Templates:
    """Index templates and what they are composed of; each component template is asked for once."""

    def __init__(self, cluster: Cluster, wanted: Mapping[str, Json]) -> None:
        self._cluster, self._wanted = cluster, wanted
        self._read: dict[str, Json] = {}

    def around(self, own: str, named: str, *, there: bool) -> _Around | None:
        """Our component template's name, the index template's, and the bodies below and above ours; None if not ours.

        ``own`` is the index template that the data stream would have of us, ``named`` the one that it has.
        """
        body, component = self._wanted.get(own), f"{own}@package"
        if body is None:
            body, component, there = self._fleets(own), CUSTOM, True
        if body is None or component not in body.get("composed_of", ()) or (there and named != own):
            return None
        names = list(body["composed_of"])
        place = names.index(component)
        above = (*(self._component(one) for one in names[place + 1 :]), body.get("template") or {})
        return component, own, tuple(self._component(one) for one in names[:place]), above

    def _fleets(self, name: str) -> Json | None:
        body = stored.read(self._cluster, INDEX, name).get(name, {})
        package = (body.get("_meta") or {}).get("package") or {}
        return body if is_fleets(body) and package.get("name") == POLICY else None

    def _component(self, name: str) -> Json:
        if name not in self._read:
            self._read[name] = stored.read(self._cluster, COMPONENT, name).get(name, {}).get("template") or {}
        return self._read[name]
