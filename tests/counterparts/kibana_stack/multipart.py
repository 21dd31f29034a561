"""The one file of a multipart body, as hapi takes it apart: by the boundary, with its file name."""

from __future__ import annotations

import re

from tests.counterparts.kibana_stack.route import Refusal


def file_of(data: bytes, content_type: str) -> tuple[str, bytes]:
    """The file name and content of the field ``file``. Raises: Refusal."""
    found = re.search(r'boundary="?([^";]{1,70})"?', content_type)
    if not found:
        raise Refusal(400, "Invalid multipart payload format")
    boundary = b"--" + found[1].encode()
    pieces = data.split(boundary)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise Refusal(400, "Invalid multipart payload format")
    for piece in pieces[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = re.search(rb'(?<![a-z])name="([^"]*)"', head)
        if name and name[1] == b"file":
            file = re.search(rb'filename="([^"]*)"', head)
            if not file:
                raise Refusal(400, "[request body.file]: expected value of type [Stream] but got [string]")
            return file[1].decode("utf-8", "replace"), content.removesuffix(b"\r\n")
    raise Refusal(400, "[request body.file]: expected value of type [Stream] but got [undefined]")
