"""What installing asks of Fleet, call by call: the package, agent policies, package policies, whether there is Fleet.

Rules: a package is read before and after it was uploaded, since an answer can be lost. An id is ours to choose, so that
creating twice is refused and never makes two. What Fleet refuses of a zip file gets a hint that names the setting or
the step that helps. Source of the refusals: elastic/kibana, Fleet's archive/parse.ts and validate_package_upload.ts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from kibana_assets.connection.address import segment
from kibana_assets.connection.form import NAME, Each, check
from kibana_assets.connection.reasons import said
from kibana_assets.errors import RefusedError
from kibana_assets.fleet.api import Api, item, items
from kibana_assets.kibana.request import DEFAULT, SPACE

Json = dict[str, Any]
MOST_BYTES: Final = 104_857_600
_PAGES: Final = 100
_PACKAGE: Final = {
    "status?": NAME,
    "installationInfo?": {
        "version": NAME,
        "install_status?": NAME,
        "install_source?": NAME,
        "installed_kibana_space_id?": SPACE,
        "additional_spaces_installed_kibana?": Each(object),
    },
}
_POLICY: Final = {"package?": {"name?": NAME, "version?": NAME}}
_POLICIES: Final = {"items": [{"id": NAME, **_POLICY}], "total?": int}
_DRY_RUN: Final = {"hasErrors?": bool, "diff?": [{"errors?": list}]}
_AIR_GAP: Final = (
    "Kibana cannot ask the package registry. Behind an air gap set xpack.fleet.isAirGapped: true in kibana.yml, and "
    "leave xpack.fleet.registryUrl and registryProxyUrl away while you install; then restart Kibana."
)
_NOT_OWNED: Final = (
    "Data of these streams is there from an installation without Fleet. Either stay without it (--no-fleet), or take "
    "that away first: llm-bundle assets uninstall --no-fleet --data."
)
_TAKEN: Final = (
    "Index templates with these names, or for the same data streams, are there already. Of an installation without "
    "Fleet: stay without it (--no-fleet), or take it away first: llm-bundle assets uninstall --no-fleet. Else look at "
    "each in Kibana (Index Management, Index Templates), and remove it or give it other index patterns."
)
_CLAIMED: Final = (
    "A package that was there before keeps these datasets for itself: remove what is left of it in Kibana "
    "(Integrations, Installed), or install with --no-fleet."
)
_HINTS: Final = (
    ("Could not verify that uploaded package name", _AIR_GAP),
    ("which this package does not own", _NOT_OWNED),
    ("would take over resources it does not own", _TAKEN),
    ("claimed by package", _CLAIMED),
    ("already exists in the package registry", "A package of this name is Elastic's: it cannot be replaced."),
    ("is already owned by installed package", "Remove that package in Kibana, or install with --no-fleet."),
    ("No processor type exists", "That Elasticsearch is too old, or lacks a plugin, for the package's pipelines."),
    ("license", "The stack's licence does not allow this."),
)


@dataclass(frozen=True, slots=True)
class PackageFound:
    """A package as Fleet has it; ``spaces`` are those that have its dashboards."""

    version: str
    status: str
    source: str
    spaces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether there is Fleet for this login; ``reason`` says why not."""

    state: Literal["ready", "absent", "forbidden"]
    reason: str = ""


class Fleet:
    """Fleet of a Kibana. Every method raises RefusedError and UnreachableError."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def standing(self) -> Standing:
        """Whether there is Fleet, and whether this login may use it."""
        answer = self.api.get("check-permissions")
        if answer is None:
            return Standing("absent", "this Kibana has no Fleet (xpack.fleet.enabled: false)")
        if answer.get("success") is True:
            return Standing("ready")
        if answer.get("error") == "MISSING_SECURITY":
            return Standing("absent", "Elasticsearch has no security, which Fleet needs")
        return Standing("forbidden", "this login lacks Fleet's privileges (Fleet: All, Integrations: All)")

    def package(self, name: str) -> PackageFound | None:
        """What Fleet has of a package; None where it is not installed."""
        answer = self.api.get(f"epm/packages/{segment(name)}")
        found = {} if answer is None else item(answer, self.api.place, _PACKAGE)
        about = found.get("installationInfo")
        if about is None or found.get("status") == "not_installed":
            return None
        more = about.get("additional_spaces_installed_kibana") or {}
        check([*more], [SPACE], self.api.place)
        spaces = (about.get("installed_kibana_space_id") or DEFAULT, *more)
        told = [about.get(key) or "" for key in ("install_status", "install_source")]
        return PackageFound(about["version"], told[0], told[1], spaces)

    def upload(self, data: bytes, space: str) -> None:
        """Install a package from its zip file, with its dashboards in ``space``."""
        if len(data) > MOST_BYTES:
            raise RefusedError(
                f"the package has {len(data)} bytes: expected {MOST_BYTES} at most", hint="Install with --no-fleet."
            )
        try:
            self.api.call("POST", "epm/packages", data, space=space)
        except RefusedError as error:
            raise RefusedError(error.message, hint=_hint(error), status=error.status) from error

    def into_space(self, name: str, version: str, space: str) -> None:
        """The package's dashboards in a further space."""
        path = f"epm/packages/{segment(name)}/{segment(version)}/kibana_assets"
        self.api.call("POST", path, {"force": False}, space=space)

    def remove_package(self, name: str, version: str) -> None:
        """Remove a package; Fleet takes its package policies along, whoever made them."""
        self.api.call("DELETE", f"epm/packages/{segment(name)}/{segment(version)}")

    def agent_policy(self, name: str, space: str) -> Json | None:
        """An agent policy, or None."""
        answer = self.api.get(f"agent_policies/{segment(name)}", space)
        return None if answer is None else item(answer, self.api.place)

    def put_agent_policy(self, name: str, body: Json, space: str, *, new: bool) -> Json:
        """Create an agent policy, or change one; as it is then."""
        if new:
            answer = self.api.call("POST", "agent_policies", {"id": name, **body}, space=space)
        else:
            answer = self.api.call("PUT", f"agent_policies/{segment(name)}", body, space=space)
        return item(answer, self.api.place)

    def delete_agent_policy(self, name: str, space: str) -> None:
        """Remove an agent policy; Fleet refuses while agents have it."""
        self.api.call("POST", "agent_policies/delete", {"agentPolicyId": name}, space=space)

    def package_policy(self, name: str, space: str) -> Json | None:
        """A package policy with its inputs in the simplified form, or None."""
        answer = self.api.get(f"package_policies/{segment(name)}", space, format="simplified")
        return None if answer is None else item(answer, self.api.place, _POLICY)

    def put_package_policy(self, name: str, body: Json, space: str, *, new: bool) -> None:
        """Create a package policy, or replace its whole content."""
        if new:
            self.api.call("POST", "package_policies", {"id": name, **body}, space=space)
        else:
            self.api.call("PUT", f"package_policies/{segment(name)}", body, space=space)

    def delete_package_policy(self, name: str, space: str) -> None:
        """Remove a package policy, if it is there."""
        self.api.call("DELETE", f"package_policies/{segment(name)}", space=space)

    def upgrade_package_policy(self, name: str, space: str) -> None:
        """Bring a package policy to the installed version, with its values, once a dry run found no fault."""
        answer = self.api.call("POST", "package_policies/upgrade/dryrun", _ids(name), space=space)
        for one in items(answer, self.api.place, _DRY_RUN):
            if one.get("hasErrors"):
                faults = said("; ".join(_errors(one))) or "no reason told"
                hint = "Open the policy in Fleet, fill in what is missing, and run the same command again."
                raise RefusedError(f"package policy {name}: cannot be upgraded: {faults}", hint=hint)
        self.api.call("POST", "package_policies/upgrade", _ids(name), space=space)

    def package_policies(self, package: str, space: str) -> tuple[str, ...]:
        """The ids of all package policies of a package that this space shows."""
        found: list[Json] = []
        for page in range(1, _PAGES + 1):
            query = {"page": str(page), "perPage": "100"}
            answer = self.api.call("GET", "package_policies", space=space, query=query)
            check(answer, _POLICIES, self.api.place)
            found += answer["items"]
            if not answer["items"] or len(found) >= (answer.get("total") or 0):
                break
        return tuple(one["id"] for one in found if (one.get("package") or {}).get("name") == package)


def _ids(name: str) -> Json:
    return {"packagePolicyIds": [name]}


def _errors(row: Json) -> Iterable[str]:
    for one in row.get("diff") or ():
        for fault in one.get("errors") or ():
            yield f"{fault.get('key', '')}: {fault.get('message', '')}" if isinstance(fault, dict) else str(fault)


def _hint(error: RefusedError) -> str:
    return next((hint for words, hint in _HINTS if words in error.message), error.hint)
