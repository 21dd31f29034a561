"""From what ``_execute`` says of a failed run to the place to mend. No I/O.

Sources of the words: elastic/kibana, actions/server/sub_action_framework/sub_action_connector.ts (``Status code: N.
Message: …``), stack_connectors/server/connector_types/openai/openai.ts (``Unexpected API Error: CODE - …``),
actions/server/lib/action_executor.ts; the codes are Node's.
"""

from __future__ import annotations

import re

from preconfigured.live.diagnose import of_status
from preconfigured.live.finding import Finding, Place

_STATUS = re.compile(r"Status code: ([0-9]{3})\b")
_ENDPOINT = re.compile(r"Inference endpoint \[[^\]]{0,200}\] returned status code ([0-9]{3})(?:: (.*))?", re.S)
_ELASTICSEARCH = "by way of Elasticsearch "
_WORDS = re.compile(r"(?:Unauthorized )?API Error(?:: [A-Za-z -]{1,60}?)? - (.*)", re.S)
_KIBANA = "Kibana got "

# In this order: the first that fits.
_CODES: tuple[tuple[str, Place, str, str], ...] = (
    (
        r"Response validation failed.*usage",
        "model-server",
        "the answer does not say how many tokens it took, which Kibana insists on",
        "Use a server that counts tokens (usage in the answer, as vLLM and LM Studio give it).",
    ),
    (
        r"Response validation failed",
        "path",
        "the answer is no chat completion as Kibana wants it (choices, usage)",
        "Look whether apiUrl is the address of an OpenAI-compatible server, ending in /v1/chat/completions.",
    ),
    (
        r"allowedHosts",
        "allowed-hosts",
        "Kibana may not call that host",
        "Add the host of apiUrl, without a port, to xpack.actions.allowedHosts in kibana.yml and restart Kibana.",
    ),
    (
        r"error validating|Unrecognized key|Error configuring|\[apiKey\]|: Required",
        "kibana.yml",
        "Kibana does not take this connector's config or secrets",
        "Mend the connector in kibana.yml (llm-bundle connectors check names the line) and restart Kibana.",
    ),
    (
        r"ENOTFOUND|EAI_AGAIN",
        "dns",
        "Kibana does not know the host of apiUrl",
        "Mend the name in apiUrl, or make it known to the Kibana hosts (DNS or /etc/hosts).",
    ),
    (
        r"ALTNAME_INVALID|Hostname/IP does not match",
        "tls",
        "the certificate is not for the host of apiUrl",
        "Use a name in apiUrl that stands in the certificate, or issue one with that name.",
    ),
    (
        r"CERT_HAS_EXPIRED|certificate has expired",
        "tls",
        "the proxy's certificate has expired",
        "Install a new certificate at the proxy.",
    ),
    (
        r"SELF_SIGNED|self.signed|UNABLE_TO_(?:VERIFY|GET)|unable to (?:verify|get)",
        "tls",
        "Kibana does not trust the proxy's certificate",
        "Name the CA's file in xpack.actions.customHostSettings (certificateAuthoritiesFiles) for this https://host:port.",
    ),
    (
        r"EPROTO|wrong version number|ERR_SSL|ERR_TLS",
        "tls",
        "the TLS handshake failed",
        "Check http or https and the port in apiUrl, and the proxy's TLS protocols.",
    ),
    (
        r"ECONNREFUSED",
        "network",
        "nothing listens at apiUrl",
        "Start the proxy, or mend the port in apiUrl.",
    ),
    (
        r"EHOSTUNREACH|ENETUNREACH|ECONNRESET|EPIPE|socket hang up",
        "network",
        "the connection to apiUrl fails",
        "Open the way from the Kibana hosts to the proxy (firewall, route), and see the proxy's log.",
    ),
    (
        r"ETIMEDOUT|ECONNABORTED|timeout of [0-9]+ ?ms",
        "proxy-timeout",
        "the model took longer than Kibana waits",
        "Raise xpack.actions.responseTimeout (600s), and see with --direct whether proxy or model hang.",
    ),
    (
        r"TokenLimitReached",
        "context",
        "the answer was cut at a limit of tokens",
        "Give the server a longer context, or its answers a higher limit.",
    ),
    (
        r"maxContentLength",
        "kibana.yml",
        "the answer is longer than Kibana takes",
        "Raise xpack.actions.maxResponseContentLength in kibana.yml.",
    ),
    (
        r"is disabled because|license",
        "license",
        "the licence does not allow connectors of this type",
        "Connectors to language models need an Enterprise licence (or a trial).",
    ),
)


def of_message(check: str, text: str) -> Finding:
    """The finding for a failed run; ``text`` is Kibana's message and service message, already fit to print."""
    match = _STATUS.search(text)
    if match:
        words = _WORDS.search(text)
        return of_status(check, int(match[1]), words[1] if words else "", _KIBANA)
    if endpoint := _ENDPOINT.search(text):
        return _of_endpoint(check, int(endpoint[1]), endpoint[2] or "", text)
    for pattern, place, found, fix in _CODES:
        if re.search(pattern, text, re.I):
            return Finding(check, "block", f"{found} ({text})", place, fix)
    fix = "Kibana's log has more of it at this moment; --direct tries the model without Kibana."
    return Finding(check, "block", f"the run failed ({text or 'Kibana does not say why'})", "model-server", fix)


def _of_endpoint(check: str, status: int, words: str, text: str) -> Finding:
    """Elasticsearch says 404 of an endpoint that it does not have; else it hands on what the model's side said."""
    if status == 404 and re.search(r"resource_not_found|endpoint not found", words, re.I):
        fix = "PUT it (inference-endpoints.console, or NEXT-STEPS.md), or mend inferenceId in kibana.yml."
        return Finding(check, "block", f"Elasticsearch has no such endpoint ({text})", "inference-endpoint", fix)
    return of_status(check, status, words, _ELASTICSEARCH)
