"""Elastic's artefacts all the way into a bundle: a server like Elastic's sites, a real lock, build and verification."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.lock.file import read_lock
from bundler.pack.build import Options, build
from bundler.pack.locking import Made, locked_plan, make_lock
from bundler.site.medium import find
from bundler.site.unpack import unpack
from bundler.sources.kinds import Sources
from bundler.spec.model import Spec
from bundler.spec.parse import read_spec
from examples.tiny.inputs import make_inputs
from tests.content.test_readme_of_a_bundle import EXAMPLE
from tests.counterparts.elastic_sites import ElasticSites, registries
from tests.counterparts.faulty import FaultyServer
from tests.sources.reading import Heard

AGENT = "beats/elastic-agent/elastic-agent-9.2.0-linux-x86_64.tar.gz"
FILEBEAT = "beats/filebeat/filebeat-9.1.4-linux-x86_64.tar.gz"
ALL = """
  agent: true
  beats: [{name: filebeat, version: 9.1.4}]
  packages: [nginx, {name: system, version: 1.20.0}]
  product_docs: [kibana, security]
  elser: linux-x86_64
"""
ELSER = "elser_model_2_linux-x86_64"


@pytest.fixture
def sites() -> Iterator[ElasticSites]:
    with FaultyServer() as server:
        found = ElasticSites(server)
        for path in (AGENT, FILEBEAT):
            found.add_download(path)
        for version, kibana in (("1.20.0", (8, 13)), ("1.21.0", (9, 0)), ("2.0.0", (9, 3))):
            found.add_package("nginx", version, kibana)
            found.add_package("system", version, kibana)
        for product in ("kibana", "security"):
            found.add_document(product, "9.2")
        found.add_model(ELSER)
        yield found


def spec_in(folder: Path, sites: ElasticSites, elastic: str = ALL) -> Spec:
    make_inputs(folder / "inputs")
    (folder / "bundle.yml").write_text(f"{EXAMPLE.read_text()}elastic:{elastic}\n{registries(sites.server)}")
    return read_spec(folder / "bundle.yml")


def locked(spec: Spec, heard: Heard | None = None, *, update: bool = True) -> Made:
    heard = heard or Heard()
    sources = Sources(spec.registries, spec.base, heard)
    return make_lock(spec, spec.base / "bundle.lock", sources, update=update, progress=heard)


def built(spec: Spec) -> Path:
    """The release: built, verified, unpacked."""
    _, plan = locked_plan(spec, spec.base / "bundle.lock")
    done = build(plan, Sources(spec.registries, spec.base), Options(spec.base, attempts=1, sleep=lambda seconds: None))
    with find([done.bundle]) as medium:
        unpacked = unpack(medium, spec.base / "site")
    assert unpacked.path is not None
    return unpacked.path


def test_all_the_way(tmp_path: Path, sites: ElasticSites) -> None:
    spec = spec_in(tmp_path, sites)
    heard = Heard()
    lock = locked(spec, heard).lock
    assert heard.said == []
    release = built(spec) / "elastic"
    served = {str(path.relative_to(release)): path.read_bytes() for path in release.rglob("*") if path.is_file()}
    wanted = {path: body for path, body in sites.bodies.items() if path in served}
    assert {path: body for path, body in served.items() if path in sites.bodies} == wanted
    assert sorted(wanted) == sorted(
        [f"downloads/{AGENT}{end}" for end in ("", ".sha512", ".asc")]
        + [f"downloads/{FILEBEAT}{end}" for end in ("", ".sha512", ".asc")]
        + [f"packages/{name}.zip{end}" for name in ("nginx-1.21.0", "system-1.20.0") for end in ("", ".sig")]
        + [f"product-docs/kb-product-doc-{product}-9.2.zip" for product in ("kibana", "security")]
        + [f"ml-models/{ELSER}.{end}" for end in ("pt", "metadata.json", "vocab.json")]
    )
    assert {file.path.removeprefix("elastic/") for file in lock.elastic} == set(wanted)
    assert locked(spec, update=False).changed is False
    assert read_lock(tmp_path / "bundle.lock") == lock
