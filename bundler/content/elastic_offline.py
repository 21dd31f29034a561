"""What makes Kibana, Fleet and Elasticsearch find Elastic's artefacts at the site, and how to put them there.

Rules: pure functions of the lock; only what the bundle holds is spoken of. The folder ``elastic/`` is served as it
is, so nothing here moves a file. Sources: elastic/kibana, product_doc_base/server/services/package_installer (it reads
``index.xml`` of a folder, or what a web server answers for the folder's address with ``?max-keys=1000``);
elastic/elasticsearch, ModelLoaderUtils (no redirects, ranges); elastic/package-registry, README (folders of zips).
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from bundler.content.elastic_steps import steps
from bundler.lock.model import Lock
from bundler.spec.elastic_sites import ML_MODELS, PRODUCT_DOCS

OFFLINE_YML: Final = "kibana/elastic-offline.yml"
ELASTICSEARCH_YML: Final = "elastic/elasticsearch-offline.yml"
NGINX: Final = "elastic/nginx.conf"
STEPS: Final = "elastic/README.md"
LISTING: Final = f"{PRODUCT_DOCS}/index.xml"
DISK: Final = "/opt/elastic"
"""Where the folder lies on the site's web server."""

_HEAD: Final = """\
# For a Kibana {stack} without the internet: put this into kibana.yml of every Kibana, and restart each.
# elastic/README.md of the bundle says where the files go.

# Fleet does not try to reach the internet. Packages come by upload, or from a registry of the site.
xpack.fleet.isAirGapped: true
"""
_REGISTRY: Final = """
# Only where the site runs Elastic's package registry over elastic/packages/. While an address stands here, every
# Kibana must reach it: uploads are refused without it.
# xpack.fleet.registryUrl: https://registry.example.internal
"""
_DOCS: Final = """
# Where the assistants find Elastic's documentation: the folder with index.xml and the kb-product-doc-*.zip files.
xpack.productDocBase.artifactRepositoryUrl: {url}/product-docs
"""
_ELSER: Final = """\
# For Elasticsearch (never kibana.yml): put this into elasticsearch.yml of every master-eligible node.
# {why}
xpack.ml.model_repository: {url}
"""
_INSIDE: Final = (
    "Elasticsearch reads no file outside its config folder: copy elastic/ml-models/ to config/models/ there."
)
_SERVED: Final = "Elasticsearch follows no redirect and asks for ranges, which any static web server can."
_NGINX: Final = """\
# For a server block of the site's Nginx: the bundle's elastic/ folder, which lies in {disk}/, read only.
# Kibana asks for the folder of the documentation without a slash at its end; the answer is the list of its files.
location = {path}/product-docs {{
    limit_except GET {{ deny all; }}
    default_type application/xml;
    alias {disk}/product-docs/index.xml;
}}
location ^~ {path}/ {{
    limit_except GET {{ deny all; }}
    autoindex off;
    index index.xml;
    alias {disk}/;
}}
"""


def elastic_offline_files(lock: Lock) -> dict[str, tuple[str, str]]:
    """Path → (text, role); none unless bundle.yml asks for something of Elastic's."""
    request = lock.request.get("elastic")
    if not request:
        return {}
    served: str = request["served_from"]
    texts = {OFFLINE_YML: _kibana(request, lock.request["stack"])}
    if request["product_docs"]:
        texts[LISTING] = _listing(lock)
    if request["elser"]:
        texts[ELASTICSEARCH_YML] = _elasticsearch(served)
    if not served.startswith("file:"):
        texts[NGINX] = _NGINX.format(path=urlsplit(served).path, disk=DISK)
    texts[STEPS] = steps(lock)
    return {path: (text, path.partition("/")[0]) for path, text in texts.items()}


def _kibana(request: dict[str, Any], stack: str) -> str:
    parts = [_HEAD.format(stack=stack)]
    if request["packages"]:
        parts.append(_REGISTRY)
    if request["product_docs"]:
        parts.append(_DOCS.format(url=request["served_from"]))
    return "".join(parts)


def _elasticsearch(served: str) -> str:
    if served.startswith("file:"):
        return _ELSER.format(why=_INSIDE, url="file://${path.home}/config/models/")
    return _ELSER.format(why=_SERVED, url=f"{served}/{ML_MODELS.rpartition('/')[2]}/")


def _listing(lock: Lock) -> str:
    """The listing of a bucket (Amazon S3's ListObjects), of which Kibana reads Key and IsTruncated."""
    names = [file.path.rpartition("/")[2] for file in lock.elastic if file.path.startswith(f"{PRODUCT_DOCS}/")]
    rows = "".join(f"  <Contents><Key>{name}</Key></Contents>\n" for name in names)
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Name>product-docs</Name>
  <IsTruncated>false</IsTruncated>
{rows}</ListBucketResult>
"""
