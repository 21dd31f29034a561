"""The client of Kibana: logins, and a sentence with a fix for everything that Kibana or the network may answer."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest

from preconfigured.errors import PreconfiguredError, RefusedError, UnreachableError, UsageError
from preconfigured.live import kibana as module
from preconfigured.live.kibana import Kibana
from preconfigured.live.login import Login, api_key, basic, from_environment, from_file, secret_of
from preconfigured.live.refusal import NotFoundError
from tests.counterparts.certificates import Authority
from tests.counterparts.kibana import KEY, PASSWORD, USER, Forced, KibanaServer
from tests.preconfigured.live.raw import raw
from tests.preconfigured.live.stage import client

HTML = "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "login",
    [
        api_key(KEY, "test"),
        api_key(base64.b64decode(KEY).decode() + "\n", "test"),
        api_key(f'{{"id": "x", "encoded": "{KEY}"}}', "test"),
        basic(USER, PASSWORD),
        from_environment({"KIBANA_API_KEY": KEY}),
    ],
    ids=["encoded", "pair", "json", "basic", "environment"],
)
def test_logins(login: Login) -> None:
    with KibanaServer() as kibana:
        assert client(kibana, login).version() == "9.2.0"
    assert not any(secret in repr(login) for secret in (KEY, PASSWORD))


def test_a_kibana_without_security() -> None:
    with KibanaServer(secure=False) as kibana:
        assert client(kibana, from_environment({})).version() == "9.2.0"


def test_a_base_path() -> None:
    with KibanaServer(base_path="/kibana", spaces={"soc": "SOC"}) as kibana:
        assert Kibana(kibana.url + "/", api_key(KEY, "t")).get("/api/actions/connectors", space="soc") == []
        assert kibana.seen == ["GET /kibana/s/soc/api/actions/connectors"]


FORCED = {
    "401": (Forced(401, b'{"message": "unable to authenticate"}'), RefusedError, "401 Unauthorized: unable", "API key"),
    "403": (Forced(403, b'{"message": "Unauthorized to get"}'), RefusedError, "403 Forbidden", "privilege"),
    "404": (Forced(404, b"<h1>nothing</h1>", HTML), NotFoundError, "404 Not Found$", "base path"),
    "429": (Forced(429), RefusedError, "429 Too Many Requests", "wait a minute"),
    "500": (Forced(500, b'{"message": "An internal"}'), RefusedError, "500 Internal Server Error: An internal", "log"),
    "503": (Forced(503, b"Kibana server is not ready yet"), UnreachableError, "503", "starting or down"),
    "400": (
        Forced(400, b'{"message": "\x1b[31mred"}'),
        RefusedError,
        "400 Bad Request",
        "takes this request for wrong",
    ),
    "odd status": (Forced(299), RefusedError, "answered 299$", "wrong"),
    "html": (
        Forced(200, b"<!doctype html><title>Sign in</title>", HTML),
        UnreachableError,
        "found HTML",
        "own address",
    ),
    "broken json": (Forced(200, b'{"a":'), UnreachableError, "broken JSON", "address"),
    "deep json": (Forced(200, b"[" * 200_000), UnreachableError, "broken JSON", "address"),
    "login": (Forced(302, location="/login?next=%2Fapi"), RefusedError, "login page", "KIBANA_API_KEY"),
    "spaces": (Forced(302, location="/spaces/space_selector"), UnreachableError, "space selector", "alone"),
    "https": (
        Forced(301, b"x", location="https://user:pw@kibana.test/?token=secret"),
        UnreachableError,
        "redirect to kibana.test/$",
        "https instead of http",
    ),
}


@pytest.mark.parametrize(("forced", "kind", "words", "fix"), FORCED.values(), ids=FORCED.keys())
def test_every_answer_has_a_sentence(forced: Forced, kind: type[PreconfiguredError], words: str, fix: str) -> None:
    with KibanaServer() as kibana:
        kibana.forced["/api/"] = forced
        with pytest.raises(kind, match=words) as caught:
            client(kibana).get("/api/actions/connectors")
    assert type(caught.value) is kind
    assert fix in caught.value.hint
    told = caught.value.message + caught.value.hint
    assert "GET http://localhost:" in told
    assert not any(secret in told for secret in (KEY, "secret", "pw@", "\x1b"))


def test_without_a_login_kibana_says_401() -> None:
    with KibanaServer() as kibana, pytest.raises(RefusedError, match=r"401 Unauthorized.*unable to authenticate"):
        client(kibana, Login()).get("/api/spaces/space")


def test_netrc_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text(f"machine localhost login {USER} password {PASSWORD}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with KibanaServer() as kibana, pytest.raises(RefusedError, match="401"):
        client(kibana, Login()).get("/api/spaces/space")


def test_self_signed_tls(authority: Authority) -> None:
    with KibanaServer(tls=authority.server("localhost")) as kibana:
        assert client(kibana, ca=authority.ca).version() == "9.2.0"
        with pytest.raises(UnreachableError, match="authority that is not trusted here") as caught:
            client(kibana).version()
    assert "--ca" in caught.value.hint


def test_a_certificate_for_another_name(authority: Authority) -> None:
    with (
        KibanaServer(tls=authority.server("other.test")) as kibana,
        pytest.raises(UnreachableError, match="not for the name localhost"),
    ):
        client(kibana, ca=authority.ca).version()


def test_http_where_there_is_tls_and_the_other_way_round(authority: Authority) -> None:
    with (
        KibanaServer() as kibana,
        pytest.raises(UnreachableError, match="does not speak TLS"),
    ):
        Kibana(kibana.url.replace("http:", "https:"), Login(), timeout=5).version()
    with (
        KibanaServer(tls=authority.server("localhost")) as kibana,
        pytest.raises(UnreachableError, match="cut in the middle"),
    ):
        Kibana(kibana.url.replace("https:", "http:"), Login(), timeout=5).version()


def test_no_such_host_and_no_such_port() -> None:
    with pytest.raises(UnreachableError, match=r"name no-such-host\.invalid is not known"):
        Kibana("http://no-such-host.invalid:5601", Login()).version()
    with pytest.raises(UnreachableError, match="nothing listens there"):
        Kibana("http://127.0.0.1:9", Login()).version()


def test_an_answer_that_is_cut() -> None:
    with (
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1, 2") as url,
        pytest.raises(UnreachableError, match="cut in the middle"),
    ):
        Kibana(url, Login(), timeout=5).version()


def test_an_answer_that_drips() -> None:
    begun = time.monotonic()
    with raw(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + b" " * 480, drip=0.1) as url:
        with pytest.raises(UnreachableError, match="within the time allowed"):
            Kibana(url, Login(), timeout=0.5).version()
        assert time.monotonic() - begun < 2


def test_an_answer_that_is_no_http() -> None:
    with raw(b"SSH-2.0-OpenSSH_9.2\r\n") as url, pytest.raises(UnreachableError, match="cut in the middle"):
        Kibana(url, Login(), timeout=5).version()


def test_an_answer_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 100_000)
    with (
        raw(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 300_000) as url,
        pytest.raises(UnreachableError, match="expected at most 100000 bytes"),
    ):
        Kibana(url, Login(), timeout=5).version()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("kibana.test:5601", "http:// or https://"),
        ("https://elastic:hunter2@kibana.test", "without user name"),
        ("https://kibana.test/app/home", "found one with '/app/home'"),
        ("https://kibana.test/s/soc", "found one with '/s/soc'"),
        ("https://kibana.test/?x=1", r"no '\?'"),
        ("https://kibana.test:99999", "port"),
        ("https://kib ana.test", "plain characters"),
    ],
)
def test_addresses_that_are_none(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        Kibana(url, Login())
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_ca_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        Kibana("https://kibana.test", Login(), ca=tmp_path / "none.pem")
    with pytest.raises(UsageError, match="holds no certificate"):
        Kibana("https://kibana.test", Login(), ca=Path(__file__))


@pytest.mark.parametrize("space", ["", "SOC", "a/b", "..", "x" * 300, "a%2f"])
def test_spaces_that_are_none(space: str) -> None:
    with pytest.raises(UsageError, match="--space: expected the id of a space"):
        Kibana("https://kibana.test", Login()).get("/api/status", space=space)


@pytest.mark.parametrize(
    "text", ["", "§", "two words and more", "Bearer abcdefghijklmnop", "{}", "{", '{"encoded": 7}', "k\r\nX: y"]
)
def test_keys_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="test: expected") as caught:
        api_key(text, "test")
    assert not text or text not in caught.value.message


@pytest.mark.parametrize(("user", "password"), [("", "x"), ("a:b", "x"), ("a", "")])
def test_users_that_are_none(user: str, password: str) -> None:
    with pytest.raises(UsageError, match="without a colon, and a password"):
        basic(user, password)


def test_keys_in_files(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n")
    with KibanaServer() as kibana:
        assert client(kibana, from_file(path)).version() == "9.2.0"
    with pytest.raises(UsageError, match="No such file"):
        from_file(tmp_path / "none")
    with pytest.raises(UsageError, match="Is a directory"):
        from_file(tmp_path)
    for data in (b"", b"\xff\xfe", b"two words", b"x" * 9000, b"a\nb"):
        path.write_bytes(data)
        with pytest.raises(UsageError, match="one line of plain characters"):
            secret_of(path, "--token-file")
