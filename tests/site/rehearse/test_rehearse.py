"""Bundles rehearsed on real engines: one that is fit, and those that would have failed at the site."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler import __version__
from bundler.digest import Digest
from bundler.errors import MachineError, UsageError
from bundler.pack.plan import inline
from bundler.serving import lmstudio
from bundler.serving.lmstudio import LmStudioPlan, ModelFile
from bundler.site.parts.keys import engine_key
from bundler.site.place import Place
from bundler.site.rehearse.play import EXPECTED
from bundler.site.tokens.store import TokenStore
from tests.counterparts.outside import outside
from tests.pack.plans import built_in, plan_of
from tests.site.rehearse.stage import Stage, rows, text


def test_a_bundle_that_is_fit(each: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets: list[str] = []

    def seen(place: Place) -> str:
        secrets.extend((engine_key(place), *(token.secret for token in TokenStore(place.root).read())))
        return secrets[0]

    monkeypatch.setattr("bundler.site.rehearse.play.engine_key", seen)
    with outside() as place:
        done = each.rehearse(outside=(place,))
    assert len(secrets) == 2
    assert not any(secret in text(done) for secret in secrets)
    found = rows(done)
    assert list(found) == list(EXPECTED)
    assert {name for name, check in found.items() if check.state == "skipped"} == {"embeddings"}
    assert {name: check.found for name, check in found.items() if check.state == "failed"} == {}
    assert done.ok
    label = f"{place[0]}:{place[1]}"
    assert f"{label}: " in found["no way out"].found
    assert "the name huggingface.co: [Errno" in found["no way out"].found
    assert "24 pieces" in found["stream"].found
    assert found["stream"].seconds > 24 * 0.15
    document = done.document()
    assert (document["bundle"], document["tool"], document["signature"]) == ("tiny-1.0", __version__, "absent")
    assert len(document["manifest_sha256"]) == 64
    assert document["engine"]["kind"] == each.kind
    assert document["settings"] == {"gpus": "none", "start_period": 120, "engine_args": [], "outside": [label]}
    assert document["date"].endswith("Z")
    assert str(each.bundle.parent) not in text(done)


def test_an_engine_that_falls_at_start(podman: Stage) -> None:
    done = podman.rehearse("--fault=crash")
    found = rows(done)
    assert (done.ok, done.ending, found["engine"].state) == (False, "refused", "failed")
    assert "CUDA out of memory, on purpose" in found["engine"].found
    assert done.settings["engine_args"] == ["--fault=crash"]
    assert {found[name].found for name in list(EXPECTED)[3:]} == {"the engine did not come up"}


def test_an_engine_that_would_fetch_what_the_bundle_lacks(docker: Stage) -> None:
    done = docker.rehearse("--fault=fetch")
    assert done.ending == "refused"
    assert "Temporary failure in name resolution" in rows(done)["engine"].found


def test_without_a_proxy_the_engine_is_asked_itself(docker: Stage) -> None:
    done = docker.rehearse(bundle=docker.bare)
    found = rows(done)
    skipped = {name for name, check in found.items() if check.state == "skipped"}
    assert skipped >= {"proxy", "no token", "other paths", "tool call", "embeddings"}
    assert "no image of a proxy" in found["proxy"].found
    assert "no tool-call parser" in found["tool call"].found
    assert found["chat completion"].state == found["stream"].state == "passed"


def test_a_damaged_bundle_is_not_started(docker: Stage, tmp_path: Path) -> None:
    bad = tmp_path / "bad.tar"
    data = bytearray(docker.bundle.read_bytes())
    data[-5000] ^= 1
    bad.write_bytes(data)
    done = docker.rehearse(bundle=bad)
    assert (done.ok, done.ending) == (False, "damaged")
    assert rows(done)["bundle"].state == "failed"
    assert {check.found for check in done.checks[1:]} == {"the bundle is not good"}
    assert list(tmp_path.iterdir()) == [bad]


def test_what_is_no_bundle(docker: Stage, tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"x" * 9999)
    done = docker.rehearse(bundle=tmp_path / "x.tar")
    assert (done.ending, done.bundle, done.manifest) == ("damaged", None, None)
    with pytest.raises(MachineError, match="there is no such file"):
        docker.rehearse(bundle=tmp_path / "y.tar")


def test_lm_studio_is_in_no_bundle(docker: Stage, tmp_path: Path) -> None:
    file = ModelFile("models/org/tiny/m.gguf", 1, Digest.of(b"x"))
    plan = LmStudioPlan("tiny", "org/tiny", "m.gguf", (file,), 4096)
    member = inline(lmstudio.PATH, plan.encode(), "config")
    bundle = built_in(tmp_path, plan_of([inline("README.md", b"x", "readme"), member])).bundle
    with pytest.raises(UsageError, match="LM Studio is not in the bundle"):
        docker.rehearse(bundle=bundle)
    assert not list(tmp_path.glob(".llm-bundle-*"))
