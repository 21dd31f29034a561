"""A bundle.yml with all of Elastic's artefacts, the sites that have them, and the steps from one to the other."""

from __future__ import annotations

from pathlib import Path

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
ELSER = "elser_model_2_linux-x86_64"
ALL = """
  agent: true
  beats: [{name: filebeat, version: 9.1.4}]
  packages: [nginx, {name: system, version: 1.20.0}]
  product_docs: [kibana, security]
  elser: linux-x86_64
"""


def filled(server: FaultyServer) -> ElasticSites:
    """The sites with what ``ALL`` asks for, and with packages that it must not get."""
    found = ElasticSites(server)
    for path in (AGENT, FILEBEAT):
        found.add_download(path)
    for version, kibana in (("1.20.0", (8, 13)), ("1.21.0", (9, 0)), ("2.0.0", (9, 3))):
        found.add_package("nginx", version, kibana)
        found.add_package("system", version, kibana)
    for product in ("kibana", "security"):
        found.add_document(product, "9.2")
    found.add_model(ELSER)
    return found


def spec_in(folder: Path, sites: ElasticSites, elastic: str = ALL) -> Spec:
    """The tiny example with ``elastic:``, whose inputs lie in ``folder``."""
    make_inputs(folder / "inputs")
    (folder / "bundle.yml").write_text(f"{EXAMPLE.read_text()}elastic:{elastic}\n{registries(sites.server)}")
    return read_spec(folder / "bundle.yml")


def locked(spec: Spec, heard: Heard | None = None, *, update: bool = True) -> Made:
    """The lock."""
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
