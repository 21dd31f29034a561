"""Proxies of the environment: good ones pass, and what no client could use is named without its password."""

from __future__ import annotations

import pytest

from bundler.errors import UsageError
from bundler.sources import proxies
from bundler.sources.proxies import check_proxies


@pytest.fixture(autouse=True)
def none_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "value", ["http://proxy.example:3128", "proxy.example:3128", "https://u:p@proxy.example", "http://[::1]:3128", ""]
)
def test_good_ones_pass(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    check_proxies()


@pytest.mark.parametrize(
    "value",
    [
        "nonsense:x",
        "http://[::1",
        "ftp://proxy.example:1",
        "http://proxy:99999",
        "http://proxy:0",
        "://",
        "http://a b:1",
    ],
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_what_is_no_address_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=f"{name.upper()}: expected the address of a proxy") as caught:
        check_proxies()
    assert "http://HOST:PORT" in caught.value.hint


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:correct-horse@proxy.example:99999")
    with pytest.raises(UsageError) as caught:
        check_proxies()
    assert "proxy.example" in caught.value.message
    assert "correct-horse" not in caught.value.message + caught.value.hint


def test_socks_needs_its_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:1080")
    monkeypatch.setattr(proxies, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="ALL_PROXY: a SOCKS proxy") as caught:
        check_proxies()
    assert "pip install pysocks socksio" in caught.value.hint
    monkeypatch.setattr(proxies, "find_spec", lambda name: object())
    check_proxies()


def test_other_variables_are_no_business_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTP_PROXY", "nonsense:x")
    monkeypatch.setenv("NO_PROXY", "*")
    check_proxies()
