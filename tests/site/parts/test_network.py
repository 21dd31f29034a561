"""The subnet of a release: nobody else's, and the same every time."""

from __future__ import annotations

import sys
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from bundler.errors import EngineError
from bundler.site.parts import network
from bundler.site.parts.network import Networks, host_routes

DIGITS = "05aaaaaaaaaa"


class Known:
    """An engine that knows these networks."""

    def __init__(self, **found: tuple[str, ...]) -> None:
        self._found = {name.replace("_", "-"): subnets for name, subnets in found.items()}

    def networks(self) -> dict[str, tuple[str, ...]]:
        return self._found


def routes(path: Path, *networks: str) -> Path:
    """A file as /proc/net/route is."""
    lines = ["Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"]
    for text in networks:
        wanted = IPv4Network(text)
        words = [f"{int.from_bytes(one.packed, sys.byteorder):08X}" for one in (wanted.network_address, wanted.netmask)]
        lines.append(f"eth0\t{words[0]}\t00000000\t0001\t0\t0\t0\t{words[1]}\t0\t0\t0")
    path.write_text("\n".join([*lines, "garbage", "eth0 zz 0 0 0 0 0 zz", ""]))
    return path


def look(monkeypatch: pytest.MonkeyPatch, path: Path, engine: Known) -> network.Private:
    monkeypatch.setattr(network, "ROUTES", path)
    return Networks(engine, DIGITS).look()  # type: ignore[arg-type]


def test_where_routes_lead(tmp_path: Path) -> None:
    path = routes(tmp_path / "route", "0.0.0.0/0", "128.0.0.0/1", "10.0.0.0/8", "192.0.2.0/25")
    assert host_routes(path) == [IPv4Network("10.0.0.0/8"), IPv4Network("192.0.2.0/25")]
    assert host_routes(tmp_path / "none") == []
    assert IPv4Network("127.0.0.0/8") not in host_routes()


def test_a_subnet_that_nobody_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    free = routes(tmp_path / "free", "0.0.0.0/0")
    found = look(monkeypatch, free, Known(bridge=("172.17.0.0/16",)))
    assert (found.name, str(found.subnet)) == (f"llm-bundle-{DIGITS}", "10.219.5.0/24")
    assert (found.proxy, found.engine(0), found.engine(63)) == ("10.219.5.2", "10.219.5.10", "10.219.5.73")
    taken = Known(other=("10.219.5.0/24", "fd00::/64"), more=("10.219.6.128/25", "nonsense"))
    assert str(look(monkeypatch, free, taken).subnet) == "10.219.7.0/24"
    company = routes(tmp_path / "company", "0.0.0.0/0", "10.0.0.0/8", "172.30.5.0/24")
    assert str(look(monkeypatch, company, Known()).subnet) == "172.30.6.0/24"


def test_what_the_engine_has_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = routes(tmp_path / "route", "10.219.9.0/24")
    found = look(monkeypatch, path, Known(llm_bundle_05aaaaaaaaaa=("10.219.9.0/24",)))
    assert str(found.subnet) == "10.219.9.0/24"


def test_none_that_fits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = routes(tmp_path / "route", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15")
    with pytest.raises(EngineError, match="no subnet is free") as caught:
        look(monkeypatch, path, Known())
    assert "network prune" in caught.value.hint
    small = Known(llm_bundle_05aaaaaaaaaa=("10.219.9.0/28",))
    with pytest.raises(EngineError, match=r"expected a /24 of IPv4, found 10\.219\.9\.0/28"):
        look(monkeypatch, path, small)


def test_whether_the_firewall_sees_bridges(tmp_path: Path) -> None:
    path = tmp_path / "bridge-nf-call-iptables"
    assert not network.is_filtered(path)
    path.write_text("0\n")
    assert not network.is_filtered(path)
    path.write_text("1\n")
    assert network.is_filtered(path)
