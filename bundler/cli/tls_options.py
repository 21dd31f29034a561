"""What the commands about certificates share: where they lie, how what was made is told, what Kibana needs of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import click

from bundler.cli.output import emit
from bundler.disk import is_there
from bundler.errors import MachineError, UsageError
from bundler.site.audit import audited
from bundler.site.holding import holding
from bundler.site.install.signals import led_back
from bundler.site.place import DEFAULT, Place
from bundler.site.tls.authority import LONGEST
from bundler.site.tls.home import Home, Made
from bundler.site.tls.names import Names

AT_KIBANA: Final = "/etc/kibana/certs/llm-ca.crt"
_NO_AUTHORITY: Final = (
    "Name the folder where llm-bundle tls make-ca made it. A certificate of your own CA is renewed there; then: "
    "llm-bundle install, with the same bundle, --tls-cert FILE --tls-key FILE"
)


def home_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--root`` as ``root``, ``--out`` as ``out``, ``--days`` as ``days``."""
    path = click.Path(path_type=Path)
    root = click.option(
        "--root", type=path, metavar="DIR", help=f"The folder of the installation. [default: {DEFAULT}]"
    )
    out = click.option("--out", type=path, metavar="DIR", help="A folder of its own instead, to be carried away.")
    days = click.option(
        "--days",
        type=click.IntRange(1, LONGEST),
        default=LONGEST,
        show_default=True,
        help="How long the server's certificate lasts.",
    )
    return root(out(days(function)))


def server_name_said(context: click.Context, option: click.Parameter, value: str) -> str:
    """A callback. Raises: UsageError for what can be no name in a certificate."""
    try:
        Names.of(value)
    except UsageError as error:
        raise UsageError(f"{option.opts[0]}: {error.message}", hint=error.hint) from error
    return value


def addresses_said(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """A callback. Raises: UsageError for what is no IP address."""
    for value in values:
        try:
            ip_address(value)
        except ValueError:
            text = f"{option.opts[0]}: expected an IP address, found {value[:60]!r}"
            raise UsageError(text, hint="As in 192.0.2.7.") from None
    return values


@contextmanager
def home_of(root: Path | None, out: Path | None, action: str, *, there: bool) -> Iterator[Home]:
    """The place; that of an installation is held, and its audit log gets a line. ``there``: an authority must be.

    Raises: UsageError for both at once; MachineError.
    """
    if root is not None and out is not None:
        raise UsageError("--root and --out contradict each other", hint="Say one of them.")
    place = Place(root or DEFAULT)
    home = Home.of(place) if out is None else Home.out(out)
    if there and not is_there(home.ca):
        raise MachineError(f"{home.ca}: is not there", hint=_NO_AUTHORITY)
    # A key without its passphrase lies beside its place for a moment: no signal may leave it there.
    with led_back():
        if out is not None:
            yield home
            return
        with holding(place, action), audited(place, action, {}):
            yield home


def print_made(made: Made, *, port: int | None, as_json: bool) -> None:
    """Print what was made; with the ``port`` that Kibana calls also what Kibana needs, after a new CA."""
    ca, ca_key, certificate, key = made.home.files
    document: dict[str, Any] = {
        "certificate": str(certificate),
        "key": str(key),
        "ca": str(ca),
        "names": list(made.names),
        "ends": int(made.certificate.not_after),
        "ca_ends": int(made.authority.not_after),
        "ca_sha256": made.fingerprint,
    }
    lines = [
        f"wrote {certificate} and {key.name}, for {', '.join(made.names)}, until {_day(made.certificate.not_after)}"
    ]
    if port is not None:
        document |= {"ca_key": str(ca_key), "kibana_yml": for_kibana(made.names[0], port)}
        lines = [
            f"wrote {ca}: every Kibana host needs it; it is no secret. Until {_day(made.authority.not_after)}",
            f"wrote {ca_key}: keep it secret; only llm-bundle tls renew needs it",
            *lines,
            f"  sha256 of the CA {made.fingerprint}",
            f"next: copy {ca.name} to {AT_KIBANA} of every Kibana host, readable for Kibana; into each kibana.yml:",
            *for_kibana(made.names[0], port).splitlines(),
            f"or, where connectors.yml is used, into it: settings: {{private_ca: {AT_KIBANA}}}",
            "  and then: llm-bundle connectors apply --kibana-yml /etc/kibana/kibana.yml",
        ]
    emit(document, as_json=as_json, text=lines)


def for_kibana(name: str, port: int) -> str:
    """The piece of kibana.yml that makes Kibana trust the CA for the proxy: scheme, host and port, always all three."""
    return (
        "xpack.actions.customHostSettings:\n"
        f'  - url: "https://{name}:{port}"\n'
        "    ssl:\n"
        "      verificationMode: full\n"
        "      certificateAuthoritiesFiles:\n"
        f"        - {AT_KIBANA}\n"
    )


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d")
