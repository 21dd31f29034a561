"""What the command line may say of addresses, told before a bundle is looked at any further."""

from __future__ import annotations

import pytest

from bundler.errors import UsageError
from bundler.site.install.choices import Choices, merged
from bundler.site.state import Settings

_WRONG = {
    "addresses": ("localhost", "0.0.0.0:443", "192.0.2.0/24", "", "fe80::1%eth0", "::1%; } server {"),
    "monitors": ("all", "192.0.2.7/24", "192.0.2.1; allow all", "", "fe80::1%a 1; ::/0"),
}


@pytest.mark.parametrize(("key", "text"), [(key, text) for key, texts in _WRONG.items() for text in texts])
def test_what_is_no_address(key: str, text: str) -> None:
    option = {"addresses": "--address", "monitors": "--monitor"}[key]
    with pytest.raises(UsageError, match=f"{option}: expected an IP address") as caught:
        merged(Settings(), Choices(settings={key: (text,)}), containers=True)
    assert repr(text) in caught.value.message


def test_addresses_of_both_kinds() -> None:
    said = {"addresses": ("192.0.2.1", "::1"), "monitors": ("192.0.2.0/24", "2001:db8::/32", "::1")}
    found = merged(Settings(), Choices(settings=said), containers=True)
    assert (found.addresses, found.monitors) == (said["addresses"], said["monitors"])
