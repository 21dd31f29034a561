"""The bytes of a kibana.yml ↔ text that can be edited by position.

Rules: a byte order mark is set aside and comes back. Everything else stays in the text as it is, so that what is not
changed is the same byte for byte; that is why characters that only some readers take for a line break are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from preconfigured.errors import KibanaYmlError

LARGEST = 2 << 20
_MARK = "\ufeff"
# YAML's printable characters; NEL, LS, PS and a lone CR are line breaks for some readers and not for others.
_UNFIT = re.compile(
    "\r(?!\n)|[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


@dataclass(frozen=True, slots=True)
class Source:
    """A kibana.yml: its name for messages, whether it begins with a byte order mark, and the text after that."""

    where: str
    marked: bool
    text: str

    def encode(self, text: str) -> bytes:
        """The bytes of another text, with the byte order mark of this one."""
        return ((_MARK if self.marked else "") + text).encode()


def decode(data: bytes, where: str) -> Source:
    """Read the bytes of a kibana.yml.

    Raises:
        KibanaYmlError: too large, no UTF-8, or characters that do not belong into YAML; with their place.
    """
    if len(data) > LARGEST:
        raise KibanaYmlError(f"{where}: expected at most {LARGEST:,} bytes, found more", hint="Is it a kibana.yml?")
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise KibanaYmlError(f"{where}: byte 1: expected UTF-8, found UTF-16", hint="Save the file as UTF-8.")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"{where}:{line}: byte {error.start + 1} of the file is 0x{data[error.start]:02X}, which is not UTF-8"
        hint = "It was likely saved as Windows-1252 or Latin-1: convert it, for example with iconv -t UTF-8."
        raise KibanaYmlError(found, hint=hint) from error
    source = Source(where, text.startswith(_MARK), text.removeprefix(_MARK))
    check_characters(source.text, where)
    return source


def check_characters(text: str, where: str) -> None:
    """Refuse characters that may not stand in YAML, or end a line for only some readers of it.

    Raises:
        KibanaYmlError: there is one; with its place.
    """
    bad = _UNFIT.search(text)
    if bad is None:
        return
    name = "a carriage return without a line feed" if bad[0] == "\r" else f"the character U+{ord(bad[0]):04X}"
    line = text.count("\n", 0, bad.start()) + 1
    raise KibanaYmlError(f"{where}:{line}: found {name}", hint="Take it out; YAML readers disagree on what it means.")


def line_start(text: str, offset: int) -> int:
    """The offset at which the line that holds ``offset`` begins."""
    return text.rfind("\n", 0, offset) + 1


def next_line(text: str, offset: int) -> int:
    """The offset at which the line after the one that holds ``offset`` begins; the text's end where there is none."""
    found = text.find("\n", offset)
    return len(text) if found < 0 else found + 1


def line_break(text: str, offset: int) -> str:
    """The line break that is in use around ``offset``: that of the line before, else the first one, else LF."""
    before = text.rfind("\n", 0, offset)
    found = before if before >= 0 else text.find("\n")
    return "\r\n" if found > 0 and text[found - 1] == "\r" else "\n"
