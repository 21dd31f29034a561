"""bundle.yml → a frozen Spec.

Rules: unknown keys, wrong types and impossible combinations are refused with place, found and expected; nothing is
looked up, on disk or in a network, beside the file itself.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path

from bundler.errors import SpecError
from bundler.spec.access import read_registries
from bundler.spec.document import LARGEST, read_document
from bundler.spec.elastic import read_elastic
from bundler.spec.fields import Field, Section
from bundler.spec.keys import SIGNING, SPEC
from bundler.spec.model import API_VERSION, Platform, Spec
from bundler.spec.service import read_connectors, read_monitoring, read_proxy, read_serve
from bundler.spec.weights import read_files, read_models

PLATFORMS = (
    "linux/amd64",
    "linux/arm64",
    "linux/arm64/v8",
    "linux/arm/v7",
    "linux/386",
    "linux/ppc64le",
    "linux/s390x",
    "linux/riscv64",
    "linux/loong64",
)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_STACK = re.compile(r"(0|[1-9][0-9]{0,3})(\.(0|[1-9][0-9]{0,3})){1,2}")
_INIT = "llm-bundle init writes one to begin with"


def read_spec(path: Path) -> Spec:
    """The Spec in the file at ``path``, whose folder is where relative paths in it start.

    Raises: SpecError, also when the file is missing, unreadable, too large or not UTF-8.
    """
    data = _read(path)
    if len(data) > LARGEST:
        raise SpecError(f"{path}: expected at most {LARGEST} bytes, found more")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SpecError(f"{path}: expected UTF-8, found UTF-16", hint="save the file as UTF-8")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"{path}:{line}: expected UTF-8, found the byte 0x{data[error.start]:02x}"
        raise SpecError(message, hint="save the file as UTF-8") from error
    return parse_spec(text, where=str(path), base=path.parent)


def _read(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise SpecError(f"{path}: expected a file, found a folder", hint=f"did you mean {path}/bundle.yml?")
        if not stat.S_ISREG(mode):
            raise SpecError(f"{path}: expected a file, found a device or a pipe")
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise SpecError(f"{path}: there is no such file", hint=_INIT) from error
    except PermissionError as error:
        raise SpecError(f"{path}: may not be read", hint=f"check its permissions: ls -l {path}") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name holds a NUL"
        raise SpecError(f"{path}: cannot be read: {reason}") from error


def parse_spec(text: str, *, where: str = "bundle.yml", base: Path = Path()) -> Spec:
    """The Spec in ``text``; ``where`` names the file in messages. Raises: SpecError."""
    if len(text) > LARGEST:
        raise SpecError(f"{where}: expected at most {LARGEST} characters, found more")
    root = Field(read_document(text, where), "", where)
    _api_version(root)
    section = root.section(SPEC)
    registries = read_registries(section.get("registries"))
    models = read_models(section["models"], registries)
    files = read_files(section.get("files"), registries)
    serve = read_serve(section["serve"], tuple(model.id for model in models), tuple(file.path for file in files))
    connectors = read_connectors(section.get("connectors"))
    if connectors:
        _require_around(section)
    if (serve.replicas > 1 or serve.upstreams) and section.get("proxy") is None:
        hint = "add proxy: with server_name:"
        raise section["serve"].error("several engines need the proxy that spreads the work over them", hint=hint)
    platform, stack = _platform(section["platform"]), _stack(section.get("stack"))
    return Spec(
        name=section["name"].matching(_NAME, "a name of a-z, 0-9, . _ and -, at most 64, beginning with a-z or 0-9"),
        version=section["version"].matching(_VERSION, "a version of letters, digits, . _ + and -, at most 64"),
        platform=platform,
        stack=stack,
        models=models,
        serve=serve,
        proxy=read_proxy(section.get("proxy")),
        connectors=connectors,
        monitoring=read_monitoring(section.get("monitoring")),
        elastic=read_elastic(section.get("elastic"), stack, str(platform)),
        files=files,
        signing_key=_signing_key(section.get("signing")),
        registries=registries,
        base=base,
    )


def _api_version(root: Field) -> None:
    # Before the other keys, so that a file of a later format is not met with "unknown key".
    version = root.pairs().get("apiVersion")
    if version is not None and version.text() != API_VERSION:
        hint = "this llm-bundle reads no other format; a newer one may"
        raise version.expected(API_VERSION, hint=hint)


def _require_around(section: Section) -> None:
    """A connector is written for a stack version, and leads to the proxy."""
    connectors = section["connectors"]
    if section.get("stack") is None:
        raise connectors.error("connectors need the version of the Elastic Stack", hint="add stack: 9.2.0, or yours")
    if section.get("proxy") is None:
        hint = "add proxy: with server_name: (and run: host if the host's own Nginx is used)"
        raise connectors.error("connectors need the proxy that they lead to", hint=hint)


def _platform(field: Field) -> Platform:
    system, architecture, *variant = field.choice(PLATFORMS).split("/")
    return Platform(system, architecture, *variant)


def _stack(field: Field | None) -> str | None:
    if field is None:
        return None
    version = field.matching(_STACK, "a version of the Elastic Stack as in 9.2.0")
    return version if version.count(".") == 2 else f"{version}.0"


def _signing_key(field: Field | None) -> str | None:
    if field is None:
        return None
    key = field.section(SIGNING)["key"]
    if "-----BEGIN" in getattr(key.node, "text", ""):
        hint = "keep the key in a file of its own, outside the repository"
        raise key.error("expected a file or the name of an environment variable, found a key", hint=hint)
    return key.text("a file or the name of an environment variable")
