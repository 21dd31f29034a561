"""The comment at the top of a file for the GPU host: where it comes from, and what is no part of it. No I/O.

Rules: a file that ``assets host-config`` wrote knows Elasticsearch, and lacks the API key alone. One that was made
before the site is known, for a bundle, says how to give it both, and by what command the same is written at the site.
Sources: Beats' reference of variables (an environment variable's commas make a list; go-ucfg, parse.EnvConfig) and of
the keystore (its values are taken as they are; elastic-agent-libs, keystore.go); Elastic Agent's env provider, whose
variables stand in outputs since 8.18 and are one text each (elastic-agent, transpiler/vars.go and pull request 6602).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

KEY: Final = "LLM_BUNDLE_SHIP_KEY"
BEAT_HOSTS: Final = "ELASTICSEARCH_HOSTS"
"""One address or several with commas between them."""

AGENT_HOST: Final = "ELASTICSEARCH_HOST"
"""One address: Elastic Agent takes no list apart."""

_ENVIRONMENT: Final = (
    "In its environment (a service's: systemctl edit elastic-agent, EnvironmentFile= a file of mode 0600):"
)
_PROGRAM: Final = "python3 llm-bundle.pex"
_ONE: Final = "https://es-1.example.internal:9200"
_TWO: Final = "https://es-2.example.internal:9200"


def written(program: str) -> str:
    """For what the command writes. ``program`` is that which will read it: ``elastic-agent``, or a Beat's name."""
    where, key = "In its keystore:", f"{program} keystore add {KEY}"
    if program == "elastic-agent":
        where, key = _ENVIRONMENT, f"{KEY}=ID:KEY"
    return f"""\
# Written by llm-bundle assets host-config. The API key is no part of it.
# {where}
#   {key}
# llm-bundle assets role ship --create makes one that may do just this. Elasticsearch needs llm-bundle assets install.
"""


def packed(program: str, streams: Mapping[str, Mapping[str, Sequence[str]]], metrics: Sequence[str]) -> str:
    """For what lies in a bundle. ``streams`` as for ``host_configs``; ``metrics``: addresses that the file reads."""
    lines = [
        "# Made with the bundle, for the GPU host. Where Elasticsearch is, and the API key, are no part of it.",
        *(_agent() if program == "elastic-agent" else _beat(program)),
        f"# {_PROGRAM} assets role ship --create makes a key that may do just this. Elasticsearch needs what",
        f"# {_PROGRAM} assets install puts into it.",
        *(f"# Metrics are read at {one}, which install --monitor-port {urlsplit(one).port} opens." for one in metrics),
        "# This writes the same with the addresses filled in, and for another root or port:",
        *_command(streams),
    ]
    return "\n".join(lines) + "\n"


def _beat(program: str) -> Iterator[str]:
    yield f"# In {program}'s environment (a service's: systemctl edit {program}); its keystore takes no list:"
    yield f"#   {BEAT_HOSTS}={_ONE},{_TWO}"
    yield "# In its keystore:"
    yield f"#   {program} keystore add {KEY}"


def _agent() -> Iterator[str]:
    yield f"# {_ENVIRONMENT}"
    yield f"#   {AGENT_HOST}={_ONE}"
    yield f"#   {KEY}=ID:KEY"
    yield "# A variable is one address. Of several nodes each gets a line of its own under hosts."


def _command(streams: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterator[str]:
    yield f"#   {_PROGRAM} assets host-config --output agents \\"
    yield f"#     --elasticsearch {_ONE} --ca /etc/ssl/es-ca.pem \\"
    last = list(streams)[-1]
    for stream, variables in streams.items():
        words = ["--only", stream]
        for name, values in variables.items():
            words += [word for value in values for word in ("--set", f"{stream}.{name}={value}")]
        yield f"#     {shlex.join(words)}" + ("" if stream == last else " \\")
