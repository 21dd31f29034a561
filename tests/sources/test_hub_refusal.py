"""Every refusal of the hub says what to do: at look-up, through the real client, and at opening."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bundler.errors import BundleError, SourceError, SpecError, TransientError
from bundler.sources.hub_refusal import Asked, refused
from bundler.sources.interface import HubFile
from bundler.spec.model import HubModel
from tests.counterparts.hub import Hub as StandIn
from tests.sources.hub_stage import TOKEN, hub_of

COMMIT = "c" * 40


@pytest.fixture
def running() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        stand_in.add("org/tiny", {"config.json": b"{}"})
        stand_in.add("org/gated", {"config.json": b"{}"}, gated=True)
        stand_in.add("org/secret", {"config.json": b"{}"}, private=True)
        stand_in.allow(TOKEN)
        yield stand_in


@pytest.mark.parametrize(
    ("name", "revision", "token", "message", "hint"),
    [
        ("org/none", "main", "", "there is no such model, or it is private", "set HF_TOKEN"),
        ("org/none", "main", TOKEN, "there is no such model, or it is private", "the token's account"),
        ("org/secret", "main", "", "or it is private", "set HF_TOKEN"),
        ("org/secret", "main", TOKEN, "or it is private", "the token's account must be able to read it"),
        ("org/gated", "main", "", "org/gated config.json at 127.0.0.1", "/org/gated, then set HF_TOKEN"),
        ("org/gated", "main", TOKEN, "the account of this token is not admitted", "Accept the licence at http"),
        ("org/tiny", "v9", "", "there is no revision 'v9'", "a branch, a tag or a commit"),
        ("org/tiny", COMMIT, "", f"there is no revision '{COMMIT}'", "`revision`"),
        ("org/tiny", "main", "hf_wrong", "refuses the token", "/settings/tokens"),
    ],
)
def test_at_look_up(running: StandIn, name: str, revision: str, token: str, message: str, hint: str) -> None:
    with pytest.raises(SourceError) as caught:
        hub_of(running, token=token).look(HubModel(name, revision), "vllm")
    check(caught.value, message, hint, token)


@pytest.mark.parametrize(
    ("name", "path", "token", "message", "hint"),
    [
        ("org/none", "config.json", "", "org/none config.json at 127.0.0.1", "set HF_TOKEN"),
        ("org/gated", "config.json", "", "the model is gated", "Accept the licence at http"),
        ("org/gated", "config.json", TOKEN, "not admitted", "fine-grained"),
        ("org/tiny", "no.json", "", "there is no such file at", "Lock again"),
        ("org/tiny", "config.json", "hf_wrong", "refuses the token", "unset it"),
    ],
)
def test_at_opening(running: StandIn, name: str, path: str, token: str, message: str, hint: str) -> None:
    known = running.repositories.get(name)
    origin = HubFile(name, known.refs["main"] if known else COMMIT, path)
    with pytest.raises(SourceError) as caught:
        hub_of(running, token=token).open(origin, 0)
    check(caught.value, message, hint, token)
    assert len(running.requests("hub")) == 1


def test_a_commit_that_is_gone(running: StandIn) -> None:
    with pytest.raises(SourceError, match="there is no revision"):
        hub_of(running).open(HubFile("org/tiny", COMMIT, "config.json"), 0)


def check(error: BundleError, message: str, hint: str, token: str) -> None:
    assert not isinstance(error, TransientError)
    assert message in error.message
    assert hint in error.hint
    assert not token or token not in error.message + error.hint


@pytest.mark.parametrize("name", ["a/b/c", "two words", "-x", "a--b", "x" * 97, "../x", "http://x/y"])
def test_ids_that_none_can_be(running: StandIn, name: str) -> None:
    with pytest.raises(SpecError, match="cannot be the id of a model") as caught:
        hub_of(running).look(HubModel(name), "vllm")
    assert "ORGANISATION/NAME" in caught.value.hint
    assert running.seen == []


@pytest.mark.parametrize(
    ("status", "headers", "message"),
    [
        (403, {}, "forbids it"),
        (403, {"X-Error-Message": "Access to this resource is disabled."}, "disabled this model"),
        (401, {}, "or it is private"),
        (418, {}, "418"),
    ],
)
def test_other_statuses(running: StandIn, status: int, headers: dict[str, str], message: str) -> None:
    asked = Asked("https://huggingface.co", "org/tiny", "main")
    error = refused(asked, status, headers)
    assert message in error.message and "org/tiny at huggingface.co" in error.message
    running.faults.hub_failures.append((status, headers))
    with pytest.raises(SourceError, match=message):
        hub_of(running).look(HubModel("org/tiny"), "vllm")


def test_a_403_speaks_of_the_token_only_where_one_was_sent() -> None:
    without, given = (refused(Asked("https://hub", "org/m", "main", token=token), 403, {}) for token in (False, True))
    assert without.hint.startswith("Set HF_TOKEN if")
    assert given.hint.startswith("Give the token in HF_TOKEN")


def test_a_hub_that_is_not_there() -> None:
    with StandIn() as gone:
        pass
    with pytest.raises(TransientError, match=r"127\.0\.0\.1") as caught:
        hub_of(gone).look(HubModel("org/tiny"), "vllm")
    assert "tried 6 times" in caught.value.message and "HTTPS_PROXY" in caught.value.hint
