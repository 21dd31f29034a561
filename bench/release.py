"""``python -m bench.release BUNDLE ROOT``: what ``install`` does with a bundle before any engine comes in."""

from __future__ import annotations

import sys
from pathlib import Path

from bundler.site.holding import holding
from bundler.site.medium import find
from bundler.site.place import Place
from bundler.site.releases.add import add_release


def main(bundle: Path, root: Path) -> None:
    """Add the bundle to the installation at ``root``, and print the release's folder."""
    place = Place(root)
    with holding(place, "bench"), find([bundle]) as medium:
        release = add_release(place, medium).release
    if release is None:
        sys.exit("the bundle is damaged")
    print(place.release(release.id))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
