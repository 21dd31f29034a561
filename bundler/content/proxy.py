"""``config/proxy.json``, by which the site's tool knows what proxy the release has."""

from __future__ import annotations

from bundler.lock.model import Lock
from bundler.serving.proxy_plan import PATH, ProxyPlan


def proxy_files(lock: Lock) -> dict[str, str]:
    """Path → text; none where the bundle has no proxy."""
    plan = proxy_plan(lock)
    return {PATH: plan.encode().decode()} if plan else {}


def proxy_plan(lock: Lock) -> ProxyPlan | None:
    """The proxy of the bundle, with its image where it runs in a container; None where there is none."""
    proxy = lock.request["proxy"]
    if not proxy:
        return None
    if proxy["run"] == "host":
        return ProxyPlan(proxy["server_name"], "host")
    image = next(image for image in lock.images if image.role == "proxy")
    return ProxyPlan(proxy["server_name"], "container", image.name, image.digest)
