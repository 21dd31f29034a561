"""The stand-in takes our zip file, and refuses each fault in a copy of it as the reference says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
import requests

from kibana_assets.package.build import Built
from kibana_assets.package.zip_file import zip_file
from tests.counterparts.kibana_stack.conftest import Upload
from tests.counterparts.kibana_stack.server import KibanaStack
from tests.counterparts.kibana_stack.state import Registry

Change = Callable[[dict[str, bytes]], None]
BOARD = "local_llm-0.1.0/kibana/dashboard/local_llm-overview.json"
STREAM = "local_llm-0.1.0/data_stream/proxy_access"
MANIFEST = "local_llm-0.1.0/manifest.yml"


def files(built: Built) -> dict[str, bytes]:
    return {f"{built.folder}/{path}": data for path, data in built.files.items()}


def swap(path: str, old: str, new: str) -> Change:
    def change(tree: dict[str, bytes]) -> None:
        assert old.encode() in tree[path]
        tree[path] = tree[path].replace(old.encode(), new.encode(), 1)

    return change


def without(path: str, key: str) -> Change:
    """Without one key of a JSON object, or with a text part as the object that it stands for."""

    def change(tree: dict[str, bytes]) -> None:
        made = json.loads(tree[path])
        if key in made:
            del made[key]
        else:
            made["attributes"][key] = json.loads(made["attributes"][key])
        tree[path] = json.dumps(made).encode()

    return change


def add(path: str, data: bytes = b"{}") -> Change:
    return lambda tree: tree.update({path: data})


def test_our_zip_is_taken(kibana: KibanaStack, upload: Upload, built: Built) -> None:
    answer = upload(built.data)
    assert answer.status_code == 200, answer.text
    assert answer.json()["_meta"] == {"install_source": "upload", "name": "local_llm"}
    kinds = {(one["type"], one["id"]) for one in answer.json()["items"]}
    assert ("ingest_pipeline", "logs-local_llm.proxy_access-0.1.0") in kinds
    assert ("index_template", "metrics-local_llm.vllm_metrics") in kinds
    assert ("dashboard", "local_llm-overview") in kinds
    assert kibana.stack.ids("default", "dashboard") == sorted(name for kind, name in kinds if kind == "dashboard")
    assert kibana.stack.ids("default", "index-pattern") == ["logs-*", "metrics-*"]


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        *(
            (
                swap(MANIFEST, f"\n{key}:", f"\nx_{key}:"),
                400,
                "one or more fields missing of name, version, description",
            )
            for key in ("title", "description", "owner")
        ),
        (swap(MANIFEST, 'format_version: "3.4.0"\n', ""), 400, "one or more fields missing of name, version"),
        (swap(MANIFEST, "version: 0.1.0", "version: 0.2.0"), 400, "do not match top-level directory local_llm-0.1.0"),
        (add("other/readme.md"), 400, "Package contains more than one top-level directory"),
        (swap(f"{STREAM}/manifest.yml", "  - input: filestream\n    title", "  - title"), 400, "of: input, title"),
        (swap(f"{STREAM}/manifest.yml", "    title: Access log of the proxy\n", ""), 400, "of: input, title"),
        (swap(f"{STREAM}/manifest.yml", "      - name: paths\n        type: text", "      - name: paths"), 400, "var"),
        (swap(f"{STREAM}/manifest.yml", "type: logs\n", ""), 400, "one or more fields missing of 'title', 'type'"),
        (swap(MANIFEST, "    title: Self-hosted LLM\n", ""), 400, "is missing in policy template"),
        (swap(MANIFEST, "    description: Collect logs", "    x: Collect logs"), 400, "is missing in policy template"),
        (swap(f"{STREAM}/elasticsearch/ingest_pipeline/default.yml", "- set:", "- sett:"), 500, "with name [sett]"),
        (without(BOARD, "id"), 500, "reading 'id'"),
        (without(BOARD, "panelsJSON"), 500, "expected value of type [string]"),
        (add("local_llm-0.1.0/elasticsearch/ingest_pipeline/x.yml"), 400, "contains a forbidden asset"),
        (add("local_llm-0.1.0/elasticsearch/transform/x/transform.yml"), 400, "contains a forbidden asset"),
        (swap(MANIFEST, "type: integration", "type: input"), 400, "cannot be input packages"),
        (
            swap(
                MANIFEST,
                "    description: Collect logs",
                "    dynamic_signal_types: true\n    description: Collect logs",
            ),
            400,
            "signal_types",
        ),
        (swap(f"{STREAM}/manifest.yml", "type: logs\n", "type: profiles\n"), 400, "cannot declare profiles"),
        (
            swap(f"{STREAM}/manifest.yml", "type: logs\n", "type: logs\ndataset_is_prefix: true\n"),
            400,
            "not permitted for upload",
        ),
        (swap(MANIFEST, "owner:", "elasticsearch:\n  privileges: {cluster: [monitor]}\nowner:"), 400, "cluster priv"),
    ],
)
def test_faults_are_refused(
    kibana: KibanaStack, upload: Upload, built: Built, change: Change, status: int, words: str
) -> None:
    tree = files(built)
    change(tree)
    answer = upload(zip_file(tree))
    assert (answer.status_code, words in answer.json()["message"]) == (status, True), answer.text
    assert kibana.stack.packages == {}


@pytest.mark.parametrize("data", [b"", b"no zip", zip_file({})])
def test_what_is_no_package(upload: Upload, data: bytes) -> None:
    answer = upload(data)
    assert answer.status_code == 400
    assert "application/zip" in answer.json()["message"]


def renamed(built: Built, name: str) -> bytes:
    """Our package under another name, with other datasets."""
    tree = {path.replace("local_llm-0.1.0", f"{name}-0.1.0"): data for path, data in files(built).items()}
    manifest = tree[f"{name}-0.1.0/manifest.yml"]
    tree[f"{name}-0.1.0/manifest.yml"] = re.sub(rb"name: local_llm\n", f"name: {name}\n".encode(), manifest, count=1)
    return zip_file({path: data for path, data in tree.items() if "/kibana/" not in path})


@pytest.mark.parametrize(
    ("name", "words"), [("nginx", "already exists in the package registry"), ("Local-LLM", "is invalid. Use a lower")]
)
def test_names(upload: Upload, built: Built, name: str, words: str) -> None:
    answer = upload(renamed(built, name))
    assert answer.status_code == 400
    assert words in answer.json()["message"]


@pytest.mark.parametrize(
    ("registry", "status"),
    [
        (Registry(reachable=False), 400),
        (Registry(reachable=False, air_gapped=True), 200),
        (Registry(reachable=False, air_gapped=True, url="https://registry.example.internal"), 400),
    ],
)
def test_a_registry_that_is_out_of_reach(
    kibana: KibanaStack, upload: Upload, built: Built, registry: Registry, status: int
) -> None:
    kibana.stack.registry = registry
    answer = upload(built.data)
    assert answer.status_code == status
    assert (status == 200) == ("Could not verify" not in answer.text)


def test_data_of_others(kibana: KibanaStack, upload: Upload, built: Built) -> None:
    kibana.stack.data_streams["logs-local_llm.proxy_access-default"] = ""
    answer = upload(built.data)
    assert answer.status_code == 400
    assert "which this package does not own" in answer.json()["message"]
    kibana.stack.data_streams["logs-local_llm.proxy_access-default"] = "local_llm"
    assert upload(built.data).status_code == 200
    other = kibana.stack.packages.pop("local_llm")
    kibana.stack.packages["custom"] = replace(other, manifest={**other.manifest, "name": "custom"})
    assert 'already owned by installed package "custom"' in upload(built.data).json()["message"]


def test_twice_within_ten_seconds(kibana: KibanaStack, upload: Upload, built: Built) -> None:
    kibana.stack.upload_pause = 10
    assert upload(b"no zip").status_code == 400
    assert upload(built.data).status_code == 200
    answer = upload(built.data)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "10"
    assert "Please wait 10s before uploading again." in answer.json()["message"]


def test_what_the_route_takes(kibana: KibanaStack, http: requests.Session, built: Built) -> None:
    place = f"{kibana.url}/api/fleet/epm/packages"
    assert http.post(place, data=built.data, headers={"Content-Type": "application/json"}).status_code == 415
    kind = {"Content-Type": "application/zip"}
    answer = http.post(place, data=built.data, headers={**kind, "kbn-xsrf": ""})
    assert (answer.status_code, answer.json()["message"]) == (400, "Request must contain a kbn-xsrf header.")
    answer = http.post(place, data=bytes(104_857_601), headers=kind)
    assert (answer.status_code, "104857600" in answer.json()["message"]) == (413, True)
    kibana.stack.secure = False
    assert http.post(place, data=built.data, headers=kind).status_code == 403
    kibana.stack.secure = True
    kibana.stack.logins["ApiKey less"] = frozenset({"saved_object:*"})
    answer = http.post(place, data=built.data, headers={**kind, "Authorization": "ApiKey less"})
    assert (answer.status_code, "integrations-all" in answer.json()["message"]) == (403, True)


def test_another_space_and_removal(kibana: KibanaStack, http: requests.Session, upload: Upload, built: Built) -> None:
    kibana.stack.spaces["soc"] = "SOC"
    assert upload(built.data).status_code == 200
    place = "api/fleet/epm/packages/local_llm/0.1.0"
    assert http.post(f"{kibana.url}/s/soc/{place}/kibana_assets", json={}).json() == {"success": True}
    boards = kibana.stack.ids("soc", "dashboard")
    assert len(boards) == len(kibana.stack.ids("default", "dashboard"))
    assert "local_llm-overview" not in boards
    about = http.get(f"{kibana.url}/api/fleet/epm/packages/local_llm").json()["item"]["installationInfo"]
    assert {one["originId"] for one in about["additional_spaces_installed_kibana"]["soc"] if "originId" in one} > {
        "local_llm-overview"
    }
    assert http.delete(f"{kibana.url}/{place}").status_code == 200
    assert kibana.stack.ids("soc", "dashboard") == kibana.stack.ids("default", "dashboard") == []
    assert kibana.stack.pipelines == {}
    assert http.delete(f"{kibana.url}/{place}").json()["message"] == "local_llm is not installed"
