"""A file or a text → all findings about it.

Rules: every rule runs, whatever the others found. Nothing that stands in the text raises; only a file that cannot be
read does. A file is read up to the limit of the check and no further.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from preconfigured.check.case import Site, case_of
from preconfigured.check.finding import Finding, Findings
from preconfigured.check.rules import RULES
from preconfigured.check.tree import LARGEST, Document, read_tree
from preconfigured.check.view import view_of
from preconfigured.check.yaml_faults import Fault
from preconfigured.errors import MachineError
from preconfigured.version import StackVersion

_TEXT = "kibana.yml"


def check(
    text_or_path: str | Path,
    *,
    stack: StackVersion,
    keystore: Iterable[str] | None = None,
    private_hosts: Iterable[str] = (),
    tool_calling: Iterable[str] = (),
    on_host: bool = False,
) -> Findings:
    """Check the text of a kibana.yml, or the file at a path.

    ``keystore`` are the keys that ``kibana-keystore list`` names, None where nobody knows them. ``private_hosts`` are
    hosts whose certificate comes from a private authority, ``tool_calling`` the ids of connectors whose server was
    set up for tool calls. ``on_host`` says that this machine runs the Kibana, so that files it names can be looked at.

    Raises:
        MachineError: the file cannot be read.
    """
    where, text = _read(text_or_path)
    hosts = frozenset(host.lower().rstrip(".") for host in private_hosts)
    known = None if keystore is None else frozenset(keystore)
    site = Site(stack, known, hosts, frozenset(tool_calling), on_host)
    document = text if isinstance(text, Document) else read_tree(text)
    found = _findings(document, site, first=False)
    if any(finding.rule == "duplicate-key" for finding in found):
        # Either of the two may be the one that stays, so both are looked into.
        found |= _findings(document, site, first=True)
    return Findings(where, tuple(sorted(found)))


def _findings(document: Document, site: Site, *, first: bool) -> set[Finding]:
    case = case_of(document, view_of(document.root, first=first), site)
    return {finding for rule in RULES.values() for finding in rule.findings(case)}


def _read(text_or_path: str | Path) -> tuple[str, str | Document]:
    where = str(text_or_path) if isinstance(text_or_path, Path) else _TEXT
    if isinstance(text_or_path, Path):
        data = _bytes(text_or_path)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            return where, _no_utf8(data, error.start)
    else:
        text = text_or_path
    if len(text) > LARGEST:
        fault = Fault("yaml-too-large", 1, 1, f"more than {LARGEST >> 20} MiB")
        return where, Document(None, (fault,), whole=False)
    return where, text


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise MachineError(f"{path}: cannot be read: {reason}", hint="Give the path of a kibana.yml.") from error


def _no_utf8(data: bytes, start: int) -> Document:
    if len(data) > LARGEST:
        return Document(None, (Fault("yaml-too-large", 1, 1, f"more than {LARGEST >> 20} MiB"),), whole=False)
    line = data.count(b"\n", 0, start) + 1
    column = len(data[data.rfind(b"\n", 0, start) + 1 : start].decode("utf-8", "replace")) + 1
    fault = Fault("yaml-character", line, column, f"the byte 0x{data[start]:02X}, not UTF-8")
    return Document(None, (fault,), whole=False)
