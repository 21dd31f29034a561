"""``elastic:`` of bundle.yml, and the addresses that follow from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bundler.errors import SpecError
from bundler.spec.elastic_sites import groups, locked_artefacts, search_url, sites
from bundler.spec.model import Beat, Elastic, Package
from bundler.spec.parse import parse_spec
from bundler.spec.request import request_of
from tests.spec.texts import SMALLEST


def elastic(text: str, stack: str = "9.2.0", platform: str = "linux/amd64") -> Elastic:
    base = SMALLEST.replace("linux/amd64", platform)
    found = parse_spec(f"{base}stack: {stack}\nelastic: {text}\n").elastic
    assert found is not None
    return found


def test_versions_follow_the_stack() -> None:
    found = elastic("{agent: true, beats: [filebeat, {name: metricbeat, version: 9.1.7}]}")
    assert found == Elastic("9.2.0", "linux/amd64", "9.2.0", (Beat("filebeat", "9.2.0"), Beat("metricbeat", "9.1.7")))
    assert elastic("{agent: 8.19.21, packages: [nginx]}").agent == "8.19.21"
    assert elastic("{agent: 9.2.5}").agent == "9.2.5"  # a later patch is fine


def test_true_means_all_and_false_none() -> None:
    found = elastic("{product_docs: true, elser: true}")
    assert found.product_docs == ("elasticsearch", "kibana", "observability", "security")
    assert found.elser == ("linux-x86_64", "portable")
    found = elastic("{agent: false, product_docs: false, elser: false, packages: [{name: a, version: 1.0.0-rc1}]}")
    assert (found.agent, found.product_docs, found.elser) == (None, (), ())
    assert found.packages == (Package("a", "1.0.0-rc1"),)
    assert elastic("{product_docs: [kibana, kibana], elser: portable}").product_docs == ("kibana",)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("file:///srv/elastic", "file:///srv/elastic"),
        ("file:///srv/elastic/", "file:///srv/elastic"),
        ("https://a.example:8443/", "https://a.example:8443"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
    ],
)
def test_where_it_is_served_from(written: str, read: str) -> None:
    assert elastic(f"{{agent: true, served_from: '{written}'}}").served_from == read


@pytest.mark.parametrize(
    "written",
    ["/opt/elastic", "file://host/x", "file:///", "file:///a/../b", "file:///a b", "https://u:p@a.example/",
     "https://a.example/?x", "https://a.example/#x", "ftp://a.example", "https://", 'https://a.example/"x',
     "https://a.example/${x}", "https://a.example/{", "https://a.example/x;y"],
)  # fmt: skip
def test_where_nothing_can_be_served_from(written: str) -> None:
    with pytest.raises(SpecError, match=r"elastic\.served_from: "):
        elastic(f"{{agent: true, served_from: '{written}'}}")


@pytest.mark.parametrize(("stack", "newest"), [
    ("8.15.0", "3.0"), ("8.17.3", "3.3"), ("8.19.21", "3.4"), ("9.0.1", "3.3"), ("9.1.0", "3.4"), ("9.3.0", "3.5"),
    ("9.4.3", "3.6"), ("10.0.0", "3.6"), ("8.0.0", "3.0"),
])  # fmt: skip
def test_the_registry_is_asked_for_what_that_kibana_takes(stack: str, newest: str) -> None:
    url = search_url(Package("nginx"), stack)
    assert url == f"https://epr.elastic.co/search?package=nginx&kibana.version={stack}&spec.max={newest}"
    assert search_url(Package("nginx", "1.0.0"), stack) == f"{url}&all=true&prerelease=true"


def test_addresses() -> None:
    found = elastic("{agent: true, beats: [filebeat], packages: [nginx], product_docs: [kibana], elser: portable}",
                    platform="linux/arm64/v8")  # fmt: skip
    files = {file.path: file.url for group in groups(found, {"nginx": "1.2.3"}) for file in group.files}
    beats = "https://artifacts.elastic.co/downloads/beats"
    agent = "elastic-agent/elastic-agent-9.2.0-linux-arm64.tar.gz"
    assert files[f"elastic/downloads/beats/{agent}"] == f"{beats}/{agent}"
    assert files[f"elastic/downloads/beats/{agent}.sha512"] == f"{beats}/{agent}.sha512"
    beat = "filebeat/filebeat-9.2.0-linux-arm64.tar.gz"
    assert files[f"elastic/downloads/beats/{beat}.asc"] == f"{beats}/{beat}.asc"
    assert files["elastic/packages/nginx-1.2.3.zip"] == "https://epr.elastic.co/epr/nginx/nginx-1.2.3.zip"
    doc = "kb-product-doc-kibana-9.2.zip"
    assert files[f"elastic/product-docs/{doc}"] == f"https://kibana-knowledge-base-artifacts.elastic.co/{doc}"
    assert files["elastic/ml-models/elser_model_2.pt"] == "https://ml-models.elastic.co/elser_model_2.pt"
    assert len(files) == 3 + 3 + 2 + 1 + 3
    again = locked_artefacts(found, files)
    assert again is not None
    assert {file.path: file.url for file in again} == files


def test_a_lock_without_a_package_is_seen() -> None:
    found = elastic("{packages: [nginx, {name: system, version: 1.0.0}]}")
    assert locked_artefacts(found, ["elastic/packages/system-1.0.0.zip"]) is None
    assert locked_artefacts(None, ["elastic/packages/system-1.0.0.zip"]) == ()


def test_it_is_part_of_the_request() -> None:
    text = f"{SMALLEST}stack: 9.2.0\nelastic: {{packages: [nginx]}}\n"
    assert request_of(parse_spec(text))["elastic"] == {
        "agent": None, "beats": [], "packages": [{"name": "nginx", "version": None}], "product_docs": [], "elser": [],
        "served_from": "file:///opt/elastic",
    }  # fmt: skip
    assert request_of(parse_spec(SMALLEST))["elastic"] is None


def test_the_handbook_shows_a_right_one() -> None:
    text = (Path(__file__).parent.parent.parent / "docs" / "bundle-yml.md").read_text(encoding="utf-8")
    shown = next(block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "\nelastic:" in block)
    found = parse_spec(SMALLEST + shown).elastic
    assert found is not None
    assert found.packages == (Package("nginx"), Package("system", "2.6.0"))


def test_the_data_says_where_it_is_from() -> None:
    assert sites().beats and sites().platforms["linux/amd64"] == "linux-x86_64"
    assert list(sites().spec_max) == sorted(sites().spec_max)
