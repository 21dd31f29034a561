"""A tokens.json that somebody changed: whatever is wrong with it, no message repeats what stands there."""

from __future__ import annotations

import json

import pytest

from bundler.errors import MachineError
from bundler.site.tokens.model import FORMAT, decode

_SECRET = "a-SECRET-that-nobody-may-see"
_GOOD = {"label": "kibana", "token": _SECRET, "created": 1, "expires": None, "replaced": False}
_SHAPES: dict[str, object] = {
    "by label": {"format": FORMAT, "tokens": {"kibana": _SECRET}},
    "a text": {"format": FORMAT, "tokens": _SECRET},
    "texts": {"format": FORMAT, "tokens": [_SECRET]},
    "too many": {"format": FORMAT, "tokens": [_GOOD] * 1001},
    "format": {"format": _SECRET, "tokens": []},
    **{
        f"{key} is {kind}": {"format": FORMAT, "tokens": [{**_GOOD, key: value}]}
        for key in ("label", "created", "expires", "replaced")
        for kind, value in {"the token": _SECRET, "a list": [_SECRET], "a row": {"token": _SECRET}}.items()
    },
}


@pytest.mark.parametrize("shape", _SHAPES)
def test_no_token_in_a_message(shape: str) -> None:
    with pytest.raises(MachineError, match=r"^tokens\.json: .*expected") as caught:
        decode(json.dumps(_SHAPES[shape]).encode(), where="tokens.json")
    assert _SECRET[:8] not in f"{caught.value.message}{caught.value.hint}"
    assert caught.value.__cause__ is None
    assert "Bring it back from a backup" in caught.value.hint or shape == "texts"
