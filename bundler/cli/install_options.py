"""The options of ``install``, gathered into one value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, get_args

import click

from bundler.errors import UsageError
from bundler.site.install.choices import Choices
from bundler.site.state import EngineKind, Gpus, Keeper

_PORT: Final = click.IntRange(1, 65535)
_FILE: Final = click.Path(path_type=Path)

_OPTIONS: Final = (
    click.option("--tls-cert", type=_FILE, metavar="FILE", help="The proxy's certificate with its chain, PEM."),
    click.option("--tls-key", type=_FILE, metavar="FILE", help="Its key, PEM without a passphrase."),
    click.option("--engine", type=click.Choice(get_args(EngineKind)), help="What runs the containers. [found]"),
    click.option("--keeper", type=click.Choice(get_args(Keeper)),
                 help="What starts them again: the engine's restart policy, or systemd by Quadlet. [engine]"),
    click.option("--https-port", type=_PORT, metavar="PORT", help="Where clients reach the proxy. [443]"),
    click.option("--http-port", type=_PORT, metavar="PORT", help="The plain port, which leads there. [80]"),
    click.option("--no-http", is_flag=True, help="No plain port at all."),
    click.option("--address", "addresses", multiple=True, metavar="IP", help="Listen on this one. [0.0.0.0]"),
    click.option("--monitor", "monitors", multiple=True, metavar="IP|NET",
                 help="Who may read /health, /metrics and /nginx_status. [127.0.0.1]"),
    click.option("--monitor-port", type=_PORT, metavar="PORT",
                 help="Show the same to this host alone, without TLS: http://127.0.0.1:PORT/metrics. [none]"),
    click.option("--gpus", type=click.Choice(get_args(Gpus)), help="How the engine reaches the GPUs. [all]"),
    click.option("--start-period", type=click.IntRange(10, 86400), metavar="SECONDS",
                 help="How long the model may take to load. [1800]"),
    click.option("--engine-key-file", type=_FILE, metavar="FILE",
                 help="The key between proxy and engines, where several hosts share it. [made]"),
    click.option("--lms", metavar="COMMAND", help="LM Studio's command line tool. [lms]"),
    click.option("--lmstudio-user", metavar="NAME", help="The user that LM Studio runs as. [this one]"),
    click.option("--nginx-conf-dir", metavar="DIR", help="Where the host's own Nginx reads sites from. [it is asked]"),
    click.option("--token-file", type=_FILE, metavar="FILE",
                 help="Write the first token there. [secrets/kibana.token below the root]"),
    click.option("--allow-downgrade", is_flag=True, help="Take a bundle that is older than the one that serves."),
    click.option("--ignore", multiple=True, metavar="CHECK", help="Go on although this check of doctor blocks."),
)  # fmt: skip


def install_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """All of them; ``gathered`` makes Choices of what they give."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def gathered(said: dict[str, Any]) -> Choices:
    """The choices. Raises: UsageError for options that do not go together."""
    if (said["tls_cert"] is None) != (said["tls_key"] is None):
        raise UsageError("--tls-cert and --tls-key belong together: only one was given", hint="Give both.")
    if said["no_http"] and said["http_port"]:
        raise UsageError("--no-http and --http-port do not go together")
    names = ("engine", "keeper", "https_port", "http_port", "addresses", "monitors", "monitor_port", "gpus",
             "start_period", "lms", "lmstudio_user", "nginx_conf_dir")  # fmt: skip
    settings = {name: said[name] for name in names if said[name]}
    if said["no_http"]:
        settings["http_port"] = None
    return Choices(
        settings=settings,
        certificate=said["tls_cert"],
        key=said["tls_key"],
        engine_key=said["engine_key_file"],
        token_file=said["token_file"],
        allow_downgrade=said["allow_downgrade"],
        ignore=said["ignore"],
    )
