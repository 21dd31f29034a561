"""Bad input at the sources: registries, the hub and file servers that refuse, lie or are not there."""

from __future__ import annotations

from collections.abc import Callable

from tests.cli.bench import BODY, GATED, HUB_MODEL, Bench, Case
from tests.counterparts.faulty import Fault, Route
from tests.counterparts.port import free_port


def _image(name: str, *, plain: bool = True, command: str = "lock") -> Callable[[Bench], str]:
    def prepare(bench: Bench) -> str:
        open_, closed = bench.servers.open.host, bench.servers.closed.host
        bench.image(name.format(open=open_, closed=closed, nobody=f"127.0.0.1:{free_port()}"), plain=plain)
        return command

    return prepare


def _model(model: str, **environment: str) -> Callable[[Bench], str]:
    def prepare(bench: Bench) -> str:
        bench.model(model)
        for key, value in environment.items():
            bench.patch.setenv(key, value)
        return "lock"

    return prepare


def _status(status: int) -> Callable[[Bench], str]:
    def prepare(bench: Bench) -> str:
        bench.model(f"id: {HUB_MODEL}")
        bench.servers.hub.faults.hub_failures.append((status, {}))
        return "lock"

    return prepare


def _file(path: str, route: Route | None = None) -> Callable[[Bench], str]:
    def prepare(bench: Bench) -> str:
        if route:
            bench.servers.files.routes[path] = route
        bench.file(path)
        return "lock"

    return prepare


def _wrong_file(bench: Bench) -> str:
    """Locked well; then another file lies there."""
    bench.servers.files.routes["/moving"] = Route(BODY)
    bench.file("/moving")
    bench.locked()
    bench.servers.files.routes["/moving"] = Route(BODY[::-1])
    return "build"


def _shorter_file(bench: Bench) -> str:
    bench.servers.files.routes["/shrinking"] = Route(BODY)
    bench.file("/shrinking")
    bench.locked()
    bench.servers.files.routes["/shrinking"] = Route(BODY[:5])
    return "build"


def _wrong_small_file(bench: Bench) -> str:
    bench.model(f"id: {HUB_MODEL}")
    bench.patch.setattr(bench.servers.hub.faults, "wrong_bytes", True)
    return "lock"


def _wrong_blob(bench: Bench) -> str:
    """A registry, or something before it, that sends another manifest than its digest."""
    digest = "sha256:" + "0" * 64
    bench.servers.files.routes[f"/v2/team/x/manifests/{digest}"] = Route(b'{"schemaVersion": 2}')
    bench.image(f"{bench.servers.files.host}/team/x@{digest}")
    return "lock"


def _not_a_registry(bench: Bench) -> str:
    bench.servers.files.routes["/v2/team/x/manifests/1"] = Route(b"<html>Welcome to the captive portal</html>")
    bench.image(f"{bench.servers.files.host}/team/x:1")
    return "lock"


def _broken_login(bench: Bench) -> str:
    home = bench.folder / "home"
    home.mkdir()
    (home / "config.json").write_text("{")
    return _image("{closed}/team/good:v1")(bench)


def _proxied(name: str, value: str, spec: tuple[str, str]) -> Callable[[Bench], str]:
    def prepare(bench: Bench) -> str:
        bench.patch.setenv(name, value)
        bench.patch.delenv("HF_ENDPOINT", raising=False)
        bench.spec(spec)
        return "lock"

    return prepare


def _ca_missing(bench: Bench) -> str:
    access = 'registries: {"registry.example": {ca: no-such.pem}}\n'
    bench.spec(("oci:inputs/vllm:v0.10.2", "registry.example/team/x:1"), more=access)
    return "lock"


FAR_IMAGE = ("oci:inputs/vllm:v0.10.2", "registry.example/team/x:1")
FAR_MODEL = ("    folder: inputs/model\n", "")
UNSIZED = Fault(chunked=True, ranges=False)

CASES = (
    Case("platform that an image lacks", _image("{open}/team/foreign:1"), 3, "linux/arm64, linux/s390x", "`platform`"),
    Case("tag missing", _image("{open}/team/good:v1.29"), 4, "has no tag 'v1.29'", "v1.28"),
    Case("repository missing", _image("{open}/team/nothing:1"), 4, "has no repository team/nothing", "it is written"),
    Case("login missing", _image("{closed}/team/good:v1"), 4, "the registry asks for a login", "docker login"),
    Case("login file broken", _broken_login, 4, "config.json: expected JSON", "log in again"),
    Case("https to plain http", _image("{open}/team/good:v1.28", plain=False), 4, "does not speak TLS", "plain_http"),
    Case("registry not reachable", _image("{nobody}/team/x:1"), 4, "Connection refused", "HTTPS_PROXY"),
    Case("not a registry", _not_a_registry, 4, "team/x:1", "login page"),
    Case("wrong digest", _wrong_blob, 5, "expected sha256:0000", "promises"),
    Case("bad proxy, image", _proxied("HTTPS_PROXY", "nonsense:x", FAR_IMAGE), 2, "HTTPS_PROXY: expected", "http"),
    Case("bad proxy, model", _proxied("ALL_PROXY", "http://[::1", FAR_MODEL), 2, "ALL_PROXY: expected", "http"),
    Case("SOCKS for the hub", _proxied("ALL_PROXY", "socks5://h:1", FAR_MODEL), 2, "ALL_PROXY: a SOCKS", "pysocks"),
    Case("CA file missing", _ca_missing, 4, "the file of certificates: there is no such", "`ca`"),
    Case("gated without token", _model(f"id: {GATED}"), 4, "the model is gated", "Accept the licence"),
    Case("gated, token not admitted", _model(f"id: {GATED}", HF_TOKEN="hf_other"), 4, "not admitted", "that account"),
    Case("token refused", _model(f"id: {HUB_MODEL}", HF_TOKEN="hf_expired"), 4, "refuses the token", "/settings/"),
    Case("token of two lines", _model(f"id: {HUB_MODEL}", HF_TOKEN="hf_a b"), 4, "token holds characters", "HF_TOKEN"),
    Case("model missing", _model("id: org/No-Instruct"), 4, "no such model, or it is private", "how the id is written"),
    Case("revision missing", _model(f"id: {HUB_MODEL}, revision: v9"), 4, "there is no revision 'v9'", "`revision`"),
    Case("hub forbids", _status(403), 4, f"{HUB_MODEL} at", "HF_TOKEN"),
    Case("hub: 401", _status(401), 4, "no such model, or it is private", "HF_TOKEN"),
    Case("hub: 404", _status(404), 4, "no such model, or it is private", "how the id is written"),
    Case("pattern of a hub model", _model(f'id: {HUB_MODEL}, files: {{include: ["*.ggu"]}}'), 3, "*.ggu", ""),
    Case("pickled weights", _model('id: org/Pickled-Instruct, files: {include: ["*"]}'), 3, "pickle", "allow_pickle"),
    Case("wrong bytes from the hub", _wrong_small_file, 5, "expected the git blob", "proxies"),
    Case("HF_ENDPOINT", _model(f"id: {HUB_MODEL}", HF_ENDPOINT="nonsense"), 2, "HF_ENDPOINT: expected", "https://"),
    Case("HF_ENDPOINT of no hub", lambda bench: _model(f"id: {HUB_MODEL}", HF_ENDPOINT=bench.servers.files.url)(bench),
         4, HUB_MODEL, ""),
    Case("file missing", _file("/nowhere"), 4, "/nowhere: the server answered 404 Not Found", "address"),
    Case("file forbidden", _file("/secret", Route(b"", 403)), 4, "/secret: the server answered 403", "folder on disk"),
    Case("file of no size", _file("/endless", Route(BODY, always=UNSIZED)), 4, "how large the file is", "server"),
    Case("file changed", _wrong_file, 5, "extra/file: expected sha256:", "lock --update"),
    Case("file shorter", _shorter_file, 4, "the file there is another one by now", "lock --update"),
)  # fmt: skip
