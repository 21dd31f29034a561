"""A real image that behaves as vLLM's does: this machine's own Python with its libraries, and a server.

``vllm serve MODEL --served-model-name … --port …`` answers /health, /v1/models and /v1/chat/completions with the key of
VLLM_API_KEY, /invocations and /metrics without any. ``GET /probe?address=…&port=…&name=…`` tells what a process in the
container may do: it is how tests look at a container from inside.
"""

from __future__ import annotations

import subprocess
import sysconfig
from functools import cache
from pathlib import Path

from tests.counterparts.images import Image, Layer, Packing, make_image, make_layer

HERE = Path(__file__).parent
_LEFT_OUT = {
    "test",
    "tests",
    "site-packages",
    "dist-packages",
    "idlelib",
    "tkinter",
    "ensurepip",
    "lib2to3",
    "__pycache__",
}


def engine_image(*, user: str = "", packing: Packing = "gzip") -> Image:
    """The image; ``user`` is what its config says."""
    program = make_layer(
        {
            "usr/local/bin/vllm": b"#!/usr/bin/python3\n" + (HERE / "engine_program.py").read_bytes(),
            "usr/local/bin/model_server.py": (HERE / "model_server.py").read_bytes(),
        },
        packing=packing,
    )
    says = {
        "Entrypoint": ["vllm", "serve"],
        "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE=1"],
        **({"User": user} if user else {}),
    }
    return make_image([_python(), program], says=says)


@cache
def _python() -> Layer:
    """/usr/bin/python3 with its standard library and the shared libraries that the program itself needs."""
    binary = Path(_interpreter())
    library = Path(sysconfig.get_paths()["stdlib"]) if binary != Path("/usr/bin/python3").resolve() else _system(binary)
    files = {"usr/bin/python3": binary.read_bytes()}
    for path in shared_libraries(binary):
        files[str(path).lstrip("/")] = path.resolve().read_bytes()
    for path in sorted(library.rglob("*")):
        inside = path.relative_to(library)
        if path.is_file() and not _LEFT_OUT & set(inside.parts) and path.suffix in (".py", ".so"):
            files[f"usr/lib/{library.name}/{inside}"] = path.read_bytes()
    return make_layer(files)


def _interpreter() -> str:
    system = Path("/usr/bin/python3")
    return str(system.resolve() if system.exists() else Path(sysconfig.get_paths()["scripts"], "python3").resolve())


def _system(binary: Path) -> Path:
    asked = [str(binary), "-c", "import sysconfig; print(sysconfig.get_paths()['stdlib'])"]
    return Path(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip())


def shared_libraries(binary: Path) -> list[Path]:
    """The libraries that a program of this machine needs, and its loader."""
    listed = subprocess.run(["ldd", str(binary)], check=True, capture_output=True, text=True).stdout
    words = [word for line in listed.splitlines() for word in line.split() if word.startswith("/")]
    return [Path(word) for word in words]
