"""Looking models up and fetching their bytes, against the stand-in hub and each of its switches."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.errors import IntegrityError, SourceError, SpecError, TransientError, UsageError
from bundler.sources.hub import Hub
from bundler.sources.interface import HubFile, LocalRange
from bundler.sources.listing import Listing
from bundler.spec.model import FilePatterns, HubModel
from tests.counterparts.hub import Hub as StandIn

WEIGHTS = os.urandom(300_000)
FILES: dict[str, bytes | Path] = {
    ".gitattributes": b"*.safetensors filter=lfs\n",
    "config.json": b'{"model_type": "llama"}',
    "empty.txt": b"",
    "model.safetensors": WEIGHTS,
    "tokenizer.json": b"{}" * 20_000,
    "sub/a&b #1.txt": b"odd name",
}
CHOSEN = {path: content for path, content in FILES.items() if path != ".gitattributes"}
TOKEN = "hf_secretSECRETsecret"  # the value that must turn up nowhere


@pytest.fixture
def running() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        stand_in.add("org/tiny", FILES, card={"license": "mit"})
        yield stand_in


class Heard:
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.total = self.done = 0

    def begin(self, title: str, total: int) -> None:
        self.total = total

    def advance(self, count: int) -> None:
        self.done += count

    def say(self, text: str) -> None:
        self.said.append(text)

    def end(self) -> None:
        self.said.append("end")


class Waits(list[float]):
    """Stands in for ``time.sleep``: a 429 with Retry-After: 7 need not take seven seconds here."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def hub_of(running: StandIn, *, token: str = "", waits: Waits | None = None, stall: float = 20.0) -> Hub:
    sleep = Waits() if waits is None else waits
    return Hub(endpoint=running.endpoint, token=token, sleep=sleep, timeouts=(5.0, stall))


def look(running: StandIn, name: str = "org/tiny", *, token: str = "", revision: str = "main") -> Listing:
    return hub_of(running, token=token).look(HubModel(name, revision), "vllm")


def weights(running: StandIn, path: str = "model.safetensors") -> HubFile:
    return HubFile("org/tiny", running.repositories["org/tiny"].refs["main"], path)


def fetch(hub: Hub, origin: HubFile, offset: int = 0) -> bytes:
    """All that one opening gives."""
    reader = hub.open(origin, offset)
    buffer, parts = memoryview(bytearray(10_000)), []
    try:
        while count := reader.readinto(buffer):
            parts.append(bytes(buffer[:count]))
    finally:
        reader.close()
    return b"".join(parts)


def test_a_look_up(running: StandIn) -> None:
    heard = Heard()
    found = Hub(heard, endpoint=running.endpoint, token="").look(HubModel("org/tiny"), "vllm")
    assert found.commit == running.repositories["org/tiny"].refs["main"]
    assert found.license == "mit"
    assert [file.path for file in found.files] == sorted(CHOSEN)
    for file in found.files:
        content = CHOSEN[file.path]
        assert isinstance(content, bytes)
        assert (file.size, file.digest) == (len(content), Digest.of(content))
    assert any(".gitattributes" in note for note in found.notes)
    assert heard.done == heard.total == sum(file.size for file in found.files) - len(WEIGHTS)
    assert heard.said == ["end"]
    assert running.requests("storage") == []


@pytest.mark.parametrize("revision", ["main", "v1.0", "feature/x y", "commit"])
def test_revisions(running: StandIn, revision: str) -> None:
    commit = running.add("org/tiny", {"config.json": b"other"}, ref="main" if revision == "commit" else revision)
    running.add("org/tiny", FILES, ref="later")
    found = look(running, revision=commit if revision == "commit" else revision)
    assert found.commit == commit
    assert [file.digest for file in found.files] == [Digest.of(b"other")]


def test_patterns(running: StandIn) -> None:
    model = HubModel("org/tiny", files=FilePatterns(("sub/", "*.safetensors")))
    found = hub_of(running).look(model, "vllm")
    assert [file.path for file in found.files] == ["model.safetensors", "sub/a&b #1.txt"]
    with pytest.raises(SpecError, match=r"model org/tiny: files\.include\[0\]: no file matches"):
        hub_of(running).look(HubModel("org/tiny", files=FilePatterns(("*.gguf",))), "vllm")


def test_a_renamed_model_is_said(running: StandIn) -> None:
    running.rename("org/tiny", "org/new-name")
    found = look(running)
    assert found.notes[-1] == "the hub now calls this model org/new-name"
    assert len(found.files) == len(CHOSEN)


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ({"license": "other", "license_name": "mnpl"}, "mnpl"),
        ({"license": "other"}, "other"),
        ({"license": ["mit", "x"]}, None),
        ({"license": "a\x1b[31m"}, None),
        ({}, None),
    ],
)
def test_licences(running: StandIn, card: dict[str, object], expected: str | None) -> None:
    running.add("org/tiny", {"config.json": b"{}"}, card=card)
    assert look(running).license == expected


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


@pytest.mark.parametrize("status", [429, 503])
def test_waiting_as_asked(running: StandIn, status: int) -> None:
    waits = Waits()
    running.faults.hub_failures.append((status, {"Retry-After": "7"}))
    found = hub_of(running, waits=waits).look(HubModel("org/tiny"), "vllm")
    assert len(found.files) == len(CHOSEN)
    assert waits == [7.0]


def test_waiting_while_small_files_are_read(running: StandIn) -> None:
    waits = Waits()
    hub = hub_of(running, waits=waits)
    running.faults.cut_after, running.faults.cuts = 10, 2
    hub.look(HubModel("org/tiny", files=FilePatterns(("tokenizer.json",))), "vllm")
    assert len(waits) == 2


def test_waiting_has_an_end(running: StandIn) -> None:
    waits = Waits()
    running.faults.hub_failures.extend([(503, {})] * 20)
    with pytest.raises(TransientError, match="503") as caught:
        hub_of(running, waits=waits).look(HubModel("org/tiny"), "vllm")
    assert len(waits) == 5 and "org/tiny" in caught.value.message and caught.value.hint


def test_open_is_one_attempt(running: StandIn) -> None:
    running.faults.storage_failures.append((503, {"Retry-After": "9"}))
    with pytest.raises(TransientError) as caught:
        hub_of(running).open(weights(running), 0)
    assert caught.value.retry_after == 9.0
    assert len(running.requests("storage")) == 1


def test_wrong_bytes_of_a_small_file_are_found(running: StandIn) -> None:
    running.faults.wrong_bytes = True
    with pytest.raises(IntegrityError, match="expected the git blob") as caught:
        look(running)
    assert caught.value.hint


def test_etags_are_not_believed(running: StandIn) -> None:
    running.faults.etag = hashlib.sha256(b"other").hexdigest()
    assert {file.path: file.digest for file in look(running).files}["model.safetensors"] == Digest.of(WEIGHTS)


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


@pytest.mark.parametrize(
    "written", ["ftp://x", "x.example", "https://me:pw@x", "https://x?token=pw", "http://[::1", "https://x:99999"]
)
def test_endpoints_that_are_none(written: str) -> None:
    with pytest.raises(UsageError, match="HF_ENDPOINT") as caught:
        Hub(endpoint=written)
    assert "pw" not in caught.value.message


def test_https_does_not_lead_to_http(running: StandIn) -> None:
    """A hub that is https may not send to http; the transport is asked directly, for want of a certificate."""
    hub = Hub(endpoint="https://hub.example", token="")
    with pytest.raises(SourceError, match="plain http is not allowed"):
        hub._transport.open(f"{running.endpoint}/x")


def test_the_environment_rules(running: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"{running.endpoint}/")
    monkeypatch.setenv("HF_TOKEN", f" {TOKEN}\n")
    running.add("org/tiny", FILES, private=True)
    running.allow(TOKEN, "org/tiny")
    assert Hub().look(HubModel("org/tiny"), "vllm").commit
    assert fetch(Hub(), weights(running)) == WEIGHTS


def program(running: StandIn, home: Path, **settings: str) -> str:
    """Look up in a process of its own, whose warnings are errors; the result or class and message of the error."""
    code = (
        "from bundler.errors import BundleError\nfrom bundler.sources.hub import Hub\n"
        "from bundler.spec.model import HubModel\n"
        "try:\n    print(len(Hub().look(HubModel('org/tiny'), 'vllm').files))\n"
        "except BundleError as error:\n    print(type(error).__name__, error.message, error.hint)\n"
    )
    kept = {"PATH": os.environ["PATH"], "HOME": str(home), "HF_ENDPOINT": running.endpoint, "PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=kept | settings,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_a_home_that_nobody_can_write_to(running: StandIn, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    assert program(running, home) == str(len(CHOSEN))
    assert list(home.iterdir()) == []
    assert program(running, Path("/dev/null")) == str(len(CHOSEN))


def test_the_token_file_of_the_client(running: StandIn, tmp_path: Path) -> None:
    running.add("org/tiny", FILES, private=True)
    running.allow(TOKEN, "org/tiny")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert program(running, tmp_path, HF_TOKEN_PATH=str(tmp_path / "token")) == str(len(CHOSEN))


def test_offline(running: StandIn, tmp_path: Path) -> None:
    shown = program(running, tmp_path, HF_HUB_OFFLINE="1")
    assert shown.startswith("SourceError org/tiny at 127.0.0.1") and "Unset HF_HUB_OFFLINE" in shown
    assert running.seen == []


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "\u00fcml\u00e4ut"])
def test_tokens_that_no_header_can_hold(running: StandIn, token: str) -> None:
    with pytest.raises(SourceError, match="characters that no token has") as caught:
        hub_of(running, token=token)
    assert token not in caught.value.message + caught.value.hint
