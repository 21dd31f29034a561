"""What is wanted in Fleet, as assets: the package, its dashboards in further spaces, an agent policy, a package policy.

Rules: the package and its version are one for all spaces of a Kibana; the policies are in one space, their home. The
digest of a policy is of what we ask for, without the package's version: that rises by itself, and the values stay.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from kibana_assets.errors import UsageError
from kibana_assets.fleet.host import Host
from kibana_assets.install.asset import COMPONENT, Asset, digest
from kibana_assets.install.lifecycle import CUSTOM, Lifecycle
from kibana_assets.kibana.request import DEFAULT

Json = dict[str, Any]
PACKAGE: Final = "fleet_package"
DASHBOARDS: Final = "fleet_dashboards"
AGENT_POLICY: Final = "fleet_agent_policy"
PACKAGE_POLICY: Final = "fleet_package_policy"
KINDS: Final = (PACKAGE, DASHBOARDS, AGENT_POLICY, PACKAGE_POLICY)
EVERYWHERE: Final = "*"
POLICY: Final = "local-llm"


@dataclass(frozen=True, slots=True)
class Wish:
    """``data`` is the zip file; ``policy`` the id of both policies, which may be there already as somebody else's.

    ``home`` is the space of the policies; the first of ``spaces`` if nothing is said.
    """

    name: str
    version: str
    data: bytes = field(repr=False)
    spaces: tuple[str, ...] = (DEFAULT,)
    host: Host = field(default_factory=Host)
    policy: str = POLICY
    namespace: str = "default"
    home: str = ""

    def __post_init__(self) -> None:
        """Raises: UsageError for a namespace or an id that Fleet would not take."""
        object.__setattr__(self, "home", self.home or self.spaces[0])
        for option, text in (("--namespace", self.namespace), ("--policy", self.policy)):
            plain = text.replace("_", "").replace("." if option == "--namespace" else "-", "")
            if not (plain.isascii() and plain.isalnum() and text == text.lower() and len(text) <= 100):
                hint = "Small letters, digits and underscores; an id also with hyphens."
                raise UsageError(f"{option}: expected a plain name, found {text[:40]!r}", hint=hint)

    @property
    def digest(self) -> str:
        """Of the zip file."""
        return hashlib.sha256(self.data).hexdigest()

    def assets(self) -> tuple[Asset, ...]:
        """All of it, in the order in which it is put."""
        package = _asset(PACKAGE, self.name, EVERYWHERE, {"version": self.version, "sha256": self.digest})
        boards = [_asset(DASHBOARDS, self.name, space, {}) for space in self.spaces]
        agent = _asset(AGENT_POLICY, self.policy, self.home, self._agent_policy())
        collect = _asset(PACKAGE_POLICY, self.policy, self.home, self._package_policy())
        return (package, *boards, agent, collect)

    def _agent_policy(self) -> Json:
        return {
            "name": f"Local LLM ({self.policy})",
            "namespace": self.namespace,
            "description": "Made by llm-bundle: what a GPU host with a self-hosted LLM collects.",
            "monitoring_enabled": ["logs", "metrics"],
        }

    def _package_policy(self) -> Json:
        return {
            "name": self.policy,
            "namespace": self.namespace,
            "description": "Made by llm-bundle.",
            "policy_ids": [self.policy],
            "inputs": self.host.inputs(),
        }


def seen(kind: str, found: Json) -> Json:
    """Of a policy that Fleet shows, what is ours to say or a person's to change; not what Fleet counts."""
    if kind == AGENT_POLICY:
        return {key: found.get(key) for key in ("name", "namespace", "description", "monitoring_enabled")}
    kept = {key: found.get(key) for key in ("name", "namespace", "description", "policy_ids", "output_id")}
    inputs = found.get("inputs")
    return {**kept, "inputs": inputs if isinstance(inputs, dict) else {}}


def digest_of(kind: str, values: Json) -> str:
    """The digest of a policy's values, as that of an asset that asks for them."""
    return digest(kind, _body(kind, values))


def package_version(found: Json) -> str:
    """The version that a package policy is of."""
    about = found.get("package")
    return str(about.get("version", "")) if isinstance(about, dict) else ""


def lifecycle_assets(wish: Lifecycle) -> tuple[Asset, ...]:
    """How long data is kept: in the component template that Fleet's templates of the package take from its users."""
    if wish.way == "stack":
        return ()
    made = wish.applied({"template": {"settings": {"index": {}}}})
    return (
        *wish.policies(),
        Asset(COMPONENT, CUSTOM, {**made, "_meta": {"package": {"name": CUSTOM.partition("@")[0]}}}),
    )


def _asset(kind: str, name: str, space: str, values: Json) -> Asset:
    return Asset(kind, name, _body(kind, values), space=space)


def _body(kind: str, values: Json) -> Json:
    """In the form of a saved object, of which just these parts count."""
    return {"type": kind, "attributes": values}
