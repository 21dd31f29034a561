"""A way out is found where there is one: the probe runs on a network that has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.errors import EngineError, MachineError
from bundler.site.engines.stored import tag_of
from bundler.site.rehearse import outside as looking
from bundler.site.rehearse.names import networks, new_digits, probe_name
from bundler.site.rehearse.outside import Target, probe, require_no_way_out, targets
from tests.counterparts.engine_image import engine_image
from tests.counterparts.outside import outside
from tests.site.parts.stage import ENGINE_IMAGE
from tests.site.rehearse.stage import Stage


@contextmanager
def network(stage: Stage, *, internal: bool) -> Iterator[tuple[str, str]]:
    """Name and owner of a network."""
    digits = new_digits()
    name = networks(digits)[1]
    stage.engine.create_network(name, digits, internal=internal)
    try:
        yield name, digits
    finally:
        stage.engine.remove_network(name)


@pytest.mark.parametrize("kind", ["docker", "podman"])
def test_a_way_out_is_found(kind: str, request: pytest.FixtureRequest) -> None:
    stage: Stage = request.getfixturevalue(kind)
    image = tag_of(ENGINE_IMAGE, Digest.parse(engine_image().digest))
    with outside() as (address, port), network(stage, internal=False) as (name, owner):
        spec = probe(probe_name(owner), image, owner, name, "65532:65532")
        with pytest.raises(EngineError, match=f"has a way out: .*{address}:{port} was reached"):
            require_no_way_out(stage.engine, spec, targets(((address, port),)))


def test_an_image_that_cannot_look_says_so(docker: Stage) -> None:
    image = tag_of(ENGINE_IMAGE, Digest.parse(engine_image().digest))
    with network(docker, internal=True) as (name, owner):
        spec = probe(probe_name(owner), image, owner, name, "65532:65532")
        for entrypoint in (("python3", "-c", "print('[]')"), ("python3", "-c", "raise SystemExit('odd')")):
            with pytest.raises(EngineError, match="the container that looks for a way out said"):
                require_no_way_out(docker.engine, replace(spec, entrypoint=entrypoint), ())


def test_what_is_tried_where_nothing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name servers that this host reaches, but no listener of its own."""
    with outside() as (address, port):
        monkeypatch.setattr(looking, "_DNS", port)
        monkeypatch.setattr(looking, "NAME", "nowhere.invalid")
        resolvers = tmp_path / "resolv.conf"
        resolvers.write_text(f"search x\nnameserver 127.0.0.53\nnameserver {address}\nnameserver nonsense\n")
        assert targets((), resolvers) == (Target("a name server", address, port),)
    assert targets((), tmp_path / "none") == ()


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_this_host_is_not_outside(address: str) -> None:
    with pytest.raises(MachineError, match="an address of this host itself"):
        targets(((address, 22),))


def test_what_this_host_does_not_reach_proves_nothing() -> None:
    with outside() as (address, port), pytest.raises(MachineError, match="this host does not reach it"):
        targets(((address, port), (address, 1)))
