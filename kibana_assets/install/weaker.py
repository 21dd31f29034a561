"""What is put into a cluster that lacks a part of Elasticsearch, such as one built without x-pack. No I/O.

Rules: only where Elasticsearch refused the whole, and only what it named, is taken out; everything else is put as it
was wanted. Data stays whole in ``_source``: a field of a type that is not there is kept and not indexed. Each time a
note says so. The words are those of Elasticsearch's MapperParsingException and of its check of ``index.mode``.
"""

from __future__ import annotations

import re
from typing import Any, Final

from kibana_assets.install.asset import COMPONENT, INDEX

Json = dict[str, Any]
MOST: Final = 8
"""How often one template is made weaker before its refusal stands."""
_NO_TYPE: Final = re.compile(r"(?:No handler for|The mapper) type \[(\w{1,40})\]", re.ASCII)
_NOT_BELOW: Final = re.compile(r"Type \[(\w{1,40})\] cannot be used in multi field", re.ASCII)
_NO_SERIES: Final = "[index.mode=time_series] requires"
_KEPT: Final = {"type": "object", "enabled": False}


def weaker(kind: str, body: Json, reason: str) -> tuple[Json, str] | None:
    """A body without what ``reason`` names, and the note for people; None where it names nothing that can go."""
    found = __less(kind, body, reason)
    return found if found is not None and found[0] != body else None


def __less(kind: str, body: Json, reason: str) -> tuple[Json, str] | None:
    if kind == COMPONENT and (type_ := _NO_TYPE.search(reason)):
        return _kept(body, type_[1]), f"no field type {type_[1]}: such fields are kept, and cannot be searched"
    if kind == COMPONENT and (type_ := _NOT_BELOW.search(reason)):
        return _alone(body, type_[1]), f"no {type_[1]} below another field: those are left out"
    if kind == INDEX and _NO_SERIES in reason:
        return _plain(body), "no time series without x-pack: metrics are kept as plain documents"
    return None


def _kept(value: Any, type_: str) -> Any:
    """The same with fields of that type not indexed."""
    if isinstance(value, list):
        return [_kept(one, type_) for one in value]
    if not isinstance(value, dict):
        return value
    return dict(_KEPT) if value.get("type") == type_ else {key: _kept(one, type_) for key, one in value.items()}


def _alone(value: Any, type_: str) -> Any:
    """The same without multi-fields of that type."""
    if isinstance(value, list):
        return [_alone(one, type_) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: _alone(one, type_) for key, one in value.items()}
    if isinstance(value.get("fields"), dict) and isinstance(value.get("type"), str):
        left = {name: one for name, one in made.pop("fields").items() if one.get("type") != type_}
        made |= {"fields": left} if left else {}
    return made


def _plain(body: Json) -> Json:
    """An index template of no time series; what is empty then goes, as Elasticsearch would not keep it either."""
    template = body["template"]
    index = {key: one for key, one in template["settings"]["index"].items() if key != "mode"}
    left = {**template["settings"], "index": index} if index else _less(template["settings"], "index")
    template = {**template, "settings": left} if left else _less(template, "settings")
    return {**body, "template": template} if template else _less(body, "template")


def _less(body: Json, key: str) -> Json:
    """The same less one key."""
    return {name: one for name, one in body.items() if name != key}
