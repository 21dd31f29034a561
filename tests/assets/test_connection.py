"""Addresses, logins, certificates, proxies, several nodes: what is refused at once, and real servers with TLS."""

from __future__ import annotations

import base64
import hashlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kibana_assets.connection import http
from kibana_assets.connection.address import Address, cloud, server
from kibana_assets.connection.login import Login, api_key, bearer, for_kibana, from_environment
from kibana_assets.connection.target import Target, target_of
from kibana_assets.connection.trust import Trust, fingerprint
from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.errors import RefusedError, UnreachableError, UsageError
from kibana_assets.kibana.client import Kibana
from tests.assets.plain import Plain
from tests.counterparts.certificates import Authority, Certificate

KEY = Login("ApiKey s3cr3ts3cr3ts3cr3t")
VERSION = '{"version": {"number": "9.4.3", "build_flavor": "default"}}'


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.server("localhost", "127.0.0.1")


@pytest.fixture
def secure(certificate: Certificate) -> Iterator[Plain]:
    with Plain(VERSION, certificate.context()) as made:
        yield made


def asked(*urls: str, trust: Trust | None = None, proxy: str = "", login: Login = KEY) -> str:
    """The version that the cluster tells."""
    found = target_of(urls, None, login=login, trust=trust or Trust(), proxy=proxy, timeout=5)
    cluster = Cluster(found)
    try:
        return cluster.version()
    finally:
        cluster.close()


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://es.example", "https://es.example:443"),
        ("http://ES.example:9200/", "http://es.example:9200"),
        ("https://[::1]:9200/base/path/", "https://[::1]:9200/base/path"),
    ],
)
def test_addresses(text: str, url: str) -> None:
    assert server(text, "--elasticsearch").url == url


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("es.example:9200", "expected http:// or https://"),
        ("https://u:s3cr3t@es.example", "without user name and password"),
        ("https://es.example?api_key=s3cr3t", "plain characters"),
        ("https://es.example:99999", "a port from 1 to 65535"),
        ("https://", "expected a host"),
        ("https://[::1", "a broken host"),
        ("ftp://es", "expected http:// or https://"),
        ("", "expected an address"),
    ],
)
def test_what_is_no_address(text: str, found: str) -> None:
    with pytest.raises(UsageError, match=found) as refused:
        server(text, "--elasticsearch")
    assert "s3cr3t" not in refused.value.message + refused.value.hint


def test_kibanas_address_has_no_app_in_it() -> None:
    with pytest.raises(UsageError, match="found one with '/app/home'"):
        server("https://kibana.example/app/home", "--kibana")
    assert server("https://kibana.example/kibana", "--kibana").url.endswith("/kibana")


def test_cloud_ids() -> None:
    coded = base64.b64encode(b"eu.example.com:9243$abc$def").decode()
    assert cloud(f"name:{coded}").elasticsearch == "https://abc.eu.example.com:9243"
    assert cloud(f"name:{coded}").kibana == "https://def.eu.example.com:9243"
    assert cloud("n:" + base64.b64encode(b"eu.example.com$abc").decode()).kibana == ""
    for wrong in ("", "name:", "name:%%%", coded, "name:" + base64.b64encode(b"nothing").decode()):
        with pytest.raises(UsageError, match="--cloud-id: expected a cloud id"):
            cloud(wrong)


def test_logins() -> None:
    pair = base64.b64encode(b"abcdef123:ghijkl456").decode()
    for text in (pair, "abcdef123:ghijkl456\n", f'{{"encoded": "{pair}", "id": "x"}}'):
        assert api_key(text, "x").authorization == f"ApiKey {pair}"
    assert "ApiKey" not in repr(api_key(pair, "x"))
    assert from_environment({}).authorization == ""
    assert from_environment({"ELASTICSEARCH_TOKEN": "t"}).authorization == "Bearer t"
    assert for_kibana({"KIBANA_API_KEY": pair}, KEY).authorization == f"ApiKey {pair}"
    assert for_kibana({}, KEY) is KEY
    for wrong in ("", "s3 cr3t", '{"id": "s3cr3t"}', "{s3cr3t"):
        with pytest.raises(UsageError, match=r"^K: expected") as refused:
            api_key(wrong, "K")
        assert "s3" not in refused.value.message
    with pytest.raises(UsageError, match="T: expected a token"):
        bearer("two words", "T")


def test_a_login_does_not_cross_the_network_in_clear() -> None:
    with pytest.raises(UsageError, match=r"http://es\.example:9200: the login would cross the network in clear"):
        asked("https://ok.example", "http://es.example:9200")
    assert target_of(["http://es.example:9200"], None, login=Login(), trust=Trust()).addresses
    for urls, cloud_id in (((), None), (("http://localhost",), "x:y")):
        with pytest.raises(UsageError, match="--elasticsearch or --cloud-id"):
            target_of(urls, cloud_id, login=KEY, trust=Trust())


def test_certificates(secure: Plain, authority: Authority, certificate: Certificate) -> None:
    assert asked(secure.url, trust=Trust(authority.ca)) == "9.4.3"
    assert secure.logins[-1] == KEY.authorization
    secure.logins.clear()
    with pytest.raises(UnreachableError, match="an authority that is not trusted here"):
        asked(secure.url)
    with pytest.raises(UsageError, match="cannot be read"):
        asked(secure.url, trust=Trust(Path("/nix")))
    with pytest.raises(UsageError, match="holds no certificate"):
        asked(secure.url, trust=Trust(certificate.key))
    with pytest.raises(UnreachableError, match="does not speak TLS"), Plain(VERSION) as clear:
        asked(clear.url.replace("http:", "https:"))
    assert secure.logins == []


def test_a_name_that_the_certificate_lacks_and_one_that_has_expired(authority: Authority) -> None:
    other = authority.server("other.example").context()
    with Plain(VERSION, other) as made, pytest.raises(UnreachableError, match="not for the name 127"):
        asked(made.url, trust=Trust(authority.ca))
    expired = authority.server("127.0.0.1", days=-1).context()
    with Plain(VERSION, expired) as made, pytest.raises(UnreachableError, match="has expired"):
        asked(made.url, trust=Trust(authority.ca))


def test_fingerprints(secure: Plain, authority: Authority, certificate: Certificate, tmp_path: Path) -> None:
    def of(path: Path) -> str:
        der = ssl.PEM_cert_to_DER_cert(path.read_text().split("-----BEGIN", 1)[1].join(["-----BEGIN", ""]))
        return fingerprint(hashlib.sha256(der).hexdigest().upper())

    assert asked(secure.url, trust=Trust(fingerprint=of(certificate.certificate))) == "9.4.3"
    with pytest.raises(UnreachableError, match="no certificate of the server has that fingerprint"):
        asked(secure.url, trust=Trust(fingerprint="0" * 64))
    chain = tmp_path / "chain.pem"
    chain.write_text(certificate.certificate.read_text() + authority.ca.read_text())
    sent = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    sent.load_cert_chain(chain, certificate.key)
    with Plain(VERSION, sent) as made:
        assert asked(made.url, trust=Trust(fingerprint=of(authority.ca))) == "9.4.3"
    # A server that only shows the authority's certificate, without having one of it.
    false = Authority(tmp_path / "false").server("localhost", "127.0.0.1")
    chain.write_text(false.certificate.read_text() + authority.ca.read_text())
    sent = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    sent.load_cert_chain(chain, false.key)
    with Plain(VERSION, sent) as made, pytest.raises(UnreachableError, match="is not trusted"):
        asked(made.url, trust=Trust(fingerprint=of(authority.ca)))
    assert made.logins == []
    for wrong in ("", "ab:cd", "g" * 64):
        with pytest.raises(UsageError, match="64 hexadecimal digits"):
            fingerprint(wrong)


def test_a_certificate_of_our_own(authority: Authority, certificate: Certificate, tmp_path: Path) -> None:
    wants = certificate.context()
    wants.verify_mode = ssl.CERT_REQUIRED
    wants.load_verify_locations(authority.ca)
    own = authority.server("client.example")
    with Plain(VERSION, wants) as made:
        assert asked(made.url, trust=Trust(authority.ca, "", own.certificate, own.key)) == "9.4.3"
        with pytest.raises(UnreachableError, match=r"wants a certificate of ours|connection was cut"):
            asked(made.url, trust=Trust(authority.ca))
    locked = tmp_path / "locked.key"
    line = ["openssl", "pkey", "-in", str(own.key), "-aes256", "-passout", "pass:x", "-out", str(locked)]
    subprocess.run(line, check=True, capture_output=True, timeout=20)
    with pytest.raises(UsageError, match="cannot be used: no PEM, not of one pair, or encrypted"):
        asked(made.url, trust=Trust(authority.ca, "", own.certificate, locked))
    with pytest.raises(UsageError, match="expected --client-cert beside it"):
        Trust(key=own.key)


def test_proxies_base_paths_and_several_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    with Plain(VERSION) as node, Plain(VERSION) as proxy:
        assert asked(f"{node.url}/base/path") == "9.4.3"
        assert node.seen == ["GET /base/path/"]
        assert asked("http://es.invalid:9200", proxy=proxy.url, login=Login()) == "9.4.3"
        assert proxy.seen == ["GET http://es.invalid:9200/"]
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert asked("http://es2.invalid:9200", login=Login()) == "9.4.3"
        assert proxy.seen[-1] == "GET http://es2.invalid:9200/"
        assert asked("http://127.0.0.1:9", node.url) == "9.4.3", "the first is down"
    for wrong, found in (("http://u:s3cr3t@p:1", "without user name"), ("http://p:1/x", "without a path")):
        with pytest.raises(UsageError, match=found):
            asked("http://localhost:1", proxy=wrong)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('{"version": {"number": "8.18.9", "build_flavor": "default"}}', "8.18.9: expected 8.19 or newer"),
        ('{"version": {"number": "7.17.0"}}', "7.17.0: expected 8.19 or newer"),
        ('{"version": {"number": "8.11.0", "build_flavor": "serverless"}}', "Elasticsearch Serverless"),
    ],
)
def test_clusters_that_are_refused(body: str, found: str) -> None:
    with Plain(body) as node, pytest.raises(RefusedError, match=found):
        asked(node.url)


def test_what_answers_is_no_elasticsearch() -> None:
    for body, kind, product in (
        (VERSION, "application/json", ""),
        ("<html>", "text/html", ""),
        ("{", "application/json", "Elasticsearch"),
        ("[]", "application/json", "Elasticsearch"),
        ('{"version": {"number": "x"}}', "application/json", "Elasticsearch"),
    ):
        with Plain(body, kind=kind, product=product) as node, pytest.raises(UnreachableError):
            asked(node.url)
    with Plain(VERSION, status=302, location="http://127.0.0.1:9/") as node:
        with pytest.raises(UnreachableError, match="found a redirect"):
            asked(node.url)
        assert len(node.seen) == 1


def test_an_address_that_never_answered_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    with pytest.raises(UnreachableError, match="nobody listens there"):
        asked("http://127.0.0.1:9")
    assert slept == []
    assert isinstance(Target((Address("http://x:1", "x", 1, False),), KEY, Trust()).patience, float)


def test_a_large_request_may_take_longer_than_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CONNECT_SECONDS", 0.2)
    body = b"x" * 8_000_000
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def read_slowly() -> None:
            with listening.accept()[0] as line:
                time.sleep(0.6)
                left = len(body)
                while left > 0:
                    left -= len(line.recv(1 << 20))
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        reader = threading.Thread(target=read_slowly)
        reader.start()
        address = server(f"http://127.0.0.1:{listening.getsockname()[1]}", "--kibana")
        with closing(http.Wire(address, Trust(None, "", None, None), timeout=20)) as wire:
            assert wire.ask("POST", "/", {}, body).status == 200
        reader.join()


def test_another_server_is_no_elasticsearch() -> None:
    with Plain('{"statusCode": 404}', status=404) as other:
        cluster = Cluster(target_of([other.url], None, login=KEY, trust=Trust()))
        with (
            closing(cluster),
            pytest.raises(UnreachableError, match="no Elasticsearch answers there, but something that says 404"),
        ):
            cluster.version()


def test_another_server_is_no_kibana() -> None:
    with Plain('{"statusCode": 404}', status=404) as other:
        wire = http.Wire(server(other.url, "--kibana"), Trust())
        with (
            closing(wire),
            pytest.raises(UnreachableError, match="no Kibana answers there, but something that says 404"),
        ):
            Kibana(wire, KEY).version()
