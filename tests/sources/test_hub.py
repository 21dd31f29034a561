"""Looking models up at the stand-in hub, with its switches on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from bundler.digest import Digest
from bundler.errors import IntegrityError, SpecError, TransientError
from bundler.sources.hub import Hub
from bundler.spec.model import FilePatterns, HubModel
from tests.counterparts.hub import Hub as StandIn
from tests.sources.hub_stage import CHOSEN, FILES, WEIGHTS, Waits, hub_of, look


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


def test_a_silent_hub_is_asked_again(running: StandIn) -> None:
    waits = Waits()
    running.faults.silences.append(2.0)
    assert hub_of(running, waits=waits, stall=0.5).look(HubModel("org/tiny"), "vllm").files
    assert len(waits) == 1


def test_pickles_that_are_allowed_stay(running: StandIn) -> None:
    running.add("org/tiny", {"model.safetensors": b"w", "voices.pt": b"v", "optimizer.pt": b"o"})
    found = hub_of(running).look(HubModel("org/tiny", allow_pickle=("voices.pt",)), "vllm")
    assert [file.path for file in found.files] == ["model.safetensors", "voices.pt"]


def test_waiting_has_an_end(running: StandIn) -> None:
    waits = Waits()
    running.faults.hub_failures.extend([(503, {})] * 20)
    with pytest.raises(TransientError, match="503") as caught:
        hub_of(running, waits=waits).look(HubModel("org/tiny"), "vllm")
    assert len(waits) == 5 and "org/tiny" in caught.value.message and caught.value.hint


def test_wrong_bytes_of_a_small_file_are_found(running: StandIn) -> None:
    running.faults.wrong_bytes = True
    with pytest.raises(IntegrityError, match="expected the git blob") as caught:
        look(running)
    assert caught.value.hint


def test_etags_are_not_believed(running: StandIn) -> None:
    running.faults.etag = hashlib.sha256(b"other").hexdigest()
    assert {file.path: file.digest for file in look(running).files}["model.safetensors"] == Digest.of(WEIGHTS)
