"""Whole answers: redirects, secrets, limits, statuses, certificates. Against real servers."""

from __future__ import annotations

import time
import traceback
from email.utils import formatdate
from pathlib import Path

import pytest

from bundler.errors import SourceError, TransientError
from bundler.sources.transport import PlainHttpError, StatusError, Transport
from tests.counterparts.certificates import Authority
from tests.counterparts.faulty import Fault, FaultyServer, Route
from tests.sources.reading import Heard

SECRET = {"Authorization": "Bearer s3cr3t-0f-the-test"}


def transport(*servers: FaultyServer, attempts: int = 3) -> Transport:
    hosts = [server.host for server in servers]
    return Transport(plain_http=hosts, timeouts=(2.0, 1.0), attempts=attempts, sleep=lambda seconds: None)


def test_gets_a_whole_body_with_its_headers(server: FaultyServer) -> None:
    server.routes["/a"] = Route(b"hello", headers={"X-Commit": "abc"})
    answer = transport(server).small(f"{server.url}/a", limit=5)
    assert (answer.status, answer.body, answer.headers["x-commit"]) == (200, b"hello", "abc")


@pytest.mark.parametrize("chunked", [False, True])
def test_refuses_a_body_above_the_limit(server: FaultyServer, chunked: bool) -> None:
    server.routes["/a"] = Route(b"hello!", always=Fault(chunked=chunked))
    with pytest.raises(SourceError, match="expected at most 5 bytes") as caught:
        transport(server).small(f"{server.url}/a", limit=5)
    assert type(caught.value) is SourceError


def test_a_length_above_the_limit_is_refused_without_waiting_for_the_body(server: FaultyServer) -> None:
    server.routes["/a"] = Route(b"", always=Fault(length=1 << 50, stall=(0, 60)))
    with pytest.raises(SourceError, match="expected at most 5 bytes") as caught:
        transport(server, attempts=1).small(f"{server.url}/a", limit=5)
    assert type(caught.value) is SourceError


def test_refuses_a_compressed_answer(server: FaultyServer) -> None:
    server.routes["/a"] = Route(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    with pytest.raises(SourceError, match="compressed its answer"):
        transport(server).small(f"{server.url}/a", limit=100)
    assert server.requests[0].headers["Accept-Encoding"] == "identity"


def test_a_secret_stays_behind_at_a_redirect_to_another_host(server: FaultyServer, elsewhere: FaultyServer) -> None:
    server.routes["/a"] = Route(redirect=f"{elsewhere.url}/b?signature=xyz")
    elsewhere.routes["/b"] = Route(redirect=f"{server.url}/c")
    server.routes["/c"] = Route(b"done")
    answer = transport(server, elsewhere).small(f"{server.url}/a", secret=SECRET, limit=10)
    assert answer.body == b"done"
    assert server.requests[0].headers["Authorization"] == SECRET["Authorization"]
    assert "s3cr3t" not in elsewhere.requests[0].text
    assert "s3cr3t" not in server.requests[1].text


def test_another_port_is_another_origin(server: FaultyServer) -> None:
    with FaultyServer() as neighbour:
        server.routes["/a"] = Route(redirect=f"{neighbour.url}/b")
        neighbour.routes["/b"] = Route(b"done")
        transport(server, neighbour).small(f"{server.url}/a", secret=SECRET, limit=10)
        assert "s3cr3t" not in neighbour.requests[0].text


def test_a_secret_stays_at_a_redirect_within_the_origin(server: FaultyServer) -> None:
    server.routes["/a"] = Route(redirect="/b")
    server.routes["/b"] = Route(b"done")
    transport(server).small(f"{server.url}/a", secret=SECRET, limit=10)
    assert [seen.headers["Authorization"] for seen in server.requests] == [SECRET["Authorization"]] * 2


def test_the_body_of_a_redirect_is_not_read(server: FaultyServer) -> None:
    server.routes["/a"] = Route(b"x" * 100, redirect="/b", always=Fault(stall=(10, 60)))
    server.routes["/b"] = Route(b"done")
    assert transport(server, attempts=1).small(f"{server.url}/a", limit=10).body == b"done"


def test_redirects_end(server: FaultyServer) -> None:
    server.routes["/a"] = Route(redirect="/a")
    with pytest.raises(SourceError, match="more than 10 redirects"):
        transport(server).small(f"{server.url}/a", limit=10)
    assert len(server.requests) == 11


@pytest.mark.parametrize("location", ["ftp://host/file", "http://[broken", "http://host:99999/", "https:///a"])
def test_refuses_a_redirect_to_nowhere(server: FaultyServer, location: str) -> None:
    server.routes["/a"] = Route(redirect=location)
    with pytest.raises(SourceError, match=r"expected an http|cannot be read"):
        transport(server).small(f"{server.url}/a", limit=10)


def test_plain_http_only_where_allowed(server: FaultyServer, elsewhere: FaultyServer) -> None:
    with pytest.raises(SourceError, match=r"plain http is not allowed for 127\.0\.0\.1") as caught:
        Transport().small(f"{server.url}/a", secret=SECRET, limit=10)
    assert "plain_http: true" in caught.value.hint
    assert server.requests == []
    server.routes["/a"] = Route(redirect=f"{elsewhere.url}/b")
    with pytest.raises(SourceError, match=r"plain http is not allowed for 127\.0\.0\.2"):
        transport(server).small(f"{server.url}/a", limit=10)
    assert elsewhere.requests == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418, 304])
def test_a_final_status_is_not_tried_again(server: FaultyServer, status: int) -> None:
    server.routes["/a"] = Route(b"why" if status != 304 else b"", status, {"X-Error-Code": "GatedRepo"})
    with pytest.raises(StatusError, match=str(status)) as caught:
        transport(server).small(f"{server.url}/a?token=s3cr3t", limit=10)
    assert caught.value.status == status
    assert caught.value.headers["x-error-code"] == "GatedRepo"
    assert caught.value.url == f"{server.url}/a"
    assert len(server.requests) == 1


def test_the_body_of_a_refusal_is_bounded(server: FaultyServer) -> None:
    server.routes["/a"] = Route(b"x" * 200_000, 404)
    with pytest.raises(StatusError) as caught:
        transport(server).small(f"{server.url}/a", limit=10)
    assert len(caught.value.body) == 64 * 1024


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_status_that_may_pass_is_tried_again(server: FaultyServer, status: int) -> None:
    server.routes["/a"] = Route(b"done", first=[Fault(status=status)] * 2)
    assert transport(server).small(f"{server.url}/a", limit=10).body == b"done"
    server.routes["/b"] = Route(b"done", first=[Fault(status=status)] * 3)
    with pytest.raises(TransientError, match=rf"{status}.*tried 3 times"):
        transport(server).small(f"{server.url}/b", limit=10)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("7", 7.0),
        ("99999", 300.0),
        ("9" * 5000, 300.0),
        ("soon", None),
        ("-3", None),
        ("", None),
        ("Mon, 01 Jan 0001 00:00:00 GMT", 0.0),
        ("Mon, 01 Jan 9999 23:59:59 -0000", 300.0),
        ("Mon, 01 Jan 2030 00:00:00 +" + "9" * 30, None),
    ],
)
def test_reads_retry_after(server: FaultyServer, written: str, seconds: float | None) -> None:
    server.routes["/a"] = Route(status=429, headers={"Retry-After": written})
    with pytest.raises(TransientError) as caught:
        transport(server, attempts=1).small(f"{server.url}/a", limit=10)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"RateLimit": '"api";r=0;t=55', "RateLimit-Policy": '"fixed window";"api";q=500;w=300'}, 55.0),
        ({"RateLimit": '"api"; r=0; t=9999'}, 300.0),
        ({"RateLimit": '"api";r=0;t=55', "Retry-After": "3"}, 3.0),
        ({"RateLimit": '"api";r=12;t=55'}, None),
        ({"RateLimit": "x" * 5000 + ";r=0;t=5"}, None),
    ],
)
def test_reads_when_a_rate_limit_ends(server: FaultyServer, headers: dict[str, str], seconds: float | None) -> None:
    server.routes["/a"] = Route(status=429, headers=headers)
    with pytest.raises(TransientError) as caught:
        transport(server, attempts=1).small(f"{server.url}/a", limit=10)
    assert caught.value.retry_after == seconds


def test_reads_retry_after_as_a_date(server: FaultyServer) -> None:
    server.routes["/a"] = Route(status=503, headers={"Retry-After": formatdate(time.time() + 100, usegmt=True)})
    with pytest.raises(TransientError) as caught:
        transport(server, attempts=1).small(f"{server.url}/a", limit=10)
    assert 90 < (caught.value.retry_after or 0) <= 100


@pytest.mark.parametrize("fault", [Fault(cut=3), Fault(stall=(2, 30)), Fault(silent=True), Fault(cut=3, chunked=True)])
def test_a_cut_or_stalled_answer_is_tried_again(server: FaultyServer, fault: Fault) -> None:
    server.routes["/a"] = Route(b"hello", first=[fault])
    assert transport(server).small(f"{server.url}/a", limit=10).body == b"hello"
    assert len(server.requests) == 2


def test_nobody_listening_is_transient_and_leaks_no_query() -> None:
    with FaultyServer() as gone:
        url = f"{gone.url}/a?signature=s3cr3t"
    heard = Heard()
    tried = Transport(plain_http=[gone.host], attempts=2, sleep=lambda seconds: None, progress=heard)
    with pytest.raises(TransientError, match="Connection refused") as caught:
        tried.small(url, limit=10)
    assert "proxies" in caught.value.hint
    assert "attempt 2 of 2" in heard.said[0]
    assert "s3cr3t" not in "".join([*traceback.format_exception(caught.value), *heard.said])


def test_proxies_of_the_environment_are_used(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    server.fallback = lambda seen: Route(seen.path.encode())
    tried = Transport(plain_http=["files.example", server.host], attempts=1)
    assert tried.small("http://files.example/a", limit=99).body == b"http://files.example/a"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert tried.small(f"{server.url}/a", limit=99).body == b"/a"


def test_a_proxy_that_fails_is_named_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer() as gone:
        monkeypatch.setenv("https_proxy", gone.url)
    with pytest.raises(TransientError, match="the proxy failed: Connection refused") as caught:
        Transport(attempts=1).small("https://files.example/a", limit=99)
    assert "HTTPS_PROXY" in caught.value.hint


def test_an_unknown_host_is_said() -> None:
    with pytest.raises(TransientError, match="name cannot be resolved"):
        Transport(attempts=1).small("https://nowhere.invalid/a", limit=10)


def test_netrc_and_cookies_are_not_used(server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password s3cr3t\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.routes["/a"] = Route(b"x", headers={"Set-Cookie": "a=b"})
    shared = transport(server)
    for _ in range(2):
        shared.small(f"{server.url}/a", limit=10)
    assert all("Authorization" not in seen.headers and "Cookie" not in seen.headers for seen in server.requests)


def test_user_and_password_in_an_address_are_neither_sent_nor_shown(server: FaultyServer) -> None:
    url = server.url.replace("http://", "http://me:s3cr3t@")
    with pytest.raises(StatusError) as caught:
        transport(server).small(f"{url}/a", limit=10)
    assert "s3cr3t" not in str(caught.value)
    assert "Authorization" not in server.requests[0].headers


def test_a_private_ca_is_trusted_only_for_its_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    made = Authority(tmp_path).server("127.0.0.1")
    with FaultyServer(tls=made.context()) as secure:
        secure.routes["/a"] = Route(b"done")
        assert Transport(ca={secure.host: str(made.ca)}).small(f"{secure.url}/a", limit=9).body == b"done"
        with pytest.raises(SourceError, match="certificate is not trusted") as caught:
            Transport(ca={"other.example": str(made.ca)}).small(f"{secure.url}/a", limit=9)
        assert not isinstance(caught.value, TransientError)
        assert "REQUESTS_CA_BUNDLE" in caught.value.hint
        monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
        monkeypatch.setenv("SSL_CERT_FILE", str(made.ca))
        assert Transport().small(f"{secure.url}/a", limit=9).body == b"done"


@pytest.mark.parametrize(
    ("content", "said"), [(None, "of certificates: there is no"), ("none", "holds no certificate")]
)
def test_a_ca_file_that_is_none_is_said(tmp_path: Path, content: str | None, said: str) -> None:
    if content:
        (tmp_path / "wrong.pem").write_text(content)
    with FaultyServer(tls=Authority(tmp_path).server("127.0.0.1").context()) as secure:
        tried = Transport(ca={secure.host: str(tmp_path / "wrong.pem")}, attempts=1)
        with pytest.raises(SourceError, match=said) as caught:
            tried.small(f"{secure.url}/a", limit=9)
    assert not isinstance(caught.value, TransientError)


def test_https_to_a_plain_server_is_told_apart(server: FaultyServer) -> None:
    with pytest.raises(PlainHttpError, match="does not speak TLS"):
        Transport(attempts=1).small(f"https://{server.host}/a", limit=9)


def test_posted_data_follows_no_redirect(server: FaultyServer, elsewhere: FaultyServer) -> None:
    server.routes["/token"] = Route(status=307, redirect=f"{elsewhere.url}/steal")
    with pytest.raises(StatusError, match="307"):
        transport(server, elsewhere).small(f"{server.url}/token", method="POST", data=b"s3cr3t", limit=9)
    assert elsewhere.requests == []
