"""``current``: changed from one moment to the next, and never a way out of the releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.errors import MachineError
from bundler.site.place import Place
from bundler.site.releases.link import linked, remove_link, switch_link
from tests.site.releases.stage import listing

ONE, TWO = "demo-1.0-0123456789ab", "demo-1.1-0123456789ab"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path / "site")
    for name in (ONE, TWO):
        place.release(name).mkdir(parents=True)
    return place


def test_from_nothing_to_one_to_the_other_to_nothing(place: Place) -> None:
    assert linked(place) is None
    for name in (ONE, TWO, TWO):
        switch_link(place, name)
        assert linked(place) == name
        assert place.current.resolve() == place.release(name)
    assert str(place.current.readlink()) == f"releases/{TWO}"  # holds when the root is mounted elsewhere
    remove_link(place)
    remove_link(place)
    assert listing(place.root) == ["releases"]


def test_what_a_killed_switch_left_is_no_hindrance(place: Place) -> None:
    (place.root / ".current.new").symlink_to("/nowhere")
    switch_link(place, ONE)
    assert linked(place) == ONE
    assert listing(place.root) == ["current", "releases"]


@pytest.mark.parametrize("name", ["..", "../..", "demo", ""])
def test_no_release(place: Place, name: str) -> None:
    with pytest.raises(MachineError, match="is not the name of a release"):
        switch_link(place, name)


def test_a_release_that_is_not_there(place: Place) -> None:
    switch_link(place, ONE)
    with pytest.raises(MachineError, match="is not there"):
        switch_link(place, "demo-1.2-0123456789ab")
    assert linked(place) == ONE


def test_something_else_of_that_name_is_left_alone(place: Place) -> None:
    place.current.mkdir()
    with pytest.raises(MachineError, match="current: cannot replace"):
        switch_link(place, ONE)
    with pytest.raises(MachineError, match="expected a link, found something else"):
        remove_link(place)
    assert linked(place) is None
    assert place.current.is_dir()


@pytest.mark.parametrize("target", ["/etc", "releases/../..", f"elsewhere/{ONE}", "releases/.hidden"])
def test_a_link_that_is_not_ours_means_no_release(place: Place, target: str) -> None:
    place.current.symlink_to(target)
    assert linked(place) is None
