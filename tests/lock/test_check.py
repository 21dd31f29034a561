"""A lock belongs to one bundle.yml, and holds what that one asks for, however the lock came about."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.content.render import with_rendered
from bundler.digest import Digest
from bundler.errors import LockError
from bundler.lock.check import require_match
from bundler.lock.file import read_lock, write_lock
from bundler.lock.model import Lock, LockedFile
from bundler.pack.locking import Made, lock_path, locked_plan, make_lock
from bundler.sources.kinds import Sources
from bundler.spec.model import Spec
from bundler.spec.parse import read_spec
from examples.tiny.inputs import make_inputs

TINY = Path(__file__).parent.parent.parent / "examples" / "tiny" / "bundle.yml"


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    """The tiny example, with its inputs."""
    make_inputs(tmp_path / "inputs")
    (tmp_path / "bundle.yml").write_text(TINY.read_text())
    return read_spec(tmp_path / "bundle.yml")


def made(spec: Spec, *, update: bool = False) -> Made:
    return make_lock(spec, spec.base / "bundle.lock", Sources({}, spec.base), update=update)


def test_a_lock_matches_what_it_was_made_from(spec: Spec) -> None:
    lock = made(spec).lock
    assert require_match(lock, spec) == lock
    assert read_lock(spec.base / "bundle.lock") == lock


def test_a_key_that_says_nothing_may_be_missing(spec: Spec) -> None:
    """As in a lock of an earlier version, before the key was known."""
    bare = replace(spec, stack=None, connectors=())
    lock = made(bare).lock
    older = replace(lock, request={key: value for key, value in lock.request.items() if key != "stack"})
    write_lock(spec.base / "bundle.lock", older)
    found, plan = locked_plan(bare, spec.base / "bundle.lock")
    assert found == lock
    assert plan.fetch_bytes > 0


def test_each_part_that_differs_is_named(spec: Spec) -> None:
    other = replace(spec, version="1.0.1", serve=replace(spec.serve, gpus=4, args=()))
    with pytest.raises(LockError) as caught:
        require_match(made(spec).lock, other, where="a.lock")
    assert caught.value.message.startswith(
        'a.lock: does not match bundle.yml: version: "1.0.0" in the lock, "1.0.1" in bundle.yml; '
        "serve.gpus: 1 in the lock, 4 in bundle.yml; serve.args[0]: "
    )
    assert caught.value.message.endswith("in the lock, nothing in bundle.yml")
    assert "lock --update" in caught.value.hint


def test_not_all_of_many_differences_are_told(spec: Spec) -> None:
    args = tuple(str(number) for number in range(40))
    with pytest.raises(LockError, match=r"; and \d+ more$"):
        require_match(made(spec).lock, replace(spec, serve=replace(spec.serve, args=args)))


def _without_image(lock: Lock) -> Lock:
    return replace(lock, images=lock.images[:1])


def _other_role(lock: Lock) -> Lock:
    return replace(lock, images=(replace(lock.images[0], role="x"), lock.images[1]))


def _without_model(lock: Lock) -> Lock:
    return replace(lock, models=())


def _other_model(lock: Lock) -> Lock:
    return replace(lock, models=(replace(lock.models[0], id="example/Other"),))


def _one_more_file(lock: Lock) -> Lock:
    return replace(lock, extras=(LockedFile("extra/a", 1, Digest.of(b"a")),))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (_without_image, "images"),
        (_other_role, "images"),
        (_without_model, "models"),
        (_other_model, "models"),
        (_one_more_file, "extras"),
    ],
)
def test_a_lock_that_does_not_hold_its_request_is_refused(
    spec: Spec, change: Callable[[Lock], Lock], part: str
) -> None:
    """With a right checksum: these are not what a slip of an editor makes."""
    write_lock(spec.base / "bundle.lock", change(made(spec).lock))
    with pytest.raises(LockError, match=rf"bundle\.lock: {part}: is not what it says was requested") as caught:
        locked_plan(spec, spec.base / "bundle.lock")
    assert "lock --update" in caught.value.hint
    with pytest.raises(LockError, match=part):
        made(spec)
    assert made(spec, update=True).changed


def test_a_file_that_is_there_twice_is_refused(spec: Spec) -> None:
    lock = made(spec).lock
    model = lock.models[0]
    twice = with_rendered(replace(lock, models=(replace(model, files=model.files * 2),)))
    write_lock(spec.base / "bundle.lock", twice)
    with pytest.raises(LockError, match="LICENSE is there twice"):
        locked_plan(spec, spec.base / "bundle.lock")


def test_a_broken_lock_is_replaced_only_when_told(spec: Spec) -> None:
    path = spec.base / "bundle.lock"
    first = made(spec).lock
    path.write_text(path.read_text().replace("amd64", "arm64"))
    broken = path.read_bytes()
    with pytest.raises(LockError, match="edited by hand"):
        made(spec)
    assert path.read_bytes() == broken
    assert replace(made(spec, update=True).lock, created=first.created) == first


def test_what_cannot_be_built_is_not_locked(spec: Spec) -> None:
    """A connector that this stack cannot have: found out before anything is written."""
    with pytest.raises(Exception, match="connectors"):
        made(replace(spec, stack="8.0.0"))
    assert not (spec.base / "bundle.lock").exists()


@pytest.mark.parametrize(
    ("name", "lock"), [("bundle.yml", "bundle.lock"), ("a/site.yaml", "a/site.lock"), ("x", "x.lock")]
)
def test_the_lock_lies_beside_bundle_yml(name: str, lock: str) -> None:
    assert lock_path(Path(name)) == Path(lock)


def test_the_lock_says_nothing_of_this_machine(spec: Spec) -> None:
    made(spec)
    text = (spec.base / "bundle.lock").read_text()
    assert str(spec.base) not in text
    assert json.loads(text)["request"]["models"][0]["folder"] == "inputs/model"
