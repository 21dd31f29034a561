"""An engine's own words, made fit for one line of an error: bounded, without control characters."""

from __future__ import annotations

import re
from typing import Final

from bundler.errors import EngineError

_MOST: Final = 600
_UNSEEN: Final = re.compile("\x1b\\[[0-9;]*[A-Za-z]|[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")

_HINTS: Final = (
    ("no space left", "Free space where the engine keeps its images, and run the same command again."),
    ("port is already allocated", "Another program has that port: stop it, or choose another port."),
    ("address already in use", "Another program has that port: stop it, or choose another port."),
    ("cannot assign requested address", "No interface of this host has that address: choose another with --address."),
    ("could not select device driver", "Install the NVIDIA container toolkit, and restart the engine."),
    ("unresolvable cdi devices", "Make the CDI description: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"),
    ("permission denied", "Run as root, or as a user whom the engine lets in."),
    ("error setting rlimit", "This user may not raise that limit: raise it for the engine's service first."),
    ("pool overlaps", "Choose another subnet for the private network."),
    ("invalid diffid", "The image is damaged on this machine: verify the release, and unpack the bundle again."),
)
_MORE: Final = {
    "Docker": "Its log may say more: journalctl -u docker",
    "Podman": "Podman says more when the same is done by hand with --log-level=debug.",
}


def clean(words: bytes | str) -> str:
    """``words`` on one line, at most 600 characters, the last ones where there are more."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    line = " ".join(_UNSEEN.sub(" ", text).split())
    return line if len(line) <= _MOST else "… " + line[-_MOST:]


def _verdict(words: bytes | str) -> bytes | str:
    """The last line that starts with ``Error:`` and what follows; warnings of the programs below stand before it."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return ("\n" + text).rpartition("\nError: ")[2]


def refused(engine: str, doing: str, words: bytes | str, *, hint: str = "") -> EngineError:
    """The error that ``engine``, while ``doing``, said ``words``."""
    said = clean(_verdict(words)) or "it gave no reason"
    lowered = said.lower()
    known = next((advice for sign, advice in _HINTS if sign in lowered), "")
    return EngineError(f"{engine}: {doing}: {said}", hint=hint or known or _MORE.get(engine, ""))
