"""build with a signature: made before the first download, nothing else moves, and a stopped build goes on with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.errors import TransientError
from bundler.layout.member import MANIFEST, SIGNATURE, SUMS
from bundler.pack import journal
from bundler.pack.plan import Plan, signed
from bundler.site.verify import verify
from tests.counterparts.faulty import Fault, FaultyServer, Route
from tests.pack.stage import BODY, MIB, build_in, fetch, one_member, served
from tests.trust.stage import key_called

ALICE = key_called("alice")


def good(bundle: Path) -> bool:
    report = verify([bundle], keys=[ALICE.public])
    return report.ok and report.signature == "valid"


def places(plan: Plan) -> dict[str, int]:
    return {slot.member.path: slot.data for slot in plan.arrangement.slots}


def test_the_rest_is_byte_for_byte_that_of_an_unsigned_bundle(tmp_path: Path) -> None:
    plan = one_member(tmp_path / "sources")
    with_key = signed(plan, ALICE.sign)
    assert [slot.member.path for slot in with_key.arrangement.slots[:3]] == [SUMS, SIGNATURE, MANIFEST]
    assert with_key.manifest_digest == plan.manifest_digest
    assert {path: at for path, at in places(with_key).items() if path != SIGNATURE} == places(plan)
    plain = build_in(plan, tmp_path / "plain").bundle.read_bytes()
    sealed = build_in(with_key, tmp_path / "signed").bundle
    end, start = places(plan)[MANIFEST], plan.arrangement.slots[0].end
    data = sealed.read_bytes()
    assert (data[:start], data[end:]) == (plain[:start], plain[end:])
    assert good(sealed)


def test_volumes_too(tmp_path: Path) -> None:
    plan = signed(one_member(tmp_path / "sources", 2 * MIB), ALICE.sign)
    built = build_in(plan, tmp_path, MIB)
    assert len(built.volumes) == 3
    assert good(built.volumes[1])


@pytest.mark.parametrize("first", ["signed", "unsigned"])
@pytest.mark.parametrize("then", ["signed", "unsigned"])
@pytest.mark.parametrize("volume_size", [None, MIB])
def test_a_stopped_build_goes_on_with_or_without_a_signature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, then: str, volume_size: int | None
) -> None:
    """Each run makes a signature of its own, and none of them costs a byte that was fetched."""
    monkeypatch.setattr(journal, "STEP", 1 << 16)  # the member here is small

    def plan(kind: str) -> Plan:
        return signed(served(server), ALICE.sign) if kind == "signed" else served(server)

    with FaultyServer() as server:
        server.routes["/w"] = Route(BODY, first=[Fault(cut=MIB)], always=Fault(status=503))
        with pytest.raises(TransientError):
            fetch(server, tmp_path, plan(first), attempts=2, volume_size=volume_size)
        server.routes["/w"] = Route(BODY)
        built = fetch(server, tmp_path, plan(then), volume_size=volume_size)
    assert 0 < built.bytes_fetched < len(BODY)
    report = verify([built.volumes[0] if volume_size else built.bundle])
    assert (report.ok, report.signature) == (True, "unchecked" if then == "signed" else "absent")
    assert then == "unsigned" or good(built.volumes[0] if volume_size else built.bundle)
