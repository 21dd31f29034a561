"""NEXT-STEPS.md: what people do after the connectors stand in kibana.yml.

Rules: it names this site's connectors and only what applies to its stack version; it holds no secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from preconfigured.air_gap_steps import air_gap_steps
from preconfigured.connectors import Connector
from preconfigured.connectors.interface import MIN_CONTEXT
from preconfigured.inference_endpoint import ENDPOINT_SINCE, TOKEN, endpoint
from preconfigured.prompts import TOOL_CALLING, TOOL_CALLING_NAME
from preconfigured.render import render_all
from preconfigured.settings import DEFAULT_SINCE, Settings
from preconfigured.version import StackVersion

_START = """\
# Next steps for the Elastic side

For Kibana {stack}. The connectors: {names}.

1. On every Kibana: supply the secrets (keystore or environment) and add the snippet to kibana.yml. Do both before you
   restart: a secret in the keystore without its connector is half a connector, and Kibana refuses that.
2. Restart every Kibana. All of them need the same snippet, or the connectors come and go with the load balancer.
3. In any space open **Stack Management > Connectors**: each connector is listed as *preconfigured*. Do the same in a
   second space; nothing has to be set up there. `llm-bundle connectors list --kibana URL` looks into all of them.
4. Run the connector's test from that page, or `llm-bundle connectors try ID --kibana URL`. 401 means the token, 404 the
   address, 413 the proxy's body size, 504 its time-out; an error about a certificate means
   `xpack.actions.customHostSettings`.
"""

_SECURITY = """\
## AI Assistant for Security

- On the **Conversations** tab of the assistant's settings turn **Streaming** off.
- Models of your own do well in the assistant, and less well in **Attack discovery**: see Elastic's performance matrix
  of models before you use one there.
"""

_PROMPT = """\
- On the **System prompts** page add a prompt, so that the model does not write its tool calls into the conversation,
  and make it the default of the conversations that use {tools}. `llm-bundle connectors
  prompts --kibana URL` adds it; by hand, name it for example *{name}*:

{prompt}
"""

_OBSERVABILITY = """\
## AI Assistant for Observability

It needs a model with a context window of at least {least:,} tokens. The server decides: vLLM's `--max-model-len`, LM
Studio's `lms load … --context-length {least}`.
"""


def next_steps(connectors: Sequence[Connector], settings: Settings, *, stack: StackVersion) -> str:
    """Write NEXT-STEPS.md for these connectors: Markdown that ends in a line break.

    Raises:
        ConnectorError: a connector cannot be rendered for that stack version.
    """
    render_all(connectors, stack)
    parts = [
        _START.format(stack=stack, names=", ".join(f"`{c.id}`" for c in connectors)),
        _security(connectors),
        _OBSERVABILITY.format(least=MIN_CONTEXT) + "".join(_contexts(connectors)),
        _default(connectors, settings, stack),
        *((air_gap_steps(settings.air_gap, stack),) if settings.air_gap else ()),
        *_endpoints(connectors, stack),
    ]
    return "\n".join(parts)


def _security(connectors: Sequence[Connector]) -> str:
    tools = [connector.id for connector in connectors if connector.native_function_calling]
    if not tools:
        return _SECURITY
    prompt = "\n".join(f"      {line}".rstrip() for line in TOOL_CALLING.splitlines())
    names = ", ".join(f"`{name}`" for name in tools)
    return _SECURITY + _PROMPT.format(tools=names, name=TOOL_CALLING_NAME, prompt=prompt)


def _contexts(connectors: Sequence[Connector]) -> Iterator[str]:
    yield "\n"
    for connector in connectors:
        if connector.context is None:
            yield f"- `{connector.id}`: its context window is not known here: ask those who run the model.\n"
        elif connector.context < MIN_CONTEXT:
            yield f"- `{connector.id}`: {connector.context:,} tokens, **too few**. Do not choose it there.\n"
        else:
            yield f"- `{connector.id}`: {connector.context:,} tokens, enough.\n"


def _default(connectors: Sequence[Connector], settings: Settings, stack: StackVersion) -> str:
    head = "## The default connector\n\n"
    if not DEFAULT_SINCE.has(stack):
        return head + (
            f"Kibana {stack} has no setting for it: each person chooses the connector in the assistant, once in each\n"
            "space.\n"
        )
    if settings.default_connector:
        return head + (
            f"`{settings.default_connector}` is set in kibana.yml (`uiSettings.overrides`), for every space; the page\n"
            "**Stack Management > GenAI Settings** shows it and cannot change it.\n"
        )
    return head + (
        "None is set. For one space: **Stack Management > GenAI Settings > Default AI Connector**. For every space,\n"
        "add to kibana.yml:\n\n"
        f"```yaml\nuiSettings.overrides:\n  'genAiSettings:defaultAIConnector': {connectors[0].id}\n```\n"
    )


def _endpoints(connectors: Sequence[Connector], stack: StackVersion) -> Iterator[str]:
    found = [made for made in map(endpoint, connectors) if made]
    if not found or not ENDPOINT_SINCE.has(stack):
        return
    yield (
        "## The same model as an inference endpoint\n\n"
        "Newer stacks prefer an inference endpoint to the OpenAI connector (deprecated in 9.5, hidden from the form\n"
        "for new connectors in 9.6; those that exist go on working). There Elasticsearch calls the model, not Kibana:\n"
        "its nodes must reach the proxy and trust its certificate; `xpack.actions` has no part in it. Send this to\n"
        f"Elasticsearch with the token in place of `{TOKEN}`; it is kept encrypted and never shown again.\n"
    )
    for made in found:
        yield f"```\nPUT {made.path}\n{made.body}\n```\n"
