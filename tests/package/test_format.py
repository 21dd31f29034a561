"""The package itself: by our own rules of the format, its README, and its zip file."""

from __future__ import annotations

import io
import zipfile

from kibana_assets.package.build import build
from kibana_assets.package.docs import TEMPLATE, WRITTEN, render
from kibana_assets.package.ecs import ecs
from kibana_assets.package.refresh_ecs import external_names
from kibana_assets.package.tree import load
from tests.package.format.check import check


def test_the_rules_find_nothing() -> None:
    assert [str(finding) for finding in check(load())] == []


def test_the_readme_is_of_these_fields() -> None:
    rendered = render(TEMPLATE.read_text(encoding="utf-8"), load())
    assert load().text(WRITTEN) == rendered, "make package-docs"


def test_the_extract_of_ecs_has_what_is_used_and_no_more() -> None:
    assert set(ecs().fields) == external_names(load()), "make ecs"


def test_the_zip_has_no_tests_and_no_hidden_files() -> None:
    with zipfile.ZipFile(io.BytesIO(build(load()).data)) as found:
        names = found.namelist()
        assert found.testzip() is None
    assert not [name for name in names if "/_dev/" in name or "/." in name or "build" in name.split("/")]
    assert "local_llm-0.1.0/manifest.yml" in names
