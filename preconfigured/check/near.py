"""The right word for a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 80
# What people write for a key of a connector, by habit from other products.
_MEANT = {
    "model": "defaultModel", "modelname": "defaultModel", "modelid": "defaultModel", "url": "apiUrl",
    "baseurl": "apiUrl", "endpoint": "apiUrl", "provider": "apiProvider", "token": "apiKey", "bearertoken": "apiKey",
    "contextwindow": "contextWindowLength", "contextlength": "contextWindowLength", "maxtokens": "contextWindowLength",
    "nativefunctioncalling": "enableNativeFunctionCalling", "organization": "organizationId", "project": "projectId",
    "type": "actionTypeId", "connectortypeid": "actionTypeId", "secretkey": "secret", "region": "gcpRegion",
    "accesskeyid": "accessKey", "secretaccesskey": "secret", "credentials": "credentialsJson",
}  # fmt: skip


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that is meant: equal but for case and punctuation, or close enough; None where none is."""
    plain = {_plain(choice): choice for choice in choices}
    wanted = _plain(word[:_LONGEST])
    found = [wanted] if wanted in plain else get_close_matches(wanted, plain, 1, 0.65)
    return plain[found[0]] if found else None


def right_key(name: str, keys: Iterable[str]) -> str | None:
    """The key of a connector that is meant by a name: by habit from another product, or misspelt."""
    choices = list(keys)
    meant = _MEANT.get(_plain(name[:_LONGEST]))
    return meant if meant in choices else nearest(name, choices)


def _plain(word: str) -> str:
    return "".join(character for character in word.lower() if character.isalnum())
