"""The documents of the end-to-end run against what the clients saw, one by one and counted by Elasticsearch."""

from __future__ import annotations

import json
from collections import Counter
from statistics import quantiles
from typing import Any

import pytest

from tests.counterparts.engine import KEY
from tests.package.end_to_end.clients import PROMPT, WRONG, Saw
from tests.package.end_to_end.run import Recorded
from tests.package.end_to_end.site import TOKENS

# A client's clock runs from its call to the last byte that its library has read; Nginx's from the first byte of the
# request to the last of the answer, in milliseconds. Between them lie a handshake at most and the client's own work,
# on a machine that does everything at once.
SOONEST, LATEST = -0.005, 0.03
SHARE = 0.25


def counted(recorded: Recorded, field: str, missing: object, name: str = "proxy_access") -> dict[Any, int]:
    """How many documents have which value."""
    found = recorded.aggregate(name, {"terms": {"field": field, "size": 100, "missing": missing}})
    return {bucket["key"]: bucket["doc_count"] for bucket in found["buckets"]}


def by_id(recorded: Recorded) -> dict[str, dict[str, Any]]:
    documents = recorded.documents("proxy_access")
    return {document["http"]["request"]["id"]: document for document in documents}


def test_nothing_is_lost_and_nothing_is_there_twice(recorded: Recorded) -> None:
    assert len(recorded.saw) == 1000
    assert {name: len(recorded.documents(name)) for name in recorded.data_streams} == recorded.written
    assert recorded.written["proxy_access"] == len(by_id(recorded)) == 1000
    assert recorded.refused == []
    assert recorded.taken == sum(recorded.written.values())


def test_the_run_had_its_troubles(recorded: Recorded) -> None:
    """Else it would prove nothing."""
    assert recorded.failures > 5, "Elasticsearch was never away"
    assert recorded.again > 100, "nothing was sent twice"
    files = {document["log"]["file"]["path"].rpartition("/")[2] for document in recorded.documents("proxy_access")}
    assert files == {"access.json.log", "access.json.log.1"}, "no log was read on under its second name"
    flags = Counter(str(document["log"].get("flags")) for document in recorded.documents("lmstudio"))
    assert flags["['multiline']"] > 300


def test_counts_are_those_of_the_clients(recorded: Recorded) -> None:
    saw = recorded.saw
    assert counted(recorded, "http.response.status_code", 0) == Counter(one.status for one in saw)
    assert counted(recorded, "local_llm.token.label", "") == Counter(one.label for one in saw)
    assert counted(recorded, "url.path", "") == Counter(one.path for one in saw)
    bad = sum(one.status >= 400 or one.whole is False for one in saw)
    left = recorded.documents("proxy_access", {"term": {"error.code": "incomplete"}})
    chance = sum(not is_abandoned(recorded, document) for document in left)
    assert counted(recorded, "event.outcome", "") == {"success": 1000 - bad - chance, "failure": bad + chance}
    assert chance < 10, "of 130 streams that were read to their end"


def test_each_document_is_what_its_client_saw(recorded: Recorded) -> None:
    documents = by_id(recorded)
    told = [one for one in recorded.saw if one.id]
    assert len(told) == 980, "all but those who hung up before an answer"
    for one in told:
        document = documents[one.id]
        assert document["http"]["response"]["status_code"] == one.status
        assert document.get("local_llm", {}).get("token", {}).get("label", "") == one.label
        assert document.get("url", {}).get("path", "") == one.path
        assert document["local_llm"]["proxy"]["complete"] in ((True, False) if one.whole is None else (one.whole,))
        assert f"/{one.proxy}/logs/" in document["log"]["file"]["path"]


def test_a_duration_lies_within_what_its_client_waited(recorded: Recorded) -> None:
    """But for a few: Nginx may be held up between its last byte and its clock."""
    documents = by_id(recorded)
    late = [one.seconds - documents[one.id]["event"]["duration"] / 1e9 for one in recorded.saw if is_chat(one)]
    assert sum(seconds > SOONEST for seconds in late) >= 0.95 * len(late)


@pytest.mark.parametrize("percent", [50, 95])
def test_percentiles_are_those_of_the_clients(recorded: Recorded, percent: int) -> None:
    chats = [one for one in recorded.saw if is_chat(one)]
    assert len(chats) == 350
    client = quantiles((one.seconds for one in chats), n=100, method="inclusive")[percent - 1]
    query = {"bool": {"filter": [{"terms": {"http.request.id": [one.id for one in chats]}}]}}
    asked = {"percentiles": {"field": "event.duration", "percents": [percent]}}
    found = recorded.aggregate("proxy_access", asked, query)["values"][f"{percent}.0"] / 1e9
    assert 4 * SOONEST < client - found < LATEST + SHARE * client, f"{client:.3f} s seen, {found:.3f} s stored"
    assert found > {50: 0.02, 95: 0.3}[percent], "the engine alone takes as long"


def test_the_error_log_has_what_the_clients_met(recorded: Recorded) -> None:
    codes = counted(recorded, "error.code", "", "proxy_error")
    statuses = Counter(one.status for one in recorded.saw)
    met = {"body_too_large": statuses[413], "upstream_refused": statuses[502], "upstream_timeout": statuses[504]}
    assert {code: codes.get(code, 0) for code in met} == met
    # Without the right to more open files Nginx says so when it starts.
    assert set(codes) <= {*met, "other"}


def test_lm_studio_s_requests_are_counted_by_model(recorded: Recorded) -> None:
    asked = Counter(one.model for one in recorded.saw if one.proxy == "lmstudio" and one.model and one.status != 502)
    answered = Counter(one.model for one in recorded.saw if one.proxy == "lmstudio" and one.model and one.status == 200)
    models = {"terms": {"field": "gen_ai.request.model", "size": 100}}
    for actions, expected in (
        (["request-received"], asked),
        (["prediction-generated", "stream-finished"], answered),
    ):
        found = recorded.aggregate("lmstudio", models, {"terms": {"event.action": actions}})
        assert {bucket["key"]: bucket["doc_count"] for bucket in found["buckets"]} == expected


def test_no_prompt_and_no_token_is_stored(recorded: Recorded) -> None:
    for name in recorded.data_streams:
        text = json.dumps(recorded.documents(name))
        assert [secret for secret in (PROMPT, WRONG, KEY, *TOKENS.values()) if secret in text] == []


def is_chat(one: Saw) -> bool:
    """A chat with vLLM that was answered whole, and not as a stream."""
    return (one.proxy, one.status, one.path, one.whole) == ("vllm", 200, "/v1/chat/completions", True)


def is_abandoned(recorded: Recorded, document: dict[str, Any]) -> bool:
    """Whether a client left this one in the middle."""
    ids = {one.id for one in recorded.saw if one.whole is False}
    return document["http"]["request"]["id"] in ids
