"""The settings and the folder for a site without the internet: read, served and asked for as Elastic's programs do."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import requests
from ruamel.yaml import YAML

from bundler.content.render import render
from bundler.spec.parse import read_spec
from tests.counterparts.elastic_sites import ElasticSites
from tests.counterparts.faulty import FaultyServer
from tests.counterparts.need import need
from tests.end_to_end.elastic_stage import AGENT, ALL, ELSER, built, filled, locked, spec_in

S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"
NGINX = """\
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log warn;
events {{ worker_connections 16; }}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port};
{piece} }}
}}
"""


def read_yaml(text: str) -> dict[str, object]:
    """What a YAML reader sees."""
    found = YAML(typ="safe", pure=True).load(text)
    assert isinstance(found, dict)
    return found


@pytest.fixture
def sites() -> Iterator[ElasticSites]:
    with FaultyServer() as server:
        yield filled(server)


def written(folder: Path, sites: ElasticSites, elastic: str = ALL) -> dict[str, str]:
    """The texts of a bundle."""
    files = render(locked(spec_in(folder, sites, elastic)).lock)
    return {file.path: file.data.decode() for file in files if not file.path.endswith(".zip")}


def test_settings_for_files(tmp_path: Path, sites: ElasticSites) -> None:
    texts = written(tmp_path, sites)
    offline = read_yaml(texts["kibana/elastic-offline.yml"])
    assert offline == {
        "xpack.fleet.isAirGapped": True,
        "xpack.productDocBase.artifactRepositoryUrl": "file:///opt/elastic/product-docs",
    }
    assert not offline.keys() & read_yaml(texts["kibana/kibana.yml"]).keys()
    assert "isAirGapped" not in texts["kibana/kibana.yml"]
    assert "See `elastic/README.md`" in texts["kibana/NEXT-STEPS.md"]
    elasticsearch = read_yaml(texts["elastic/elasticsearch-offline.yml"])
    assert elasticsearch == {"xpack.ml.model_repository": "file://${path.home}/config/models/"}
    assert "elastic/nginx.conf" not in texts
    assert "cp -R elastic/. /opt/elastic/" in texts["elastic/README.md"]


def test_settings_for_a_web_server(tmp_path: Path, sites: ElasticSites) -> None:
    texts = written(tmp_path, sites, ALL + "  served_from: https://a.example:8443/x/elastic/\n")
    offline = read_yaml(texts["kibana/elastic-offline.yml"])
    place = "https://a.example:8443/x/elastic"
    assert offline["xpack.productDocBase.artifactRepositoryUrl"] == f"{place}/product-docs"
    elasticsearch = read_yaml(texts["elastic/elasticsearch-offline.yml"])
    assert elasticsearch == {"xpack.ml.model_repository": f"{place}/ml-models/"}
    assert f"    {place}/downloads/\n" in texts["elastic/README.md"]


def test_only_what_is_there_is_spoken_of(tmp_path: Path, sites: ElasticSites) -> None:
    texts = written(tmp_path, sites, " {packages: [nginx]}")
    assert {path for path in texts if "elastic" in path} == {"elastic/README.md", "kibana/elastic-offline.yml"}
    assert read_yaml(texts["kibana/elastic-offline.yml"]) == {"xpack.fleet.isAirGapped": True}
    headings = [line for line in texts["elastic/README.md"].splitlines() if line.startswith("## ")]
    assert headings == ["## Where the files go", "## Packages"]
    assert "written by llm-bundle" not in texts["README.md"]


def test_it_says_where_the_programs_configurations_are(tmp_path: Path, sites: ElasticSites) -> None:
    spec_in(tmp_path, sites)
    spec = tmp_path / "bundle.yml"
    without = {file.path: file.data.decode() for file in render(locked(read_spec(spec)).lock)}
    spec.write_text(spec.read_text() + "monitoring: {filebeat: true}\n")
    texts = {file.path: file.data.decode() for file in render(locked(read_spec(spec)).lock)}
    assert "config/agents/filebeat.yml" in texts
    found = ["`config/agents/`" in each["elastic/README.md"] for each in (without, texts)]
    assert found == [False, True]


def test_without_elastic_nothing_changes(tmp_path: Path, sites: ElasticSites) -> None:
    spec_in(tmp_path, sites)
    text = (tmp_path / "bundle.yml").read_text().replace(f"elastic:{ALL}", "")
    (tmp_path / "bundle.yml").write_text(text)
    files = {file.path: file.data.decode() for file in render(locked(read_spec(tmp_path / "bundle.yml")).lock)}
    assert not [path for path in files if "elastic" in path]
    assert "xpack.fleet.isAirGapped: true" in files["kibana/kibana.yml"]
    assert "## Without the internet" in files["kibana/NEXT-STEPS.md"]


@pytest.fixture
def release(tmp_path: Path, sites: ElasticSites) -> Path:
    spec = spec_in(tmp_path, sites, ALL + "  served_from: http://a.example/elastic\n")
    locked(spec)
    return built(spec)


def test_a_folder_is_read_as_kibana_reads_it(release: Path) -> None:
    """index.xml is parsed for Contents.Key and IsTruncated, and each key is a file beside it."""
    folder = release / "elastic" / "product-docs"
    root = ElementTree.parse(folder / "index.xml").getroot()
    assert root.tag == f"{S3}ListBucketResult"
    assert root.findtext(f"{S3}IsTruncated") == "false"
    keys = [key.text for key in root.iterfind(f"{S3}Contents/{S3}Key")]
    assert keys == ["kb-product-doc-kibana-9.2.zip", "kb-product-doc-security-9.2.zip"]
    assert all((folder / str(key)).is_file() for key in keys)


def test_the_digests_are_checked_by_the_command_that_is_shown(release: Path) -> None:
    text = (release / "elastic" / "README.md").read_text()
    start = text.index("    (cd elastic/downloads")
    command = text[start : text.index("done)", start) + len("done)")]
    good = subprocess.run(["sh", "-ec", command], cwd=release, capture_output=True, text=True, check=True)
    assert good.stdout.count(": OK") == 2
    path = release / "elastic" / "downloads" / AGENT
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"x")
    bad = subprocess.run(["sh", "-ec", command], cwd=release, capture_output=True, text=True, check=False)
    assert "FAILED" in bad.stdout


@pytest.fixture
def nginx(release: Path, tmp_path: Path) -> Iterator[str]:
    """A real Nginx with the piece that the bundle holds; its address."""
    program = need("nginx", "nginx")
    folder = tmp_path / "nginx"
    folder.mkdir()
    disk = tmp_path / "opt-elastic"
    shutil.copytree(release / "elastic", disk)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    piece = (release / "elastic" / "nginx.conf").read_text().replace("/opt/elastic", str(disk))
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, piece=piece))
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        _wait(port)
        yield f"http://127.0.0.1:{port}/elastic"
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("nginx did not start")


def test_a_web_server_is_asked_as_elastics_programs_ask(nginx: str, release: Path) -> None:
    session = requests.Session()
    listed = session.get(f"{nginx}/product-docs?max-keys=1000", allow_redirects=False, timeout=5)
    assert (listed.status_code, listed.headers["Content-Type"]) == (200, "application/xml")
    assert listed.content == (release / "elastic" / "product-docs" / "index.xml").read_bytes()
    assert session.get(f"{nginx}/product-docs/?max-keys=1000", timeout=5).content == listed.content
    for path in ("product-docs/kb-product-doc-kibana-9.2.zip", f"downloads/{AGENT}", f"downloads/{AGENT}.sha512",
                 f"downloads/{AGENT}.asc", f"ml-models/{ELSER}.metadata.json"):  # fmt: skip
        found = session.get(f"{nginx}/{path}", allow_redirects=False, timeout=5)
        assert (found.status_code, found.content) == (200, (release / "elastic" / path).read_bytes())
    # Elasticsearch fetches a model in pieces, and follows no redirect.
    piece = session.get(f"{nginx}/ml-models/{ELSER}.pt", headers={"Range": "bytes=1000-1999"}, timeout=5)
    assert piece.status_code == 206
    assert piece.content == (release / "elastic" / "ml-models" / f"{ELSER}.pt").read_bytes()[1000:2000]


def test_a_web_server_gives_nothing_else(nginx: str) -> None:
    for method, path, status in (
        ("POST", "product-docs", 403), ("PUT", "packages/x.zip", 403), ("DELETE", f"downloads/{AGENT}", 403),
        ("GET", "downloads/", 403), ("GET", "", 403), ("GET", "../etc/passwd", 404), ("GET", "packages/none.zip", 404),
    ):  # fmt: skip
        found = requests.request(method, f"{nginx}/{path}", timeout=5)
        assert found.status_code == status, (method, path)
