"""Connectors in every space: three spaces, and everything that can be amiss in one of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from preconfigured.errors import RefusedError, UnreachableError
from preconfigured.live.listing import Overview, overview
from tests.counterparts.kibana import Forced, KibanaServer
from tests.counterparts.kibana_connectors import Connector
from tests.preconfigured.live.stage import YML, client

TEXT = YML.format(
    url="https://llm.test/v1/chat/completions", model="m", more="  '[mail]': {name: Mail, actionTypeId: .email}\n"
)
SPACES = {"soc": "Security team", "obs-eu": "Observability EU"}


@pytest.fixture
def kibana() -> Iterator[KibanaServer]:
    with KibanaServer(TEXT, spaces=SPACES) as server:
        yield server


def remarks(found: Overview) -> list[tuple[str, str, str]]:
    return [(one.rule, one.space, one.connector) for one in found.remarks]


def test_three_spaces_that_have_it(kibana: KibanaServer) -> None:
    found = overview(client(kibana), ["vllm"])
    assert found.version == "9.2.0"
    assert found.ids == ("vllm",)
    assert [(space.id, space.name) for space in found.spaces] == [("default", "Default"), *SPACES.items()]
    assert all(space.named("vllm")[0].preconfigured for space in found.spaces)
    assert found.remarks == ()
    asked = [one for one in kibana.seen if "connectors" in one]
    assert asked == [f"GET {prefix}/api/actions/connectors" for prefix in ("", "/s/soc", "/s/obs-eu")]


def test_one_that_is_missing_everywhere(kibana: KibanaServer) -> None:
    found = overview(client(kibana), ["vllm", "backup"])
    assert remarks(found) == [("missing", space, "backup") for space in ("default", "soc", "obs-eu")]
    assert "EVERY Kibana" in found.remarks[0].fix
    assert found.ids == ("vllm", "backup")


@pytest.mark.parametrize(("id_", "name"), [("vllm", "Another name"), ("5b0e", "VLLM")])
def test_one_that_is_shadowed(kibana: KibanaServer, id_: str, name: str) -> None:
    kibana.saved.append(Connector(id_, name, ".gen-ai", space="soc"))
    found = overview(client(kibana), ["vllm"])
    assert remarks(found) == [("shadowed", "soc", "vllm")]
    assert ("same id" if id_ == "vllm" else "same name (vLLM)") in found.remarks[0].found


def test_one_that_is_saved_instead_of_preconfigured() -> None:
    with KibanaServer(spaces=SPACES) as kibana:
        kibana.saved += [Connector("vllm", "vLLM", ".gen-ai", space=space) for space in ("default", "soc", "obs-eu")]
        found = overview(client(kibana), ["vllm"])
    assert remarks(found) == [("not-preconfigured", space, "vllm") for space in ("default", "soc", "obs-eu")]
    assert "kibana.yml" in found.remarks[0].fix


def test_without_expectations_a_saved_one_is_named_where_it_is(kibana: KibanaServer) -> None:
    kibana.saved.append(Connector("own", "My GPT", ".gen-ai", space="soc"))
    kibana.saved.append(Connector("chat", "Slack", ".slack", space="soc"))
    found = overview(client(kibana))
    assert remarks(found) == [("not-preconfigured", "soc", "own")]
    assert found.ids == ("own", "vllm")


def test_with_expectations_others_are_left_alone(kibana: KibanaServer) -> None:
    kibana.saved.append(Connector("own", "My GPT", ".gen-ai", space="soc"))
    assert overview(client(kibana), ["vllm"]).remarks == ()


def test_missing_secrets_and_deprecated() -> None:
    with KibanaServer() as kibana:
        kibana.saved.append(Connector("own", "GPT", ".gen-ai", space="default", missing_secrets=True, deprecated=True))
        found = overview(client(kibana))
    assert remarks(found) == [
        (rule, "default", "own") for rule in ("not-preconfigured", "missing-secrets", "deprecated")
    ]


def test_a_space_that_may_not_be_read(kibana: KibanaServer) -> None:
    kibana.hidden.add("soc")
    found = overview(client(kibana), ["vllm"])
    assert remarks(found) == [("unreadable", "soc", "")]
    assert found.spaces[1].connectors is None


def test_two_kibanas_with_different_files(kibana: KibanaServer) -> None:
    """A load balancer in front of two: one space is answered by the one with the old file."""
    kibana.forced["/s/soc/api/actions/connectors"] = Forced(200, b"[]")
    found = overview(client(kibana))
    assert remarks(found) == [("missing", "soc", "vllm")]


def test_a_status_page_that_is_closed(kibana: KibanaServer) -> None:
    kibana.forced["/api/status"] = Forced(503, b'{"status": {"overall": {"level": "unavailable"}}}')
    found = overview(client(kibana), ["vllm"])
    assert found.version is None
    assert found.remarks == ()


@pytest.mark.parametrize(
    "body", [b"{}", b'["x"]', b"null", b'[{"id": "../evil"}]', b'[{"name": "no id"}]', b"[" * 100_000]
)
def test_spaces_that_are_none(kibana: KibanaServer, body: bytes) -> None:
    kibana.forced["/api/spaces/space"] = Forced(200, body)
    with pytest.raises(UnreachableError, match=r"space"):
        overview(client(kibana))


def test_spaces_that_may_not_be_read(kibana: KibanaServer) -> None:
    kibana.forced["/api/spaces/space"] = Forced(403, b'{"statusCode": 403, "message": "Forbidden"}')
    with pytest.raises(RefusedError, match="403 Forbidden"):
        overview(client(kibana))
