"""The integration package in a bundle: only where it is asked for, and the very bytes of ``assets build``."""

from __future__ import annotations

from pathlib import Path

from bundler.content.render import render, with_rendered
from bundler.lock.resolve import resolve
from bundler.sources.kinds import Sources
from bundler.spec.parse import read_spec
from examples.tiny.inputs import make_inputs
from kibana_assets.package.build import build
from kibana_assets.package.tree import load
from tests.content.test_readme_of_a_bundle import EXAMPLE


def test_the_package_is_there_when_it_is_asked_for(tmp_path: Path) -> None:
    make_inputs(tmp_path / "inputs")
    (tmp_path / "bundle.yml").write_text(EXAMPLE.read_text() + "monitoring: {package: true}\n")
    spec = read_spec(tmp_path / "bundle.yml")
    lock = resolve(spec, Sources({}, spec.base))
    files = {file.path: file for file in render(lock)}
    built = build(load())
    path = f"elastic/{built.name}"
    assert (files[path].role, files[path].data) == ("elastic", built.data)
    assert f"| `{path}` | the integration package: upload it in Kibana" in files["README.md"].data.decode()
    assert path in {row.path for row in with_rendered(lock).rendered}
    (tmp_path / "bundle.yml").write_text(EXAMPLE.read_text())
    spec = read_spec(tmp_path / "bundle.yml")
    assert path not in {file.path for file in render(resolve(spec, Sources({}, spec.base)))}
