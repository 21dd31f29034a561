"""Opening and reading files of the stand-in hub and its storage, with their switches on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.errors import SourceError, TransientError
from bundler.sources.hub import Hub
from bundler.sources.interface import HubFile, LocalRange
from bundler.spec.model import HubModel
from tests.counterparts.hub import Hub as StandIn
from tests.sources.hub_stage import CHOSEN, FILES, TOKEN, WEIGHTS, fetch, hub_of, look, weights


@pytest.fixture
def running() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        stand_in.add("org/tiny", FILES, card={"license": "mit"})
        yield stand_in


@pytest.mark.parametrize("xet", [(), ("*.safetensors",)])
@pytest.mark.parametrize("offset", [0, 1, 123_456, 299_999])
def test_opening_at_an_offset(running: StandIn, offset: int, xet: tuple[str, ...]) -> None:
    running.add("org/tiny", FILES, xet=xet)
    assert fetch(hub_of(running), weights(running), offset) == WEIGHTS[offset:]
    assert fetch(hub_of(running), weights(running, "sub/a&b #1.txt"), min(offset, 3)) == b"odd name"[min(offset, 3) :]


def test_without_ranges_it_starts_anew(running: StandIn) -> None:
    running.faults.ranges = False
    reader = hub_of(running).open(weights(running), 1000)
    assert reader.offset == 0
    reader.close()
    assert hub_of(running).read(weights(running), 1000, 50) == WEIGHTS[1000:1050]


def test_a_file_on_disk(running: StandIn, tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(40_000_000)
    running.add("org/tiny", {"large.gguf": large})
    data = fetch(hub_of(running), weights(running, "large.gguf"), 39_000_000)
    assert data == bytes(1_000_000)


def test_the_token_never_reaches_the_storage(running: StandIn) -> None:
    running.add("org/tiny", FILES, private=True)
    running.allow(TOKEN, "org/tiny")
    look(running, token=TOKEN)
    assert fetch(hub_of(running, token=TOKEN), weights(running)) == WEIGHTS
    assert {one.headers.get("authorization") for one in running.requests("hub")} == {f"Bearer {TOKEN}"}
    assert running.requests("storage")
    assert not [one for one in running.requests("storage") if TOKEN in str(one)]


def test_a_signed_address_that_has_expired_is_asked_for_anew(running: StandIn) -> None:
    running.faults.storage_failures.extend([(403, {}), (401, {})])
    assert fetch(hub_of(running), weights(running)) == WEIGHTS
    assert len(running.requests("hub")) == 3
    running.faults.lifetime = -1
    with pytest.raises(SourceError) as caught:
        hub_of(running).open(weights(running), 0)
    assert "storage answers 403" in caught.value.message and "clock" in caught.value.hint
    assert "Signature" not in caught.value.message
    assert len(running.requests("hub")) == 6


def test_a_file_that_the_storage_lost(running: StandIn) -> None:
    running.faults.storage_failures.append((404, {}))
    with pytest.raises(SourceError, match="storage answers 404"):
        hub_of(running).open(weights(running), 0)
    assert len(running.requests("storage")) == 1


def test_an_address_that_expires_between_two_openings(running: StandIn) -> None:
    running.faults.lifetime, running.faults.cut_after, running.faults.cuts = 0.3, 100_000, 1
    hub = hub_of(running)
    reader = hub.open(weights(running), 0)
    data = bytearray()
    buffer = memoryview(bytearray(70_000))
    with pytest.raises(TransientError, match="cut"):
        while count := reader.readinto(buffer):
            data += buffer[:count]
    reader.close()
    threading.Event().wait(0.4)
    assert bytes(data) + fetch(hub, weights(running), len(data)) == WEIGHTS


def test_open_is_one_attempt(running: StandIn) -> None:
    running.faults.storage_failures.append((503, {"Retry-After": "9"}))
    with pytest.raises(TransientError) as caught:
        hub_of(running).open(weights(running), 0)
    assert caught.value.retry_after == 9.0
    assert len(running.requests("storage")) == 1


def test_a_wrong_content_range(running: StandIn) -> None:
    running.faults.shift = 1
    with pytest.raises(SourceError, match="another range"):
        hub_of(running).open(weights(running), 1000)


def test_a_slow_drip_ends(running: StandIn) -> None:
    running.faults.drip = 0.5
    with pytest.raises(TransientError, match="stalled"):
        fetch(hub_of(running, stall=2.0), weights(running))


def test_reading_a_piece(running: StandIn) -> None:
    hub = hub_of(running)
    files = hub.files(HubModel("org/tiny"), hub.look(HubModel("org/tiny"), "vllm"))
    assert files.paths["model.safetensors"] == len(WEIGHTS)
    assert files.read("model.safetensors", 8, 100) == WEIGHTS[8:108]
    assert files.read("config.json", 0, 23) == CHOSEN["config.json"]
    assert files.read("model.safetensors", len(WEIGHTS), 0) == b""
    with pytest.raises(SourceError, match=r"expected 300010 bytes, found 300000"):
        files.read("model.safetensors", 299_990, 20)
    running.faults.cut_after, running.faults.cuts = 50, 1
    assert files.read("model.safetensors", 8, 100) == WEIGHTS[8:108]


def test_a_file_of_another_size_than_listed(running: StandIn) -> None:
    with pytest.raises(SourceError, match="expected 5 bytes"):
        hub_of(running).read(weights(running), 0, 5, size=5)


@pytest.mark.parametrize(
    "origin",
    [
        HubFile("org/tiny", "main", "config.json"),
        HubFile("org/tiny", "a" * 40, "../../api/x"),
        HubFile("org/../x", "a" * 40, "config.json"),
        HubFile("org/tiny?x=", "a" * 40, "config.json"),
    ],
)
def test_origins_that_lead_elsewhere(running: StandIn, origin: HubFile) -> None:
    with pytest.raises(SourceError, match="not a file of a model at a commit"):
        hub_of(running).open(origin, 0)
    assert running.seen == []


def test_origins_of_another_kind(running: StandIn, tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        hub_of(running).open(LocalRange(tmp_path, 0, 0), 0)


def test_https_does_not_lead_to_http(running: StandIn) -> None:
    """A hub that is https may not send to http; the transport is asked directly, for want of a certificate."""
    hub = Hub(endpoint="https://hub.example", token="")
    with pytest.raises(SourceError, match="plain http is not allowed"):
        hub._transport.open(f"{running.endpoint}/x")
