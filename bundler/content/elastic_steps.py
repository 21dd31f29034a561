"""``elastic/README.md``: what to do with Elastic's artefacts at the site, with this bundle's own names.

Rules: every command works as it stands in the folder of the release; a secret is read from a file, never an argument.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bundler.lock.model import Lock
from bundler.spec.elastic_sites import DOWNLOADS, PACKAGES

_HEAD = """\
# Elastic's artefacts, for a stack {stack} without the internet

Everything below `elastic/` is as Elastic publishes it, and was checked like the rest of the bundle. The commands are
typed in the folder of the release, where this `elastic/` is.
"""
_FILES = """\
## Where the files go

On every Kibana host, readable for Kibana:

    mkdir -p {folder}
    cp -R elastic/. {folder}/

Then put `kibana/elastic-offline.yml` into kibana.yml of every Kibana, and restart each. If `kibana/kibana.yml` of this
bundle is there too, no key stands in both.
"""
_SERVER = """\
## Where the files go

On a web server of the site that answers as `{served}`:

    mkdir -p /opt/elastic
    cp -R elastic/. /opt/elastic/

`elastic/nginx.conf` is a piece of an Nginx server block for that. Any other static web server will do if it has
ranges, and answers `{served}/product-docs` with `index.xml` of that folder.

Then put `kibana/elastic-offline.yml` into kibana.yml of every Kibana, and restart each. If `kibana/kibana.yml` of this
bundle is there too, no key stands in both. Where the server's certificate is from a private CA, Kibana and
Elasticsearch must trust it: `NODE_EXTRA_CA_CERTS` of Kibana, the JVM's trust store of Elasticsearch.
"""
_PROGRAMS = """\
## Elastic Agent and Beats for the GPU host

Checked with Elastic's own digests, and with its key where you have it (`gpg --verify FILE.asc FILE`):

    (cd elastic/downloads && for one in $(find . -name '*.sha512'); do
      (cd "$(dirname "$one")" && sha512sum -c "$(basename "$one")"); done)

Each is unpacked on the GPU host with `tar -xzf`:

{rows}
"""
_UPGRADE = """
For upgrades by Fleet, name the folder as the source of binaries (Fleet, Settings, Agent binary download):

    {served}/downloads/

The agent appends `beats/elastic-agent/…` and fetches `.sha512` and `.asc` from there, too.
"""
_UPGRADE_FILES = """
For upgrades by Fleet the agents need a web server: set `elastic.served_from` in bundle.yml to its address.
"""
_CONFIGURED = """\
`config/agents/` of the bundle says what they are to read; the first lines of each file say what to add.
"""
_PACKAGES = """\
## Packages

Kibana takes each as an upload (Integrations, Create new integration, Upload it as a .zip), or by its API; wait ten
seconds between two. `kibana.header` is a file of mode 0600 with one line, `Authorization: ApiKey …`:

{rows}

Or let Elastic's package registry of your own (docker.elastic.co/package-registry/package-registry) read the folder
`elastic/packages/`, zips as they are, and name it in `xpack.fleet.registryUrl`; it hands on the `.sig` files too.
"""
_UPLOAD = """\
    curl --fail-with-body -H @kibana.header -H 'kbn-xsrf: true' -H 'content-type: application/zip' \\
      --data-binary @{path} "$KIBANA_URL/api/fleet/epm/packages"
"""
_DOCS = """\
## Documentation for the AI Assistants

After the restart: the assistant's settings, Knowledge base, Install the Elastic documentation. It is searched with
ELSER, which must run first. The file names hold {minor}: Kibana takes those of its own version.
"""
_ELSER = """\
## ELSER

`elastic/elasticsearch-offline.yml` goes into elasticsearch.yml of every master-eligible node{copied}.
Restart them one after the other, then download and deploy ELSER under Trained Models.
{variants}
"""
_COPIED = ", and the three files of each model\nfrom `elastic/ml-models/` into `config/models/` of each of them"
_VARIANTS = {
    "linux-x86_64": "`linux-x86_64` is for machine learning nodes that are all Linux on x86_64.",
    "portable": "The portable one (without `linux-x86_64` in its name) runs on any.",
}


def steps(lock: Lock) -> str:
    """The text."""
    return "\n".join(_parts(lock, lock.request["elastic"], lock.request["stack"]))


def _parts(lock: Lock, request: dict[str, Any], stack: str) -> Iterator[str]:
    served: str = request["served_from"]
    files = served.startswith("file:")
    yield _HEAD.format(stack=stack)
    yield _FILES.format(folder=served.removeprefix("file://")) if files else _SERVER.format(served=served)
    archives = [file.path for file in lock.elastic if file.path.startswith(DOWNLOADS) and file.path.endswith(".gz")]
    if archives:
        rows = "\n".join(f"- `{path}`" for path in archives)
        upgrade = _UPGRADE_FILES if files else _UPGRADE.format(served=served)
        yield _PROGRAMS.format(rows=rows) + (upgrade if request["agent"] else "")
        if lock.request["monitoring"]["filebeat"]:
            yield _CONFIGURED
    zips = [file.path for file in lock.elastic if file.path.startswith(PACKAGES) and file.path.endswith(".zip")]
    if zips:
        yield _PACKAGES.format(rows="".join(_UPLOAD.format(path=path) for path in zips).rstrip("\n"))
    if request["product_docs"]:
        yield _DOCS.format(minor=".".join(stack.split(".")[:2]))
    if request["elser"]:
        variants = "\n".join(_VARIANTS[one] for one in request["elser"])
        yield _ELSER.format(copied=_COPIED if files else "", variants=variants)
