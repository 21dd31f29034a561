"""The least that installing needs, and the least that shipping logs and metrics needs: roles and API keys.

Rules: what is missing is named before anything is written. A key has its rights written into it, so that it stays as
it is when the role changes. A key cannot make a key with rights: for that somebody must log in by name. Sources: the
security privileges of elastic/elasticsearch's docs; for shipping those of Elastic Agent's stand-alone guide.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from kibana_assets.connection.address import segment
from kibana_assets.connection.form import NAME, Each, check
from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.errors import RefusedError
from kibana_assets.kibana.rights import APPLICATION

Json = dict[str, Any]
Purpose = Literal["install", "ship"]
PATTERNS: Final = ("logs-local_llm.*-*", "metrics-local_llm.*-*")
# Both names of the feature: Kibana renamed it, and takes a role with either. Not savedObjectsManagement, which would
# give every other type of saved object, too: an import asks for the types that are in it, and for nothing else.
FEATURES: Final = ("dashboard", "dashboard_v2", "indexPatterns", "savedObjectsTagging")
_RULES: Final = ("stackAlerts",)
_CONNECTORS: Final = ("feature_actions.read",)
"""A rule that somebody gave an action may be changed by those alone who may use connectors."""
_FLEET: Final = ("fleetv2", "fleet")
"""Fleet and Integrations; in 8.19 they can be granted for all spaces alone."""
_PRIVILEGES: Final = {"cluster": Each(bool), "index": Each(Each(bool))}


def role(purpose: Purpose, *, ilm: bool = False, spaces: Iterable[str] | None = None, fleet: bool = False) -> Json:
    """The role, as ``PUT _security/role/…`` takes it; ``spaces`` of Kibana, ``*`` for all, None without Kibana."""
    if purpose == "ship":
        return {
            "cluster": ["monitor"],
            "indices": [{"names": list(PATTERNS), "privileges": ["auto_configure", "create_doc"]}],
        }
    cluster = ["monitor", "manage_index_templates", "manage_ingest_pipelines", "manage_ilm" if ilm else "read_ilm"]
    made: Json = {
        "cluster": cluster,
        "indices": [{"names": list(PATTERNS), "privileges": ["manage", "create_doc", "read"]}],
    }
    if spaces is not None:
        resources = ["*" if space == "*" else f"space:{space}" for space in spaces]
        privileges = [*(f"feature_{feature}.all" for feature in (*FEATURES, *_RULES)), *_CONNECTORS]
        made["applications"] = [{"application": APPLICATION, "privileges": privileges, "resources": resources}]
    if fleet:
        granted = {
            "application": APPLICATION,
            "privileges": [f"feature_{one}.all" for one in _FLEET],
            "resources": ["*"],
        }
        made.setdefault("applications", []).append(granted)
    return made


def role_name(purpose: Purpose) -> str:
    """The name of the role."""
    return f"llm_bundle_{purpose}"


def missing(cluster: Cluster, wanted: Json) -> tuple[str, ...]:
    """The privileges of a role that the login lacks, in words; none on a cluster without security.

    Raises: as Cluster.call.
    """
    asked = {"cluster": wanted["cluster"], "index": wanted["indices"]}
    try:
        answer = cluster.call("POST", "/_security/user/_has_privileges", asked)
    except RefusedError as error:
        # Without security there is no such path: 400 "no handler found", 405 or 500 by version.
        if error.status in (400, 404, 405, 500):
            return ()
        raise
    check(answer, _PRIVILEGES, f"{cluster.place}/_security/user/_has_privileges")
    lacks = [f"cluster: {name}" for name, has in answer["cluster"].items() if not has]
    for pattern, flags in answer["index"].items():
        lacks += [f"{pattern}: {name}" for name, has in flags.items() if not has]
    return tuple(lacks)


def require(cluster: Cluster, wanted: Json) -> None:
    """Raises: RefusedError that names each privilege that is missing; as Cluster.call."""
    lacks = missing(cluster, wanted)
    if lacks:
        raise RefusedError(
            f"{cluster.place}: this login lacks privileges: {'; '.join(lacks)}. Nothing was changed",
            hint="llm-bundle assets role prints the role that is needed, --ilm that for --lifecycle ilm; --create "
            "makes it, and a key.",
            status=403,
        )


@dataclass(frozen=True, slots=True)
class Key:
    """An API key; ``pair`` is the secret in the form that Beats and Elastic Agent take, ``ID:KEY``."""

    id: str
    name: str
    pair: str = field(repr=False)


def create(cluster: Cluster, purpose: Purpose, wanted: Json) -> Key:
    """Make the role, or bring it up to date, and an API key with its rights. Raises: as Cluster.call."""
    name = role_name(purpose)
    body = {"name": f"llm-bundle {purpose}", "role_descriptors": {name: wanted}}
    try:
        cluster.call("PUT", f"/_security/role/{segment(name)}", wanted)
        answer = cluster.call("POST", "/_security/api_key", body, once=True)
    except RefusedError as error:
        if error.status == 403 or "derived" in error.message:
            hint = "Log in by name, with --user, as one who may manage security: a key cannot make one with rights."
            raise RefusedError(error.message, hint=hint, status=error.status) from error
        raise
    check(answer, {"id": NAME, "api_key": NAME, "name": NAME}, f"{cluster.place}/_security/api_key")
    return Key(answer["id"], answer["name"], f"{answer['id']}:{answer['api_key']}")
