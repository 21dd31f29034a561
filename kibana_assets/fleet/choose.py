"""With Fleet or without it: by what is installed already, else by what the Kibana has.

Rules: what was installed one way goes on that way, for the two do not mix: Fleet does not take over data streams that
it has not made. Where nothing is installed yet, Fleet is used where there is Fleet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kibana_assets.elasticsearch import stored
from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.errors import RefusedError, UsageError
from kibana_assets.fleet.client import Fleet
from kibana_assets.fleet.wish import DASHBOARDS, PACKAGE_POLICY, Wish
from kibana_assets.install import record as records
from kibana_assets.install.asset import COMPONENT, marks_of
from kibana_assets.install.record import FLEET

_OURS: Final = ("logs-local_llm.*", "metrics-local_llm.*")


def why_not(fleet: Fleet, cluster: Cluster, *, installed: bool = False) -> str:
    """Why Fleet is not to be used, in words; nothing where it is. ``installed``: only look at what is there.

    Raises: RefusedError for a login that may not use Fleet; UnreachableError.
    """
    if records.read(cluster, FLEET).entries:
        return ""
    if is_there_without(cluster):
        return "it was installed without Fleet, and goes on so"
    if installed:
        return "nothing was installed with Fleet"
    standing = fleet.standing()
    if standing.state == "forbidden":
        hint = "llm-bundle assets role --fleet prints the role; --no-fleet goes without."
        raise RefusedError(f"{fleet.api.place}: {standing.reason}", hint=hint, status=403)
    return standing.reason


def is_there_without(cluster: Cluster) -> bool:
    """Whether something of ours is in Elasticsearch or Kibana that did not come by Fleet. Raises: as Cluster.call."""
    if records.read(cluster).entries:
        return True
    bodies = [body for pattern in _OURS for body in stored.read(cluster, COMPONENT, pattern).values()]
    return any(marks_of(body) for body in bodies)


def settled(cluster: Cluster, wish: Wish, *, installed: bool, spaces: Sequence[str] = (), policy: str = "") -> Wish:
    """The wish with what was decided by an earlier run: the home of the policies stays where it is.

    With ``installed`` also the policy, the named one or the first, and the spaces, unless ``spaces`` are named.
    Raises: UsageError for a policy that is not there; as Cluster.call.
    """
    keys = list(records.read(cluster, FLEET).entries)
    policies = {name: home for kind, home, name in keys if kind == PACKAGE_POLICY}
    if not policies:
        return wish
    if not installed:
        return replace(wish, home=next(iter(policies.values())))
    if policy and policy not in policies:
        raise UsageError(f"--policy: {policy[:40]!r} was not installed", hint=f"There are: {', '.join(policies)}.")
    name = policy or next(iter(policies))
    there = tuple(dict.fromkeys(space for kind, space, _ in keys if kind == DASHBOARDS))
    return replace(wish, home=policies[name], spaces=tuple(spaces) or there or wish.spaces, policy=name)
