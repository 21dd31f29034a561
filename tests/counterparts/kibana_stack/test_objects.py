"""The stand-in's HTTP and its saved objects, held to the reference."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from kibana_assets.dashboards.objects import dashboards, data_views, ndjson, objects
from kibana_assets.package.tree import load
from tests.counterparts.kibana import PASSWORD, USER
from tests.counterparts.kibana_stack.server import KibanaStack

Json = dict[str, Any]


def row(name: str, *references: str, **more: object) -> Json:
    versions = {"coreMigrationVersion": "8.8.0", "typeMigrationVersion": "8.9.0"}
    linked = [{"type": "index-pattern", "id": one, "name": f"n-{one}"} for one in references]
    attributes = {"title": name, "panelsJSON": "[]"}
    return {"type": "dashboard", "id": name, "attributes": attributes, "references": linked, **versions, **more}


def send(
    http: requests.Session, url: str, rows: list[Json] | bytes, query: str = "", name: str = "a.ndjson"
) -> requests.Response:
    data = rows if isinstance(rows, bytes) else "\n".join(json.dumps(one) for one in rows).encode()
    return http.post(f"{url}/api/saved_objects/_import{query}", files={"file": (name, data, "application/x-ndjson")})


def test_our_own_objects(kibana: KibanaStack, http: requests.Session) -> None:
    ours = ndjson([*data_views(), *objects(dashboards(load()))])
    answer = send(http, kibana.url, ours).json()
    assert (answer["success"], answer["successCount"]) == (True, ours.count(b"\n"))
    again = send(http, kibana.url, ours).json()
    assert again["success"] is False
    assert {one["error"]["type"] for one in again["errors"]} == {"conflict"}
    assert send(http, kibana.url, ours, "?overwrite=true").json()["success"] is True


def test_logins_and_base_path(kibana: KibanaStack, http: requests.Session) -> None:
    path = f"{kibana.url}/api/spaces/space"
    assert requests.get(path, auth=(USER, PASSWORD), timeout=9).status_code == 200
    assert requests.get(path, auth=(USER, "wrong"), timeout=9).status_code == 401
    assert http.get(f"{kibana.url}/api/nope").status_code == 404
    with KibanaStack(kibana.stack, base_path="/kibana") as other:
        assert http.get(f"{other.url}/api/status").json()["version"]["number"] == kibana.stack.version
        assert http.get(f"{other.url.removesuffix('/kibana')}/api/status").status_code == 404


def test_types_and_spaces_without_rights(kibana: KibanaStack, http: requests.Session) -> None:
    """In Kibana's words, and before anything is stored."""
    reads = frozenset({"login:", "saved_object:*/bulk_get", "saved_object:tag/*"})
    kibana.stack.logins["ApiKey reader"] = reads
    http.headers["Authorization"] = "ApiKey reader"
    refused = send(http, kibana.url, [row("a"), {**row("t"), "type": "tag"}], "?overwrite=true")
    assert (refused.status_code, refused.json()["message"]) == (403, "Unable to bulk_create dashboard")
    assert kibana.stack.objects.get("default", {}) == {}
    asked = [{"type": "dashboard", "id": "a"}, {"type": "tag", "id": "t"}]
    assert http.post(f"{kibana.url}/api/saved_objects/_bulk_get", json=asked).status_code == 200
    gone = http.delete(f"{kibana.url}/api/saved_objects/dashboard/a")
    assert (gone.status_code, gone.json()["message"]) == (403, "Unable to delete dashboard")
    assert [one["id"] for one in http.get(f"{kibana.url}/api/spaces/space").json()] == ["default"]
    kibana.stack.logins["ApiKey reader"] = frozenset({"saved_object:tag/bulk_get"})
    refused = http.post(f"{kibana.url}/api/saved_objects/_bulk_get", json=asked)
    assert (refused.status_code, refused.json()["message"]) == (403, "Unable to bulk_get dashboard")
    refused = http.get(f"{kibana.url}/api/spaces/space")
    assert (refused.status_code, refused.json()["message"]) == (403, "Forbidden")


def test_a_missing_reference_stores_nothing(kibana: KibanaStack, http: requests.Session) -> None:
    answer = send(http, kibana.url, [row("good"), row("bad", "logs-*")]).json()
    assert (answer["success"], answer["successCount"]) == (False, 1)
    assert answer["errors"][0]["error"] == {
        "type": "missing_references",
        "references": [{"type": "index-pattern", "id": "logs-*"}],
    }
    assert kibana.stack.ids("default", "dashboard") == []
    assert send(http, kibana.url, [{**row("x"), "type": "nosuch"}]).json()["errors"][0]["error"] == {
        "type": "unsupported_type"
    }


@pytest.mark.parametrize(
    ("rows", "query", "name", "status", "words"),
    [
        ([row("a")], "", "a.json", 400, "Invalid file extension .json"),
        ([row("a")], "?overwrite=true&createNewCopies=true", "a.ndjson", 400, "cannot use [overwrite]"),
        ([row("a")], "?overwrite=yes", "a.ndjson", 400, "expected value of type [boolean]"),
        ([row("a")], "?force=true", "a.ndjson", 400, "definition for this key is missing"),
        ([row("a"), row("a")], "", "a.ndjson", 400, "Non-unique import objects detected: [dashboard:a]"),
        ([row(f"{number}") for number in range(10_001)], "", "a.ndjson", 400, "more than 10000 objects"),
        (b"{", "", "a.ndjson", 400, "Unexpected token"),
        (bytes(26_214_401), "", "a.ndjson", 413, "26214400"),
        ([row("a", typeMigrationVersion="99.0.0")], "", "a.ndjson", 422, "a more recent version of Kibana [99.0.0]"),
        ([row("a", coreMigrationVersion="9.0.0")], "", "a.ndjson", 422, "a more recent version of Kibana [9.0.0]"),
        ([row("a", typeMigrationVersion=None)], "", "a.ndjson", 500, "internal server error"),
        ([row("a", attributes={"title": "a", "panelsJSON": []})], "", "a.ndjson", 500, "type [string]"),
    ],
)
def test_imports_that_are_refused(
    kibana: KibanaStack, http: requests.Session, rows: Any, query: str, name: str, status: int, words: str
) -> None:
    answer = send(http, kibana.url, rows, query, name)
    assert (answer.status_code, words in answer.json()["message"]) == (status, True), answer.text
    assert kibana.stack.objects.get("default", {}) == {}


def test_a_second_space_has_new_ids_and_its_links_follow(kibana: KibanaStack, http: requests.Session) -> None:
    link = {"type": "dashboard", "id": "a", "name": "link"}
    rows = [row("a"), {**row("b"), "references": [link]}]
    assert send(http, kibana.url, rows).json()["success"] is True
    for query in ("", "?overwrite=true"):
        answer = send(http, f"{kibana.url}/s/soc", rows, query).json()
        assert answer["success"] is True
        names = {one["id"]: one["destinationId"] for one in answer["successResults"]}
        assert sorted(names.values()) == kibana.stack.ids("soc", "dashboard")
        assert kibana.stack.inside("soc")[("dashboard", names["b"])]["references"][0]["id"] == names["a"]
    errors = send(http, f"{kibana.url}/s/soc", rows).json()["errors"]
    assert [one["error"]["destinationId"] for one in errors] == [names["a"], names["b"]]


def test_reading_and_removing(kibana: KibanaStack, http: requests.Session) -> None:
    send(http, kibana.url, [row("a"), row("b")])
    place = f"{kibana.url}/api/saved_objects"
    export = http.post(f"{place}/_export", json={"objects": [{"type": "dashboard", "id": "a"}]})
    assert [json.loads(line).get("id") for line in export.text.splitlines()] == ["a", None]
    export = http.post(f"{place}/_export", json={"objects": [{"type": "dashboard", "id": one} for one in "az"]})
    assert [one["id"] for one in export.json()["attributes"]["objects"]] == ["z"]
    got = http.post(f"{place}/_bulk_get", json=[{"type": "dashboard", "id": one} for one in "az"]).json()
    assert ["error" in one for one in got["saved_objects"]] == [False, True]
    assert http.get(f"{place}/_find?type=dashboard").json()["total"] == 2
    assert http.delete(f"{place}/dashboard/a").status_code == 200
    assert http.delete(f"{place}/dashboard/a").status_code == http.get(f"{place}/dashboard/a").status_code == 404


def test_data_views_and_rules(kibana: KibanaStack, http: requests.Session) -> None:
    view = {"data_view": {"id": "logs-*", "title": "logs-*"}}
    place = f"{kibana.url}/api/data_views/data_view"
    assert [http.post(place, json=view).status_code for _ in range(2)] == [200, 400]
    assert http.delete(f"{place}/logs-*").status_code == 200
    params = {
        "searchType": "esqlQuery",
        "esqlQuery": {"esql": "FROM a"},
        "timeField": "@timestamp",
        "size": 1,
        "timeWindowSize": 5,
        "timeWindowUnit": "m",
        "threshold": [0],
        "thresholdComparator": ">",
    }
    rule = {"name": "r", "rule_type_id": ".es-query", "consumer": "stackAlerts", "params": params}
    place = f"{kibana.url}/api/alerting/rule/r"
    assert http.post(place, json=rule).status_code == 400
    rule = {**rule, "schedule": {"interval": "1m"}}
    assert [http.post(place, json=rule).status_code for _ in range(2)] == [200, 409]
    assert "definition for this key is missing" in http.put(place, json=rule).json()["message"]
    assert http.put(place, json={"name": "r", "schedule": {"interval": "5m"}, "params": params}).status_code == 200
    assert [http.delete(place).status_code for _ in range(2)] == [204, 404]
