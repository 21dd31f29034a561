"""An installation with a release in it, as ``install`` leaves it before the parts are prepared."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from bundler.digest import Digest
from bundler.layout.manifest import ImageEntry, Manifest
from bundler.serving import proxy_plan, vllm
from bundler.serving.plan import PATH, ServePlan
from bundler.serving.proxy_plan import ProxyPlan
from bundler.site.engines.interface import Engine
from bundler.site.engines.stored import StoredImage, read_image
from bundler.site.parts.assemble import assemble
from bundler.site.parts.contents import read_contents
from bundler.site.parts.interface import Part, Parts, PartState
from bundler.site.place import Place
from bundler.site.state import Release, Settings, State
from bundler.site.tokens import change
from bundler.site.tokens.store import TokenStore
from tests.counterparts.certificates import Authority, Certificate
from tests.counterparts.engine_image import engine_image
from tests.counterparts.images import Image, write_layout
from tests.counterparts.port import free_port
from tests.counterparts.proxy_image import proxy_image

SERVER_NAME = "llm.example.internal"
ENGINE_IMAGE = "docker.io/vllm/vllm-openai:v0.10.2"
PROXY_IMAGE = "docker.io/library/nginx:1.22"
MODEL = "org/tiny"
_ENGINE = cache(engine_image)


@dataclass(frozen=True, slots=True)
class Site:
    """A place with one release, on ``engine``; ``token`` is let through its proxy."""

    place: Place
    state: State
    release: Release
    engine: Engine
    certificate: Certificate
    token: str

    @property
    def parts(self) -> Parts:
        return assemble(self.place, self.state, self.release, engine=self.engine)

    def beside(self, digits: str, *, image: Image | None = None) -> tuple[Site, Site]:
        """This one and another release at the same place, each knowing of the other."""
        release = add_release(self.place, digits, image=image)
        both = replace(self.state, releases=(self.release, release))
        return replace(self, state=both), replace(self, state=both, release=release)

    @property
    def images(self) -> tuple[StoredImage, StoredImage]:
        """The images of the engine and of the proxy."""
        contents = read_contents(self.place.release(self.release.id))
        plan, proxy = contents.engine, contents.proxy
        assert isinstance(plan, ServePlan) and proxy and proxy.image and proxy.digest
        layout = self.place.release(self.release.id) / "images"
        return read_image(layout, plan.image, plan.digest), read_image(layout, proxy.image, proxy.digest)

    def with_settings(self, **changes: Any) -> Site:
        return replace(self, state=replace(self.state, settings=replace(self.state.settings, **changes)))


def make_site(
    folder: Path,
    engine: Engine,
    *,
    proxy: bool = True,
    digits: str = "",
    image: Image | None = None,
    **plan: Any,
) -> Site:
    """An installation below ``folder`` with a release whose containers end in ``digits``."""
    place = Place(folder)
    release = add_release(place, digits or Digest.of(str(folder).encode()).short, image=image, proxy=proxy, **plan)
    certificate = Authority(folder / "authority").server(SERVER_NAME)
    place.tls.mkdir(parents=True)
    place.secrets.chmod(0o700)
    for source, name in ((certificate.certificate, "server.crt"), (certificate.key, "server.key")):
        shutil.copy(source, place.tls / name)
    store = TokenStore(place.root)
    made = change.new(store, "kibana").made
    assert made is not None
    settings = Settings(
        engine=engine.info().kind,  # type: ignore[arg-type]
        https_port=free_port(),
        http_port=free_port(),
        addresses=("127.0.0.1",),
        gpus="none",
        start_period=60,
    )
    return Site(place, State(settings, (release,)), release, engine, certificate, made.secret)


def add_release(place: Place, digits: str, *, image: Image | None = None, proxy: bool = True, **plan: Any) -> Release:
    """A release as it was unpacked: plans, images, a model."""
    release = Release(f"tiny-1.0-{digits}", "tiny", "1.0", f"sha256:{digits.ljust(64, '0')}", 1, 2)
    folder = place.release(release.id)
    (folder / "models" / MODEL).mkdir(parents=True)
    (folder / "models" / MODEL / "config.json").write_text("{}")
    (folder / "config").mkdir()
    engine, nginx = _ENGINE(), image or proxy_image()
    write_layout(folder / "images", {ENGINE_IMAGE: engine, PROXY_IMAGE: nginx})
    plan = {"image": ENGINE_IMAGE, "digest": Digest.parse(engine.digest), "model": f"models/{MODEL}", **plan}
    env = (*vllm.ENVIRONMENT.items(), ("TEST_GAP", "0.15"))
    serve = ServePlan(served_name=MODEL, context=4096, env=tuple(sorted(env)), **plan)
    (folder / PATH).write_bytes(serve.encode())
    (folder / "manifest.json").write_bytes(manifest(engine, nginx).encode())
    if proxy:
        wanted = ProxyPlan(SERVER_NAME, "container", PROXY_IMAGE, Digest.parse(nginx.digest))
        (folder / proxy_plan.PATH).write_bytes(wanted.encode())
    return release


def manifest(engine: Image, nginx: Image) -> Manifest:
    """A manifest with the two images and no members."""
    rows = tuple(
        ImageEntry(role, name, "linux/amd64", Digest.parse(image.digest), Digest.parse(image.digest), 1)
        for role, name, image in (("engine", ENGINE_IMAGE, engine), ("proxy", PROXY_IMAGE, nginx))
    )
    return Manifest("tiny", "1.0", "linux/amd64", 1, "test", (), rows)


@contextmanager
def cleaned(site: Site) -> Iterator[None]:
    """Whatever a test leaves running is removed."""
    try:
        yield
    finally:
        drop_containers(site.parts)


def drop_containers(parts: Parts) -> None:
    """Remove all, the last one first."""
    for part in reversed(parts.all):
        part.remove()


def ours(site: Site) -> tuple[set[str], set[str]]:
    """The containers and networks that the release has in the engine."""
    digits = site.release.id[-12:]
    names = (f"llm-engine-{digits}-1", f"llm-proxy-{digits}", f"llm-proxy-{digits}-check")
    containers = {name for name in names if site.engine.inspect(name)}
    return containers, {name for name in site.engine.networks() if digits in name}


def until(part: Part, good: Callable[[PartState], bool], seconds: float = 25) -> PartState:
    """The state of a part as soon as it is ``good``."""
    end = time.monotonic() + seconds
    while not good(state := part.state()):
        assert time.monotonic() < end, f"{state}\n{part.logs()}"
        time.sleep(0.1)
    return state


def bring_up(parts: Parts) -> None:
    """Prepare all, start all, and wait."""
    for part in parts.all:
        part.prepare()
    for part in parts.all:
        part.start()
        until(part, lambda state: state.running and state.healthy is True)


def connect(site: Site, token: str = "") -> tuple[http.client.HTTPSConnection, dict[str, str]]:
    """A connection to the proxy that trusts the test's authority alone, and the headers to send."""
    context = ssl.create_default_context(cafile=str(site.certificate.ca))
    address, port = site.parts.connect
    connection = http.client.HTTPSConnection(SERVER_NAME, port, timeout=20, context=context)
    plain = socket.create_connection((address, port), timeout=20)
    connection.sock = context.wrap_socket(plain, server_hostname=SERVER_NAME)
    return connection, {"Authorization": f"Bearer {token or site.token}", "Content-Type": "application/json"}


def ask(site: Site, method: str, path: str, *, token: str = "", body: Any = None) -> tuple[int, Any]:
    """Status and JSON of what the proxy answers."""
    connection, headers = connect(site, token)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def chat(site: Site, token: str = "") -> tuple[int, Any]:
    """Status and JSON of a chat completion through TLS."""
    return ask(site, "POST", "/v1/chat/completions", token=token, body=question())


def question(**more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": "Say: ready"}], **more}
