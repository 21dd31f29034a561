"""Which image of an index fits."""

from __future__ import annotations

import pytest

from bundler.digest import Digest
from bundler.errors import SpecError
from bundler.sources import media
from bundler.sources.image import Descriptor, Index
from bundler.sources.platforms import choose, fits
from bundler.spec.model import Platform


def platform(written: str) -> Platform:
    return Platform(*written.split("/"))


def entry(number: int, written: str | None, *, attached: bool = False, kind: str = media.MANIFEST) -> Descriptor:
    return Descriptor(kind, Digest(f"{number:064x}"), 1, platform(written) if written else None, attached)


def chosen(wanted: str, *written: str) -> str:
    index = Index(tuple(entry(number, one) for number, one in enumerate(written)))
    return str(choose(index, platform(wanted)).platform)


@pytest.mark.parametrize(
    ("wanted", "there", "expected"),
    [
        ("linux/amd64", ["linux/arm64", "linux/amd64"], "linux/amd64"),
        ("linux/arm64", ["linux/amd64", "linux/arm64/v8"], "linux/arm64/v8"),
        ("linux/arm64/v8", ["linux/amd64", "linux/arm64"], "linux/arm64"),
        ("linux/arm64", ["linux/aarch64"], "linux/aarch64"),
        ("linux/amd64", ["windows/amd64", "linux/x86_64"], "linux/x86_64"),
        ("linux/arm", ["linux/arm/v5", "linux/arm/v6", "linux/arm/v7"], "linux/arm/v7"),
        ("linux/arm/v6", ["linux/arm/v7", "linux/arm/v6", "linux/arm/v5"], "linux/arm/v6"),
        ("linux/amd64/v3", ["linux/amd64/v4", "linux/amd64", "linux/amd64/v2"], "linux/amd64/v2"),
        ("linux/amd64", ["linux/amd64/v3", "linux/amd64"], "linux/amd64"),
    ],
)
def test_chooses(wanted: str, there: list[str], expected: str) -> None:
    assert chosen(wanted, *there) == expected


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ("linux/s390x", ["linux/amd64", "linux/arm64/v8"]),
        ("linux/amd64", ["linux/amd64/v3"]),
        ("linux/arm/v6", ["linux/arm/v7"]),
        ("linux/amd64", ["windows/amd64"]),
    ],
)
def test_a_platform_that_the_image_lacks_lists_those_it_has(wanted: str, there: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        chosen(wanted, *there)
    assert caught.value.message == f"the image: there is no image for {wanted}; it has {', '.join(there)}"
    assert "platform" in caught.value.hint


def test_attestations_are_neither_chosen_nor_listed() -> None:
    index = Index((entry(1, "unknown/unknown", attached=True), entry(2, "linux/amd64", attached=True)))
    with pytest.raises(SpecError, match="it names none"):
        choose(index, platform("linux/amd64"))


def test_the_first_of_two_for_one_platform_counts() -> None:
    index = Index((entry(1, "linux/amd64"), entry(2, "linux/amd64")))
    assert choose(index, platform("linux/amd64")).digest == Digest(f"{1:064x}")


def test_a_single_entry_without_a_platform_is_taken() -> None:
    assert choose(Index((entry(1, None),)), platform("linux/amd64")).platform is None
    with pytest.raises(SpecError):
        choose(Index((entry(1, None), entry(2, None))), platform("linux/amd64"))
    with pytest.raises(SpecError):
        choose(Index((entry(1, None, kind="application/zip"),)), platform("linux/amd64"))


def test_fits_reads_variants() -> None:
    assert fits(platform("linux/arm64"), platform("linux/arm64/v9"))
    assert not fits(platform("linux/arm64/v9"), platform("linux/arm64"))
    assert fits(platform("linux/ppc64le/power9"), platform("linux/ppc64le/power9"))
    assert not fits(platform("linux/ppc64le"), platform("linux/ppc64le/power9"))
