"""Images as files for the tests: layouts packed into tars, and archives as Docker's versions write them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.counterparts.images import Image
from tests.counterparts.need import need
from tests.sources.tars import END, entry


def run(*command: str | Path) -> None:
    """Run a counterpart; its first word must be a path of ``need``."""
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def skopeo(source: str, target: str) -> None:
    """Copy an image with the real skopeo, whatever the machine's policy says."""
    run(need("skopeo", "skopeo"), "copy", "--insecure-policy", "--quiet", source, target)


def pack(folder: Path, target: Path) -> Path:
    """A plain tar of what ``folder`` holds; returns ``target``."""
    run(need("tar", "tar"), "-C", folder, "-cf", target, ".")
    return target


def image_parts(image: Image) -> tuple[tuple[str, bytes], list[tuple[str, bytes]]]:
    """The config and the layers of ``image``: hexadecimal digest and content of each."""
    manifest = json.loads(image.manifest)

    def part(descriptor: Mapping[str, Any]) -> tuple[str, bytes]:
        return descriptor["digest"].partition(":")[2], image.blobs[descriptor["digest"]]

    return part(manifest["config"]), [part(layer) for layer in manifest["layers"]]


def blob_form(image: Image, *tags: str) -> tuple[bytes, dict[str, Any]]:
    """Entries and the manifest.json item of ``image`` as Docker 25 and newer write them."""
    config, layers = image_parts(image)
    blobs = dict([config, *layers])
    data = b"".join(entry(f"blobs/sha256/{name}", content) for name, content in blobs.items())
    names = [f"blobs/sha256/{name}" for name, _ in layers]
    return data, {"Config": f"blobs/sha256/{config[0]}", "RepoTags": list(tags), "Layers": names}


def folder_form(image: Image, *tags: str) -> tuple[bytes, dict[str, Any]]:
    """As Docker up to 24 writes them: a folder for each layer, a repeated layer as a link to the first."""
    config, layers = image_parts(image)
    data = entry(f"{config[0]}.json", config[1])
    first: dict[str, str] = {}
    names = []
    for at, (digest, content) in enumerate(layers):
        names.append(f"{at:064x}/layer.tar")
        link = first.get(digest)
        data += entry(f"{at:064x}/", kind=b"5") + entry(f"{at:064x}/VERSION", b"1.0")
        data += entry(names[-1], kind=b"2", target=f"../{link}") if link else entry(names[-1], content)
        first.setdefault(digest, names[-1])
    return data, {"Config": f"{config[0]}.json", "RepoTags": list(tags) or None, "Layers": names}


def write_archive(path: Path, data: bytes, items: Sequence[object]) -> Path:
    """An archive of ``data`` with a manifest.json of ``items``; returns ``path``."""
    path.write_bytes(data + entry("manifest.json", json.dumps(items).encode()) + END)
    return path
