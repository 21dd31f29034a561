"""Each command about an installation shows the options that change what it does, and no others."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from bundler.cli.assets_opening import Wish
from bundler.cli.fleet_options import HostWish
from bundler.cli.main import call, cli

ELASTIC = {
    *("--elasticsearch", "--cloud-id", "--api-key-file", "--token-file", "--user", "--password-file", "--keyring"),
    *("--ca", "--fingerprint", "--client-cert", "--client-key", "--proxy", "--timeout", "--json"),
}
KIBANA = {"--kibana", "--kibana-ca"}
SPACES = {"--no-kibana", "--no-fleet", "--space", "--all-spaces"}
BESIDE = {"--custom-pipelines", "--lmstudio-dataset"}
WISH = {"--lifecycle", "--retention", "--enable-rules", "--no-rules"}
HOST = {"--policy", "--namespace", "--engine", "--host-root", "--monitor-port", "--time-zone", "--proxy-time-zone"}
INSTALL = ELASTIC | KIBANA | SPACES | BESIDE | WISH | HOST | {"--force"}
COMMANDS = {
    "plan": INSTALL,
    "install": INSTALL | {"--dry-run", "--backup", "--no-proof"},
    "status": ELASTIC | KIBANA | SPACES | BESIDE | {"--panels"},
    "uninstall": ELASTIC | KIBANA | SPACES | {"--data", "--dry-run", "--force", "--backup"},
    "enrol": ELASTIC
    | KIBANA
    | {"--policy", "--enrolment-file", "--agent", "--fleet-server", "--agent-ca"}
    | {"--insecure", "--revoke"},
    "role": ELASTIC | {"--create", "--key-file", "--ilm", "--space", "--fleet"},
}


def command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), "assets")
    assert isinstance(found, click.Group)
    made = found.get_command(click.Context(found), name)
    assert made is not None
    return made


@pytest.mark.parametrize("name", COMMANDS)
def test_the_options_of_each_command(name: str) -> None:
    shown = {opt for one in command(name).params if isinstance(one, click.Option) for opt in one.opts}
    assert shown == COMMANDS[name]


def test_an_option_that_is_not_there_is_as_by_default() -> None:
    given = command("install").make_context("install", ["--elasticsearch", "http://localhost:9"]).params
    for wish in (Wish(), HostWish(policy="local-llm")):
        assert {name: given[name] for name in wish.__slots__} == {name: getattr(wish, name) for name in wish.__slots__}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_a_narrow_terminal(name: str) -> None:
    said = CliRunner().invoke(cli, ["assets", name, "--help"], terminal_width=80).output
    assert max(map(len, said.splitlines())) <= 80
    assert all(one.help for one in command(name).params if isinstance(one, click.Option))


def test_a_role_that_ships_has_no_rights_in_kibana(capsys: pytest.CaptureFixture[str]) -> None:
    for more in (["--ilm"], ["--space", "a"], ["--fleet"]):
        assert call(["assets", "role", "ship", *more]) == 2
        assert "expected install, found ship" in capsys.readouterr().err
