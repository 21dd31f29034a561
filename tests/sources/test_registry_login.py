"""Logging in to real registries: basic, tokens, private CAs; and that no secret goes astray."""

from __future__ import annotations

import json
import traceback
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.errors import SourceError
from bundler.sources.credentials import Keychain
from bundler.sources.interface import RegistryBlob
from bundler.sources.login import parse_challenge
from bundler.sources.registry import Registry
from bundler.spec.model import Platform, RegistryAccess, RegistryImage
from tests.counterparts import token_server
from tests.counterparts.certificates import Authority
from tests.counterparts.faulty import FaultyServer, Route, Seen
from tests.counterparts.images import make_image, push
from tests.counterparts.registry import PASSWORD, USER, RegistryServer
from tests.counterparts.token_server import IDENTITY, TokenServer
from tests.sources.reading import read_all

AMD64 = Platform("linux", "amd64")
IMAGE = make_image([{"app": b"1" * 3000}, {"b": b"2"}])
SECRET = "s3cr3t-0f-the-test"


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenServer]:
    started = TokenServer(tmp_path_factory.mktemp("tokens"), anonymous=("open/app",))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, tokens: TokenServer) -> Iterator[RegistryServer]:
    """A registry that wants tokens."""
    with RegistryServer(tmp_path_factory.mktemp("guarded"), tokens=tokens) as started:
        for name in ("open/app:1", "team/app:1"):
            push(started, name, IMAGE)
        yield started


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    """A registry that wants a user and a password."""
    with RegistryServer(tmp_path_factory.mktemp("locked"), basic=True) as started:
        push(started, "team/app:1", IMAGE)
        yield started


def keychain(home: Path, host: str = "", *, user: str = "", password: str = "", token: str = "") -> Keychain:
    entry = {"auth": b64encode(f"{user}:{password}".encode()).decode(), "identitytoken": token}
    (home / ".docker").mkdir(exist_ok=True)
    (home / ".docker" / "config.json").write_text(json.dumps({"auths": {host: entry} if host else {}}))
    return Keychain({"HOME": str(home)})


def registry(known: Keychain, *hosts: str) -> Registry:
    access = {host: RegistryAccess(plain_http=True) for host in hosts}
    return Registry(access, keychain=known, timeouts=(2.0, 2.0), attempts=1)


def image(host: str, repository: str = "team/app") -> RegistryImage:
    return RegistryImage(host, repository, "1", None, repository)


def fetch(source: Registry, host: str, repository: str = "team/app") -> None:
    """Look the image up and read all of its blobs."""
    found = source.resolve(image(host, repository), AMD64)
    for blob in (found.config, *found.layers):
        data = read_all(source.open(RegistryBlob(host, repository, blob.digest), 0))
        assert Digest.of(data) == blob.digest


def test_basic(locked: RegistryServer, tmp_path: Path) -> None:
    fetch(registry(keychain(tmp_path, locked.host, user=USER, password=PASSWORD), locked.host), locked.host)


@pytest.mark.parametrize("login", [False, True])
def test_a_missing_or_wrong_login_says_what_to_do(locked: RegistryServer, tmp_path: Path, login: bool) -> None:
    known = keychain(tmp_path, locked.host, user=USER, password=SECRET) if login else keychain(tmp_path)
    with pytest.raises(SourceError, match="login") as caught:
        registry(known, locked.host).resolve(image(locked.host), AMD64)
    assert type(caught.value) is SourceError
    assert f"docker login {locked.host}" in caught.value.hint
    told = "".join(traceback.format_exception(caught.value)) + caught.value.hint
    assert SECRET not in told
    assert b64encode(f"{USER}:{SECRET}".encode()).decode() not in told


@pytest.mark.parametrize(
    ("repository", "login"),
    [
        ("open/app", {}),
        ("team/app", {"user": token_server.USER, "password": token_server.PASSWORD}),
        ("team/app", {"user": "me", "token": IDENTITY}),
    ],
)
def test_tokens(
    guarded: RegistryServer, tokens: TokenServer, tmp_path: Path, repository: str, login: dict[str, str]
) -> None:
    known = keychain(tmp_path, guarded.host, **login) if login else keychain(tmp_path)
    begun = len(tokens.server.requests)
    fetch(registry(known, guarded.host, tokens.host), guarded.host, repository)
    assert len(tokens.server.requests) == begun + 1
    assert all(IDENTITY not in seen.query for seen in tokens.server.requests)


def test_threads_share_a_token(guarded: RegistryServer, tokens: TokenServer, tmp_path: Path) -> None:
    source = registry(keychain(tmp_path), guarded.host, tokens.host)
    begun = len(tokens.server.requests)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: fetch(source, guarded.host, "open/app"), range(6)))
    assert len(tokens.server.requests) == begun + 1


@pytest.mark.parametrize("login", [{}, {"user": "me", "password": SECRET}, {"user": "me", "token": SECRET}])
def test_a_refused_token_says_what_to_do(
    guarded: RegistryServer, tokens: TokenServer, tmp_path: Path, login: dict[str, str]
) -> None:
    known = keychain(tmp_path, guarded.host, **login) if login else keychain(tmp_path)
    with pytest.raises(SourceError, match=r"its token server refused the (login|request)") as caught:
        registry(known, guarded.host, tokens.host).resolve(image(guarded.host), AMD64)
    assert f"podman login {guarded.host}" in caught.value.hint
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_an_expired_token_is_renewed_once(server: FaultyServer, tmp_path: Path) -> None:
    """A stand-in for the bearer flow, since a real registry's tokens live for a minute at least."""
    issued: list[str] = []
    data = b"blob"

    def token(seen: Seen) -> Route:
        issued.append(f"token-{len(issued)}")
        return Route(json.dumps({"access_token": issued[-1]}).encode())

    def blob(seen: Seen) -> Route:
        if valid and issued and seen.headers["Authorization"] == f"Bearer {issued[-1]}":
            return Route(data)
        challenge = f'Bearer realm="{server.url}/token",service="s",scope="repository:a/b:pull"'
        return Route(b"", 401, {"WWW-Authenticate": challenge})

    valid = True
    origin = RegistryBlob(server.host, "a/b", Digest.of(data))
    server.routes.update({"/token": token, f"/v2/a/b/blobs/{origin.digest}": blob})
    source = registry(keychain(tmp_path), server.host)
    for _ in range(2):
        assert read_all(source.open(origin, 0)) == data
    issued.append("the one before has expired")
    assert read_all(source.open(origin, 0)) == data
    assert issued == ["token-0", "the one before has expired", "token-2"]
    valid = False
    with pytest.raises(SourceError, match="401: not without a login"):
        source.open(origin, 0)
    assert len(issued) == 4


def test_a_blob_store_sees_no_login_and_may_not_ask_for_one(
    server: FaultyServer, elsewhere: FaultyServer, tmp_path: Path
) -> None:
    origin = RegistryBlob(server.host, "a/b", Digest.of(b"blob"))

    def blob(seen: Seen) -> Route:
        if "Authorization" not in seen.headers:
            return Route(b"", 401, {"WWW-Authenticate": 'Basic realm="x"'})
        return Route(redirect=f"{elsewhere.url}/store?signature={SECRET}")

    server.routes[f"/v2/a/b/blobs/{origin.digest}"] = blob
    elsewhere.routes["/store"] = Route(b"blob")
    source = registry(keychain(tmp_path, server.host, user="me", password=SECRET), server.host, elsewhere.host)
    assert read_all(source.open(origin, 0)) == b"blob"
    assert len(elsewhere.requests) == 1
    assert "Authorization" not in elsewhere.requests[0].headers
    challenge = f'Bearer realm="{elsewhere.url}/token",service="s"'
    elsewhere.routes["/store"] = Route(b"", 401, {"WWW-Authenticate": challenge})
    with pytest.raises(SourceError, match="401") as caught:
        source.open(origin, 0)
    assert elsewhere.paths() == ["/store", "/store"]
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_token_realm_of_plain_http_elsewhere_gets_no_login(
    server: FaultyServer, elsewhere: FaultyServer, tmp_path: Path
) -> None:
    challenge = f'Bearer realm="{elsewhere.url}/token",service="s"'
    server.fallback = lambda seen: Route(b"", 401, {"WWW-Authenticate": challenge})
    source = registry(keychain(tmp_path, server.host, user="me", password=SECRET), server.host)
    with pytest.raises(SourceError, match="plain http is not allowed"):
        source.resolve(image(server.host), AMD64)
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("challenge", "words"),
    [
        ("", "a kind that is not known"),
        ("Negotiate abc", "a kind that is not known"),
        ("Bearer service=x", "does not say where to get one"),
        ('Bearer realm="ftp://host/token"', "expected an http"),
        ('Bearer realm="REALM"', "expected a token"),
    ],
)
def test_challenges_that_lead_nowhere(server: FaultyServer, tmp_path: Path, challenge: str, words: str) -> None:
    headers = {"WWW-Authenticate": challenge.replace("REALM", f"{server.url}/token")}
    server.fallback = lambda seen: Route(b"", 401, headers)
    server.routes["/token"] = Route(b'{"token": "with\\nnewline"}')
    with pytest.raises(SourceError, match=words):
        registry(keychain(tmp_path), server.host).resolve(image(server.host), AMD64)


@pytest.mark.parametrize(
    ("header", "scheme", "parameters"),
    [
        ('Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push"', "bearer", 3),
        ("bearer Realm=https://a/t , service = s", "bearer", 2),
        ('Basic realm="x", Bearer realm="https://a/t"', "bearer", 1),
        ('Basic realm="with \\"quotes\\""', "basic", 1),
        ("Basic", "basic", 0),
    ],
)
def test_reads_challenges(header: str, scheme: str, parameters: int) -> None:
    found = parse_challenge(header)
    assert found is not None
    assert (found.scheme, len(found.parameters)) == (scheme, parameters)
    assert found.parameters.get("scope", "repository:a/b:pull,push") == "repository:a/b:pull,push"


def test_a_registry_with_a_private_ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    made = Authority(tmp_path / "authority").server("localhost", "127.0.0.1")
    with RegistryServer(tmp_path / "registry", tls=made, basic=True, name="localhost") as secure:
        push(secure, "team/app:1", IMAGE)
        known = keychain(tmp_path, secure.host, user=USER, password=PASSWORD)
        fetch(Registry({secure.host: RegistryAccess(ca=str(made.ca))}, keychain=known, attempts=1), secure.host)
        with pytest.raises(SourceError, match="certificate is not trusted") as caught:
            Registry({}, keychain=known, attempts=1).resolve(image(secure.host), AMD64)
        assert "`ca` of the registry" in caught.value.hint
