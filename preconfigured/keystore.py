"""Shell commands that put the connectors' secrets where Kibana reads them, for each way of installing Kibana.

Rules: a secret is never an argument of a program (other users see arguments) and never on the screen: it is read with
``read -rs``, or from its file, and goes through a pipe. Kibana parses the value as JSON, so it is always written as a
JSON string; else a token of digits would become a number, and a key file an object. The scripts need bash, and
change nothing but the keystore (on Kubernetes: one Secret for each value). They can be run again.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Literal

from preconfigured import schema
from preconfigured.connectors import Rendered, Secret
from preconfigured.errors import UsageError
from preconfigured.secret_sources import keystore_key, needed
from preconfigured.yaml_text import comment

Install = Literal["archive", "deb", "rpm", "docker", "eck"]

# What differs: how to reach the keystore, and what to do before and after.
_PACKAGE = """\
keystore() { sudo /usr/share/kibana/bin/kibana-keystore "$@"; }
keystore list >/dev/null 2>&1 || keystore create
put() { keystore add "$1" --stdin --force; }"""
# Applied on the server's side, because the other way keeps a copy of the value in an annotation.
_STORES: dict[Install, str] = {
    "archive": """\
KIBANA_HOME=${KIBANA_HOME:?set it to the folder into which Kibana was unpacked}
keystore() { "$KIBANA_HOME/bin/kibana-keystore" "$@"; }
keystore list >/dev/null 2>&1 || keystore create
put() { keystore add "$1" --stdin --force; }""",
    "deb": _PACKAGE,
    "rpm": _PACKAGE,
    "docker": """\
KIBANA_CONTAINER=${KIBANA_CONTAINER:?set it to the name of the Kibana container}
keystore() { docker exec -i "$KIBANA_CONTAINER" bin/kibana-keystore "$@"; }
keystore list </dev/null >/dev/null 2>&1 || keystore create </dev/null
put() { keystore add "$1" --stdin --force; }""",
    "eck": """\
NAMESPACE=${NAMESPACE:?set it to the namespace of the Kibana resource}
put() {
  kubectl create secret generic "$2" --namespace "$NAMESPACE" --from-file="$1"=/dev/stdin \\
    --dry-run=client -o yaml | kubectl apply --server-side -f -
}""",
}
_HEADS: dict[Install, str] = {
    "archive": "Run it as the user who runs Kibana, on every Kibana host; then restart Kibana.",
    "deb": "Run it on every Kibana host, as a user who may sudo; then: sudo systemctl restart kibana",
    "rpm": "Run it on every Kibana host, as a user who may sudo; then: sudo systemctl restart kibana",
    "docker": "Run it on the container's host; then restart the container. Mount /usr/share/kibana/config from a "
    "volume, or the keystore is lost with the container. For Podman, replace docker by podman.",
    "eck": "Run it where kubectl reaches the cluster. The operator fills the keystore and restarts Kibana by itself.",
}
_AFTER: dict[Install, str] = {
    "deb": "sudo chown root:kibana /etc/kibana/kibana.keystore && sudo chmod 0660 /etc/kibana/kibana.keystore",
    "rpm": "sudo chown root:kibana /etc/kibana/kibana.keystore && sudo chmod 0660 /etc/kibana/kibana.keystore",
}
INSTALLS: tuple[Install, ...] = tuple(_STORES)

_QUOTES = """\
# Kibana reads a value as JSON: these write a JSON string.
json_text() { local v=${1//\\\\/\\\\\\\\}; v=${v//\\"/\\\\\\"}; printf '"%s"' "$v"; }
json_base64() { printf '"'; base64 <"$1" | tr -d '\\r\\n'; printf '"'; }
json_file() { printf '"'; tr -d '\\r\\n' <"$1" | sed 's/\\\\/\\\\\\\\/g; s/"/\\\\"/g' | tr -d '\\n'; printf '"'; }"""


def keystore_script(connectors: Sequence[Rendered], install: Install) -> str:
    """A bash script that asks for each secret and stores it; it holds none itself.

    Raises:
        UsageError: the way of installing is none of ``INSTALLS``.
    """
    if install not in _STORES:
        raise UsageError(
            f"install: expected one of {', '.join(INSTALLS)}, found {str(install)[:40]!r}",
            hint="It is how Kibana itself was installed.",
        )
    return "\n".join(_lines(connectors, install)) + "\n"


def secret_name(connector_id: str, secret: str) -> str:
    """The name of the Kubernetes Secret for one value; ECK's ``secureSettings`` lists these."""
    return f"llm-connector-{connector_id}-{secret.lower()}"


def _lines(connectors: Sequence[Rendered], install: Install) -> Iterator[str]:
    yield "#!/usr/bin/env bash"
    yield from comment("Secrets of Kibana's preconfigured connectors. " + _HEADS[install])
    yield "set -euo pipefail"
    yield _STORES[install]
    yield _QUOTES
    for connector in connectors:
        for secret in needed(connector):
            yield ""
            yield from _store(connector, secret)
    if install in _AFTER:
        yield ""
        yield from comment("Where the keystore was made just now, it belongs to root: Kibana must read it.")
        yield _AFTER[install]
    if install == "eck":
        yield ""
        yield from _secure_settings(connectors)


def _store(connector: Rendered, secret: Secret) -> Iterator[str]:
    key = keystore_key(connector.id, secret.name)
    put = f"put {key} {secret_name(connector.id, secret.name)}"
    yield from comment(f"{connector.id}: {schema.load(connector.schema).secret(secret.name).description}")
    if secret.form == "pem":
        yield f"json_base64 {shlex.quote(secret.path)} | {put}"
    elif secret.form == "json" and secret.path:
        yield f"json_file {shlex.quote(secret.path)} | {put}"
    elif secret.form == "json":
        yield "IFS= read -r -p 'path of the key file: ' path; echo"
        yield f'json_file "$path" | {put}'
    else:
        yield f"IFS= read -rs -p '{secret.name} of {connector.id}: ' value; echo"
        yield f'[ -n "$value" ] || {{ echo "{secret.name} is empty: nothing stored" >&2; exit 1; }}'
        yield f'json_text "$value" | {put}; unset value'


def _secure_settings(connectors: Sequence[Rendered]) -> Iterator[str]:
    names = [secret_name(c.id, secret.name) for c in connectors for secret in needed(c)]
    yield from comment("Then name them in the Kibana resource, beside what stands there already:")
    yield "#   spec:"
    yield "#     secureSettings:"
    yield from (f"#       - secretName: {name}" for name in names)
