"""``python -m bench.release BUNDLE ROOT [SOCKET]``: what ``install`` does with a bundle before anything is started.

Without SOCKET, that of a Docker daemon, the images are left in the release.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bundler.site.engines.docker import Docker
from bundler.site.engines.stored import read_image
from bundler.site.holding import holding
from bundler.site.medium import find
from bundler.site.place import Place
from bundler.site.releases.add import add_release


def main(bundle: Path, root: Path, socket: Path | None = None) -> None:
    """Add the bundle to the installation at ``root``, load its images, and print the release's folder."""
    place = Place(root)
    with holding(place, "bench"), find([bundle]) as medium:
        added = add_release(place, medium)
    if added.release is None or added.report.manifest is None:
        sys.exit("the bundle is damaged")
    folder = place.release(added.release.id)
    for image in added.report.manifest.images if socket else ():
        Docker(socket).load(read_image(folder / "images", image.name, image.digest))
    print(folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
