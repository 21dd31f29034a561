"""The section of NEXT-STEPS.md for a site without the internet: Fleet, Elastic's manuals, ELSER.

Rules: what kibana.yml cannot hold is said here. Sources: Kibana's AI assistant settings and Host a knowledge base
artifact repo; Elasticsearch's machine learning settings; ELSER, Deploy in an air-gapped environment.
"""

from __future__ import annotations

from collections.abc import Iterator

from preconfigured.settings import PRODUCT_DOCS_SINCE, AirGap
from preconfigured.version import StackVersion

_HEAD = """\
## Without the internet

- **Fleet**: `xpack.fleet.isAirGapped` is set. {registry}
"""
_REGISTRY = "It takes packages from {url}: every Kibana must reach that, or uploads are refused too."
_NO_REGISTRY = "There is no package registry: integrations are those that Kibana brings and those that are uploaded."
_DOCS = """\
- **Elastic's manuals for the assistants**: fetch on the connected side
{files}
  from `https://kibana-knowledge-base-artifacts.elastic.co/`. {where} Then install them in the assistant's settings
  (knowledge base). They are searched with ELSER, so do the next step first.
"""
_SET = "Put them to `{url}`, which is set in kibana.yml{how}."
_UNSET = "Set `xpack.productDocBase.artifactRepositoryUrl` (here: `air_gap.product_docs_url`) to where they are."
_FILE = ", on every Kibana host"
_SERVER = "; as its index that server must give an S3-style listing in XML"
_ELSER = """\
- **ELSER**, for the knowledge base: fetch `elser_model_2_linux-x86_64.metadata.json`, `….pt` and `….vocab.json` (other
  processors: `elser_model_2.…`) from `https://ml-models.elastic.co/`, and put all three into `config/models/` of every
  master-eligible Elasticsearch node. In **elasticsearch.yml** (never kibana.yml) of those nodes:

  ```yaml
  xpack.ml.model_repository: file://${path.home}/config/models/
  ```

  Restart them one after the other, then download and deploy ELSER under **Trained Models**. Elasticsearch takes a
  folder below its `config` only; an address of a web server will do too.
"""


def air_gap_steps(air_gap: AirGap, stack: StackVersion) -> str:
    """Write the section: Markdown that ends in a line break."""
    return "".join(_parts(air_gap, stack))


def _parts(air_gap: AirGap, stack: StackVersion) -> Iterator[str]:
    registry = _REGISTRY.format(url=air_gap.registry_url) if air_gap.registry_url else _NO_REGISTRY
    yield _HEAD.format(registry=registry)
    if PRODUCT_DOCS_SINCE.has(stack):
        products = ("elasticsearch", "kibana", "observability", "security")
        files = "\n".join(f"  `kb-product-doc-{product}-{stack.major}.{stack.minor}.zip`" for product in products)
        yield _DOCS.format(files=files, where=_where(air_gap.product_docs_url))
    yield _ELSER


def _where(url: str | None) -> str:
    if url is None:
        return _UNSET
    return _SET.format(url=url, how=_FILE if url.startswith("file:") else _SERVER)
