"""Elastic's artefacts all the way into a bundle: a server like Elastic's sites, a real lock, build and verification."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.cli.wording import lock_lines, plan_json, plan_lines
from bundler.errors import BundleError, IntegrityError, LockError, SourceError
from bundler.lock.file import read_lock, write_lock
from bundler.lock.model import Lock
from bundler.pack.locking import locked_plan
from bundler.pack.outlook import outlook
from bundler.spec import elastic_sites
from tests.counterparts.elastic_sites import ElasticSites, package_zip, straight, zip_of
from tests.counterparts.faulty import Fault, FaultyServer, Route
from tests.end_to_end.elastic_stage import AGENT, ALL, ELSER, FILEBEAT, built, filled, locked, spec_in
from tests.sources.reading import Heard

STORE = f"/store/{AGENT}"
ONLY_AGENT = " {agent: true}"


@pytest.fixture
def sites() -> Iterator[ElasticSites]:
    with FaultyServer() as server:
        yield filled(server)


@pytest.fixture
def nowhere_else(sites: ElasticSites, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elastic's addresses themselves are those of the server: what fails there is not tried elsewhere."""
    found = straight(sites.server)
    monkeypatch.setattr(elastic_sites, "sites", lambda: found)


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


def test_locking_again_finds_the_same(tmp_path: Path, sites: ElasticSites) -> None:
    spec = spec_in(tmp_path, sites)
    locked(spec)
    assert locked(spec).changed is False
    sites.add_package("nginx", "1.22.0", (9, 0))
    assert "elastic/packages/nginx-1.22.0.zip" in {file.path for file in locked(spec).lock.elastic}


def test_what_is_locked_and_planned_is_shown(tmp_path: Path, sites: ElasticSites) -> None:
    spec = spec_in(tmp_path, sites)
    made = locked(spec)
    lock, plan = locked_plan(spec, tmp_path / "bundle.lock")
    ahead = outlook(lock, plan)
    for lines in (lock_lines(made, tmp_path / "bundle.yml"), plan_lines(lock, plan, ahead, str)):
        assert sum("from Elastic" in line for line in lines) == 7
        assert any(f"elastic/downloads/{AGENT} " in line for line in lines)
    listed = [row["path"] for row in plan_json(lock, plan, ahead, str)["files"]]
    assert listed == [file.path for file in lock.elastic]


def test_a_cut_line_is_continued_while_locking(tmp_path: Path, sites: ElasticSites) -> None:
    route = sites.server.routes[STORE]
    assert isinstance(route, Route)
    route.first = [Fault(), Fault(cut=100_000)]  # the first is asked for its size
    heard = Heard()
    spec = spec_in(tmp_path, sites, ONLY_AGENT)
    locked(spec, heard)
    assert any("the connection was cut" in text and "trying again" in text for text in heard.said)
    assert [seen.headers["Range"] for seen in sites.server.requests if seen.path == STORE][-1] == "bytes=100000-"
    built(spec)


def test_a_server_without_ranges_is_read_from_the_start(tmp_path: Path, sites: ElasticSites) -> None:
    route = sites.server.routes[STORE]
    assert isinstance(route, Route)
    route.always = Fault(ranges=False)
    route.first = [Fault(ranges=False), Fault(ranges=False, cut=100_000)]
    spec = spec_in(tmp_path, sites, ONLY_AGENT)
    assert locked(spec).lock.elastic[0].size == len(route.body)


def _flip(sites: ElasticSites) -> None:
    sites.server.routes[STORE] = Route(sites.bodies[f"downloads/{AGENT}"], always=Fault(flip=77))


def _other_sums(sites: ElasticSites) -> None:
    path = f"/artifacts/downloads/{AGENT}.sha512"
    sites.server.routes[path] = Route(f"{'0' * 128}  {AGENT.rpartition('/')[2]}\n".encode())


def _sums_of_another(sites: ElasticSites) -> None:
    path = f"/artifacts/downloads/{AGENT}.sha512"
    sites.server.routes[path] = Route(f"{'0' * 128}  elastic-agent-9.1.0-linux-x86_64.tar.gz\n".encode())


def _promise(sites: ElasticSites) -> None:
    """The registry names a version that it does not have."""
    sites.packages["nginx"] = {"1.9.9": (8, 0)}


def _gone(path: str) -> Callable[[ElasticSites], None]:
    def change(sites: ElasticSites) -> None:
        del sites.server.routes[path]

    return change


def _serve(path: str, body: bytes) -> Callable[[ElasticSites], None]:
    def change(sites: ElasticSites) -> None:
        sites.server.routes[path] = Route(body)

    return change


LOGIN = b"<!DOCTYPE html><title>Sign in</title>" + b" " * 600
DOC = "/knowledge/kb-product-doc-kibana-9.2.zip"
SEARCH = "/registry/search"
NGINX = "/registry/epr/nginx/nginx-1.21.0.zip"


@pytest.mark.usefixtures("nowhere_else")
@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (_flip, IntegrityError, f"/store/{AGENT}|{AGENT}.*: expected sha512:"),
        (_other_sums, IntegrityError, r"expected sha512:0000000000000000… as elastic-agent-9\.2\.0.*sha512 says"),
        (_sums_of_another, SourceError, "expected the SHA-512 of elastic-agent-9.2.0-linux"),
        (_gone(f"/artifacts/downloads/{AGENT}.sha512"), SourceError, r"\.sha512: .*404.*\(Elastic Agent 9\.2\.0\)"),
        (_gone(f"/artifacts/downloads/{AGENT}.asc"), SourceError, r"\.asc: .*404"),
        (_gone(f"/artifacts/downloads/{AGENT}"), SourceError, r"tar\.gz: .*404"),
        (_serve(f"/artifacts/downloads/{AGENT}.asc", LOGIN), SourceError, "expected a PGP signature, found b'<!DOC"),
        (_serve(f"/artifacts/downloads/{AGENT}.sha512", LOGIN), SourceError, "expected the SHA-512 of elastic-agent"),
        (_serve(DOC, LOGIN), SourceError, "expected a zip, found something that begins with b'<!DOC"),
        (_serve(DOC, b""), SourceError, "expected a zip"),
        (_gone(NGINX + ".sig"), SourceError, r"\(package nginx 1\.21\.0\)"),
        (_serve(NGINX, package_zip("nginx", "1.20.0")), SourceError, "expected the package nginx-1.21.0, found a zip"),
        (_serve(NGINX, zip_of({"x": b""})), SourceError, "that begins with 'x'"),
        (_serve(SEARCH, b"[]"), SourceError, r"no package nginx for Kibana 9\.2\.0"),
        (_serve(SEARCH, LOGIN), SourceError, "not JSON"),
        (_serve(SEARCH, b'{"a": 1}'), SourceError, "expected a list, found dict"),
        (_serve(SEARCH, b"[1]"), SourceError, "expected an object"),
        (_serve(SEARCH, b'[{"name": "apache", "version": "1.0.0"}]'), SourceError, "answered with 'apache'"),
        (_serve(SEARCH, b'[{"name": "nginx", "version": "../../x"}]'), SourceError, "the version of a package"),
        (_promise, SourceError, r"nginx-1\.9\.9\.zip.*404.*package nginx 1\.9\.9"),
        (_serve(f"/models/{ELSER}.metadata.json", LOGIN), SourceError, "not JSON"),
        (_serve(f"/models/{ELSER}.metadata.json", b'{"size": 1, "sha256": "no"}'), SourceError, "a SHA-256 digest"),
        (_serve(f"/models/{ELSER}.vocab.json", LOGIN), SourceError, "not JSON"),
        (_serve(f"/models/{ELSER}.pt", b"short"), IntegrityError, r"expected 200,000 bytes .* its source has 5"),
    ],
)
def test_what_is_not_what_it_should_be_is_not_locked(
    tmp_path: Path, sites: ElasticSites, change: Callable[[ElasticSites], None], error: type[BundleError], words: str
) -> None:
    change(sites)
    with pytest.raises(BundleError, match=words) as caught:
        locked(spec_in(tmp_path, sites))
    assert type(caught.value) is error
    assert caught.value.hint
    assert not (tmp_path / "bundle.lock").exists()


@pytest.mark.usefixtures("nowhere_else")
def test_what_to_do_is_said(tmp_path: Path, sites: ElasticSites) -> None:
    _serve(DOC, LOGIN)(sites)
    with pytest.raises(SourceError) as caught:
        locked(spec_in(tmp_path, sites))
    assert "login page" in caught.value.hint
    assert f"registries: {{{sites.server.host}: {{mirrors: [HOST/PREFIX]}}}}" in caught.value.hint


@pytest.mark.usefixtures("nowhere_else")
@pytest.mark.parametrize(
    ("packages", "words"),
    [
        ("[{name: nginx, version: 2.0.0}]", r"no nginx 2\.0\.0 for Kibana 9\.2\.0; it has 1\.20\.0, 1\.21\.0"),
        ("[{name: nginx, version: 1.19.0}]", r"no nginx 1\.19\.0"),
        ("[ngnix]", "no package ngnix for Kibana"),
    ],
)
def test_a_version_that_the_registry_lacks(tmp_path: Path, sites: ElasticSites, packages: str, words: str) -> None:
    """2.0.0 is there, for Kibana 9.3."""
    with pytest.raises(SourceError, match=words):
        locked(spec_in(tmp_path, sites, f" {{packages: {packages}}}"))


@pytest.mark.parametrize("path", [STORE, NGINX, DOC, f"/models/{ELSER}.pt"])
def test_one_wrong_byte_is_found_by_the_build(tmp_path: Path, sites: ElasticSites, path: str) -> None:
    spec = spec_in(tmp_path, sites)
    locked(spec)
    route = sites.server.routes[path]
    assert isinstance(route, Route)
    route.always = Fault(flip=60)
    with pytest.raises(IntegrityError, match=r"elastic/.*: expected sha256:"):
        built(spec)
    assert not (tmp_path / "tiny-1.0.0.tar").exists()


def _none(lock: Lock) -> Lock:
    return replace(lock, elastic=())


def _less(lock: Lock) -> Lock:
    return replace(lock, elastic=lock.elastic[:-1])


def _other_version(lock: Lock) -> Lock:
    files = (replace(file, path=file.path.replace("system-1.20.0", "system-1.21.0")) for file in lock.elastic)
    return replace(lock, elastic=tuple(files))


def _strange_version(lock: Lock) -> Lock:
    files = (replace(file, path=file.path.replace("nginx-1.21.0", "nginx-1.2.3?x=y#z")) for file in lock.elastic)
    return replace(lock, elastic=tuple(files))


@pytest.mark.parametrize("change", [_none, _less, _other_version, _strange_version])
def test_a_lock_without_them_is_refused(tmp_path: Path, sites: ElasticSites, change: Callable[[Lock], Lock]) -> None:
    spec = spec_in(tmp_path, sites)
    write_lock(tmp_path / "bundle.lock", change(locked(spec).lock))
    with pytest.raises(LockError, match="elastic: is not what it says was requested"):
        locked_plan(spec, tmp_path / "bundle.lock")


def test_a_lock_from_before_this_key_is_read(tmp_path: Path, sites: ElasticSites) -> None:
    spec = replace(spec_in(tmp_path, sites), elastic=None)
    lock = locked(spec).lock
    assert (lock.elastic, lock.request["elastic"]) == ((), None)
    older = replace(lock, request={key: value for key, value in lock.request.items() if key != "elastic"})
    write_lock(tmp_path / "bundle.lock", older)
    assert json.loads((tmp_path / "bundle.lock").read_bytes())["elastic"] == []
    assert locked_plan(spec, tmp_path / "bundle.lock")[0] == lock
    with pytest.raises(LockError, match=r"elastic: nothing in the lock, a mapping in bundle\.yml"):
        locked_plan(spec_in(tmp_path, sites, ALL), tmp_path / "bundle.lock")
