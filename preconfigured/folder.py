"""Everything that is written for a site, as files: the snippet or resource, the scripts, the next steps, the endpoints.

Rules: pure; whoever writes the files does so with the mode given here, which is 0600 for one that holds secrets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from preconfigured.connectors import Connector, Note
from preconfigured.eck import eck
from preconfigured.errors import UsageError
from preconfigured.inference_endpoint import ENDPOINT_SINCE, TOKEN, endpoint
from preconfigured.keystore import INSTALLS, Install, keystore_script
from preconfigured.next_steps import next_steps
from preconfigured.render import Snippet, render_all, snippet
from preconfigured.secret_sources import SecretsMode, SecretValues
from preconfigured.settings import Settings
from preconfigured.version import StackVersion

Form = Literal["snippet", "eck"]
FORMS: tuple[Form, ...] = ("snippet", "eck")


@dataclass(frozen=True, slots=True)
class File:
    """A file to be written, with its mode."""

    name: str
    text: str = field(repr=False)
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Folder:
    """The files, the main one first, and what the user should know."""

    files: tuple[File, ...]
    notes: tuple[Note, ...]
    holds_secrets: bool = False


def folder(
    connectors: Sequence[Connector],
    settings: Settings,
    *,
    stack: StackVersion,
    form: Form = "snippet",
    secrets: SecretsMode = "keystore",
    values: SecretValues | None = None,
    name: str = "kibana",
) -> Folder:
    """Write the files for these connectors; ``name`` is that of the Kibana resource on Kubernetes.

    Raises:
        ConnectorError: something that Kibana would refuse or read otherwise.
        UsageError: options that do not go together.
    """
    if form == "eck" and secrets != "keystore":
        raise UsageError(
            f"secrets: expected keystore with the form eck, found {secrets}",
            hint="On Kubernetes the operator fills the keystore from Secrets; keystore-eck.sh makes those.",
        )
    made = _main(connectors, settings, stack, form, secrets, values, name)
    rendered = render_all(connectors, stack)
    installs: tuple[Install, ...] = ("eck",) if form == "eck" else tuple(one for one in INSTALLS if one != "eck")
    scripts = [File(f"keystore-{one}.sh", keystore_script(rendered, one), 0o755) for one in installs]
    files = (
        File(
            "kibana-resource.yml" if form == "eck" else "kibana.yml", made.text, 0o600 if made.holds_secrets else 0o644
        ),
        *(scripts if secrets == "keystore" else ()),
        File("NEXT-STEPS.md", next_steps(connectors, settings, stack=stack)),
        *_endpoints(connectors, stack),
    )
    return Folder(files, made.notes, made.holds_secrets)


def _main(
    connectors: Sequence[Connector],
    settings: Settings,
    stack: StackVersion,
    form: Form,
    secrets: SecretsMode,
    values: SecretValues | None,
    name: str,
) -> Snippet:
    if form == "eck":
        return eck(connectors, settings, stack=stack, name=name)
    return snippet(connectors, settings, stack=stack, secrets=secrets, values=values)


def _endpoints(connectors: Sequence[Connector], stack: StackVersion) -> tuple[File, ...]:
    calls = [f"PUT {made.path}\n{made.body}\n" for connector in connectors if (made := endpoint(connector))]
    if not calls or not ENDPOINT_SINCE.has(stack):
        return ()
    head = f"# For Kibana's Dev Tools Console. Put the token in place of {TOKEN}; Elasticsearch keeps it encrypted.\n\n"
    return (File("inference-endpoints.console", head + "\n".join(calls)),)
