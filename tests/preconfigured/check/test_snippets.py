"""What this package writes passes its own check: every provider, stack version and way of keeping secrets."""

from __future__ import annotations

from typing import Literal

import pytest

from preconfigured import Connector, Settings, keystore_script, render_all, snippet
from preconfigured.check import check
from preconfigured.secret_sources import keystore_key, needed
from preconfigured.settings import AirGap
from tests.preconfigured.test_version_table import CASES
from tests.preconfigured.wishes import EVERYTHING, stack

MODES: tuple[Literal["keystore", "env"], ...] = ("keystore", "env")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("wish", "version"), CASES, ids=lambda value: getattr(value, "id", value))
def test_a_snippet_has_no_errors(wish: Connector, version: str, mode: Literal["keystore", "env"]) -> None:
    settings = Settings(
        private_ca="/etc/kibana/ca.crt",
        allowed_hosts=("mail.example.com",),
        default_connector=wish.id,
        default_only=True,
        air_gap=AirGap("https://registry.example.com", "file:///opt/docs"),
    )
    text = snippet([wish], settings, stack=stack(version), secrets=mode).text
    rendered = render_all([wish], stack(version))
    keys = [keystore_key(one.id, secret.name) for one in rendered for secret in needed(one)]
    for keystore in (None, keys) if mode == "keystore" else (None,):
        tools = [wish.id] if wish.native_function_calling else []
        hosts = ["llm.example.internal"]
        found = check(text, stack=stack(version), keystore=keystore, private_hosts=hosts, tool_calling=tools)
        assert found.errors == ()
        expected = {"missing-secret"} if mode == "keystore" and keystore is None else set()
        assert {finding.rule for finding in found if finding.level != "note"} <= expected
        assert {finding.rule for finding in found if finding.level == "note"} <= {"exposed-simulated", "missing-secret"}


def test_all_connectors_together_have_no_errors_but_one_name_each() -> None:
    text = snippet(EVERYTHING, Settings(private_ca="/etc/kibana/ca.crt"), stack=stack(), secrets="env").text
    assert list(check(text, stack=stack())) == []


def test_the_keys_of_the_keystore_script_are_those_of_the_check() -> None:
    rendered = render_all(EVERYTHING, stack())
    text = snippet(EVERYTHING, Settings(), stack=stack()).text
    script = keystore_script(rendered, "deb")
    for finding in check(text, stack=stack()):
        if finding.rule == "missing-secret":
            assert finding.path in script
