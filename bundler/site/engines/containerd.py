"""containerd's images, by ``ctr``. It has no networks, restarts or health checks of its own: it stores, no more."""

from __future__ import annotations

import re
from typing import Final

from bundler.progress import SILENT, Progress
from bundler.site.engines import archive
from bundler.site.engines.interface import EngineInfo
from bundler.site.engines.ownership import other_image
from bundler.site.engines.process import Program
from bundler.site.engines.stored import StoredImage
from bundler.site.engines.words import clean

_LOADING: Final = 3600
_SERVER: Final = re.compile(r"Server:\s+Version:\s+(\S+)")
_DIGEST: Final = re.compile("sha256:[0-9a-f]{64}")


class Containerd:
    """The images of a ``namespace``: Kubernetes looks into ``k8s.io``. ``command`` is the program and its options."""

    def __init__(self, namespace: str = "default", command: tuple[str, ...] = ("ctr",)) -> None:
        self._program = Program("containerd", (*command, f"--namespace={namespace}"))

    def info(self) -> EngineInfo:
        """See ``Images.info``; containerd tells nothing of its folder and storage."""
        text = self._program.run(["version"], "asking for its version").decode("utf-8", "replace")
        found = _SERVER.search(text)
        return EngineInfo("containerd", clean(found[1]) if found else "", "", "", rootless=False, architecture="")

    def load(self, image: StoredImage, progress: Progress = SILENT) -> str:
        """See ``Images.load``: streamed, so that containerd's own copy is the only one."""
        doing = f"loading {image.name}"
        progress.begin(doing, image.size + image.manifest.size)
        try:
            body = archive.stream(image, progress)
            self._program.run(["images", "import", "-"], doing, seconds=_LOADING, body=body)
        finally:
            progress.end()
        found = self._digest(image.tag)
        if found != str(image.digest):
            raise other_image("containerd", image, found)
        return found

    def has(self, image: StoredImage) -> bool:
        """See ``Images.has``."""
        return self._digest(image.tag) == str(image.digest)

    def remove_image(self, tag: str) -> bool:
        """See ``Images.remove_image``."""
        if self._digest(tag) is None:
            return False
        self._program.run(["images", "rm", tag], f"removing {tag}")
        return True

    def _digest(self, tag: str) -> str | None:
        """The digest of the manifest that our tag leads to."""
        listed = self._program.run(["images", "ls", f"name=={tag}"], f"looking for {tag}")
        for line in listed.decode("utf-8", "replace").splitlines()[1:]:
            if line.split()[:1] == [tag] and (found := _DIGEST.search(line)):
                return found[0]
        return None
