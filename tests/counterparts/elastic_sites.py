"""Elastic's public sites in small: artifacts, the package registry, the knowledge base, the models.

Rules: one real server, each site below a prefix of its own, so that bundle.yml reaches them by ``mirrors``; the
artifacts' archives are behind a redirect, as mirrors often have them. The registry answers as /search does: it knows
what a package needs of Kibana, and refuses what it was not told to filter by.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import zipfile
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs

from bundler.spec.elastic_sites import Sites, sites
from tests.counterparts.faulty import FaultyServer, Route, Seen

HOSTS = {
    "artifacts.elastic.co": "artifacts",
    "epr.elastic.co": "registry",
    "kibana-knowledge-base-artifacts.elastic.co": "knowledge",
    "ml-models.elastic.co": "models",
}
SIGNATURE = b"-----BEGIN PGP SIGNATURE-----\n\niQE=\n-----END PGP SIGNATURE-----\n"


def zip_of(files: dict[str, bytes]) -> bytes:
    """A zip with these files, in order."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return made.getvalue()


def package_zip(name: str, version: str) -> bytes:
    """A package as the registry has it."""
    return zip_of({f"{name}-{version}/manifest.yml": f"name: {name}\nversion: {version}\n".encode()})


def registries(server: FaultyServer) -> str:
    """The ``registries:`` of a bundle.yml that reaches ``server`` in place of all four sites."""
    lines = [f'  {host}: {{mirrors: ["{server.host}/{prefix}"]}}\n' for host, prefix in HOSTS.items()]
    return "registries:\n" + "".join(lines) + f'  "{server.host}": {{plain_http: true}}\n'


@dataclass(slots=True)
class ElasticSites:
    """Fills ``server``; ``bodies`` are what it serves, by the path in the bundle below ``elastic/``.

    ``packages`` are name → {version: the first Kibana that takes it}, newest first.
    """

    server: FaultyServer
    packages: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)

    def add_download(self, path: str, size: int = 300_000) -> None:
        """An archive with its ``.sha512`` and ``.asc``; ``path`` is that below ``downloads/``."""
        body = gzip.compress(random.Random(path).randbytes(size), mtime=0)
        sums = f"{hashlib.sha512(body).hexdigest()}  {path.rpartition('/')[2]}\n".encode()
        for end, data in (("", body), (".sha512", sums), (".asc", SIGNATURE)):
            self.bodies[f"downloads/{path}{end}"] = data
            self.server.routes[f"/artifacts/downloads/{path}{end}"] = Route(data)
        self.server.routes[f"/store/{path}"] = Route(body)
        self.server.routes[f"/artifacts/downloads/{path}"] = Route(redirect=f"{self.server.url}/store/{path}")

    def add_package(self, name: str, version: str, kibana: tuple[int, int] = (8, 13)) -> None:
        """A package; what is added last is the newest."""
        self.packages[name] = {version: kibana, **self.packages.get(name, {})}
        for end, data in (("", package_zip(name, version)), (".sig", SIGNATURE)):
            self.bodies[f"packages/{name}-{version}.zip{end}"] = data
            self.server.routes[f"/registry/epr/{name}/{name}-{version}.zip{end}"] = Route(data)
        self.server.routes["/registry/search"] = self._search

    def add_document(self, product: str, minor: str) -> None:
        """The documentation of a product."""
        name = f"kb-product-doc-{product}-{minor}.zip"
        self.bodies[f"product-docs/{name}"] = zip_of({"manifest.json": b"{}", "content/a.ndjson": product.encode()})
        self.server.routes[f"/knowledge/{name}"] = Route(self.bodies[f"product-docs/{name}"])

    def add_model(self, name: str) -> None:
        """Weights, metadata and vocabulary of a model."""
        weights = random.Random(name).randbytes(200_000)
        about = {"packaged_model_id": name, "size": len(weights), "sha256": hashlib.sha256(weights).hexdigest()}
        words = {"vocabulary": ["a", "b"]}
        named = (
            ("pt", weights),
            ("metadata.json", json.dumps(about).encode()),
            ("vocab.json", json.dumps(words).encode()),
        )
        for end, data in named:
            self.bodies[f"ml-models/{name}.{end}"] = data
            self.server.routes[f"/models/{name}.{end}"] = Route(data)

    def _search(self, seen: Seen) -> Route:
        asked = {key: values[0] for key, values in parse_qs(seen.query).items()}
        missing = {"package", "kibana.version", "spec.max"} - asked.keys()
        if missing:
            return Route(f"missing {missing}".encode(), 400)
        major, minor, _ = asked["kibana.version"].split(".")
        known = self.packages.get(asked["package"], {})
        fits = [version for version, least in known.items() if least <= (int(major), int(minor))]
        rows = [{"name": asked["package"], "version": version} for version in fits]
        shown = rows[::-1] if asked.get("all") == "true" else rows[:1]
        return Route(json.dumps(shown).encode())


def straight(server: FaultyServer) -> Sites:
    """The data with ``server`` in place of the sites themselves, so that nothing is tried beyond it."""

    def ours(value: Any) -> Any:
        if isinstance(value, str):
            for host, prefix in HOSTS.items():
                value = value.replace(f"https://{host}/", f"{server.url}/{prefix}/")
        return value

    found = sites()
    return replace(
        found,
        elser_url=ours(found.elser_url),
        downloads={key: ours(value) for key, value in found.downloads.items()},
        packages={key: ours(value) for key, value in found.packages.items()},
        docs={key: ours(value) for key, value in found.docs.items()},
    )
