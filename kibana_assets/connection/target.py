"""Where to and as whom: the nodes of a cluster, the login, what is trusted, the proxy. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from kibana_assets.connection.address import Address, cloud, server
from kibana_assets.connection.login import Login
from kibana_assets.connection.trust import Trust
from kibana_assets.errors import UsageError


@dataclass(frozen=True, slots=True)
class Target:
    """How to reach a cluster; ``timeout`` for each answer and ``patience`` for a busy cluster are in seconds.

    ``kibana`` is the address that a cloud id names, or None.
    """

    addresses: tuple[Address, ...]
    login: Login
    trust: Trust
    proxy: str = ""
    timeout: float = 60.0
    patience: float = 30.0
    kibana: Address | None = None


def target_of(
    urls: Sequence[str],
    cloud_id: str | None,
    *,
    login: Login,
    trust: Trust,
    proxy: str = "",
    timeout: float = 60.0,
) -> Target:
    """The target that addresses or a cloud id name. Raises: UsageError."""
    if bool(urls) == bool(cloud_id):
        found = "both" if urls else "neither"
        hint = "As in --elasticsearch https://es.example.internal:9200"
        raise UsageError(f"expected --elasticsearch or --cloud-id, found {found}", hint=hint)
    kibana = None
    if cloud_id:
        named = cloud(cloud_id)
        urls = [named.elasticsearch]
        kibana = server(named.kibana, "--cloud-id") if named.kibana else None
    addresses = tuple(server(url, "--elasticsearch") for url in urls)
    if login.authorization and not all(one.secure or _is_near(one) for one in addresses):
        _check_clear(addresses)
    return Target(addresses, login, trust, _proxy(proxy), timeout, kibana=kibana)


def _is_near(address: Address) -> bool:
    return address.host in ("localhost", "::1") or address.host.startswith("127.")


def _check_clear(addresses: Sequence[Address]) -> None:
    clear = next(one for one in addresses if not one.secure and not _is_near(one))
    raise UsageError(
        f"--elasticsearch: {clear.url}: the login would cross the network in clear",
        hint="Use https://, with --ca or --fingerprint for a certificate of the site's own authority.",
    )


def _proxy(text: str) -> str:
    if not text:
        return ""
    found = server(text, "--proxy")
    if urlsplit(found.url).path:
        raise UsageError("--proxy: expected an address without a path", hint="As in http://proxy.example.internal:3128")
    return found.url
