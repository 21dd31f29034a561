"""``config/nginx/``: the proxy's configuration as its container takes it, readable before anybody runs it."""

from __future__ import annotations

from bundler.errors import MachineError, SpecError
from bundler.lock.model import Lock
from bundler.serving.nginx.container import container_config, engine_names, image_version
from bundler.serving.nginx.render import render

FOLDER = "config/nginx"


def nginx_files(lock: Lock) -> dict[str, str]:
    """Path → text; none where the host's own Nginx runs, or LM Studio, whose place only the site knows.

    Raises: SpecError for an image whose Nginx is too old.
    """
    proxy, serve = lock.request["proxy"], lock.request["serve"]
    if not proxy or proxy["run"] != "container" or serve["engine"] != "vllm":
        return {}
    image = next(image for image in lock.images if image.role == "proxy")
    try:
        version = image_version(image.name)
    except MachineError as error:
        hint = "Name a newer one, as in nginx:1.29-alpine."
        raise SpecError(f"proxy.image: {image.name}: {error.message}", hint=hint) from error
    upstreams = (*engine_names(serve.get("replicas") or 1), *(serve.get("upstreams") or ()))
    files = render(container_config(proxy["server_name"], upstreams=upstreams), version)
    return {f"{FOLDER}/{name}": text for name, text in files.items()}
