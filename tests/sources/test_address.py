"""What of an address is printed, and what an origin is."""

from __future__ import annotations

import pytest

from bundler.errors import SourceError
from bundler.sources.address import check_plain, host, origin, safe


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host/a?X-Amz-Signature=s3cr3t#part", "https://host/a"),
        ("https://me:s3cr3t@host:8443/a", "https://host:8443/a"),
        ("https://host/\x1b[2Ja", "https://host/?[2Ja"),
        ("https://[host/?s3cr3t", "an address that cannot be read"),
    ],
)
def test_only_what_is_no_secret_is_shown(url: str, shown: str) -> None:
    assert safe(url) == shown


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("https://HOST/a") == origin("https://host:443/b") == ("https", "host", 443)
    assert len({origin(url) for url in ("http://host", "https://host", "https://host:8443", "https://h")}) == 4


@pytest.mark.parametrize(
    ("url", "written"),
    [("https://a:443/x", "a"), ("http://a:443/x", "a:443"), ("https://[::1]:5000/", "[::1]:5000")],
)
def test_hosts_are_written_as_registries_are(url: str, written: str) -> None:
    assert host(url) == written


@pytest.mark.parametrize("url", ["", "host/a", "file:///etc/passwd", "https://", "https://h:99999", "https://h:0/"])
def test_refuses_what_is_no_http_address(url: str) -> None:
    with pytest.raises(SourceError, match="expected an http"):
        origin(url)


def test_plain_http_is_allowed_by_host_and_port() -> None:
    for url, allowed in (("http://a/x", "a"), ("http://a/x", "a:80"), ("http://a:5000/x", "a:5000"), ("http://b", "*")):
        check_plain(url, [allowed])
    for url, allowed in (("http://a:5000/x", "a"), ("http://a.b/x", "b"), ("http://a/x", "a:5000")):
        with pytest.raises(SourceError, match="plain http is not allowed"):
            check_plain(url, [allowed])
