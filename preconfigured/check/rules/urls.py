"""Rules about addresses: ``apiUrl`` and what it must end in, variables and credentials in it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from preconfigured import address
from preconfigured.check.case import Case, ConnectorView
from preconfigured.check.rules.rule import Hit, hit, rule
from preconfigured.check.shown import plain_text
from preconfigured.check.view import Setting

_FIRST_USE = "The connector fails when somebody first uses it"
_OPENAI_LIKE = frozenset({"gen-ai-other", "gen-ai-openai"})


def target(setting: Setting | None) -> SplitResult | None:
    """The parts of an http or https address with a host; None for any other value, also one with a variable."""
    text = setting.text if setting else None
    if text is None or "${" in text:
        return None
    try:
        parts = urlsplit(text)
        known = parts.scheme in {"http", "https"} and address.is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        return None
    return parts if known else None


def targets(case: Case) -> Iterator[tuple[ConnectorView, Setting, SplitResult]]:
    """Every connector that calls an address itself, with the setting and its parts."""
    for one in case.connectors:
        for name in ("apiUrl", "url"):
            setting = one.setting.get("config", name)
            parts = target(setting)
            if setting and parts and one.of("actionTypeId") != ".inference":
                yield one, setting, parts


@rule("bad-url", "error", "An address that is none.")
def bad_url(case: Case) -> Iterator[Hit]:
    """http or https, a host, perhaps a port."""
    for one in case.connectors:
        at = one.setting.get("config", "apiUrl")
        if at is None or not at.text or "${" in at.text or target(at) is not None:
            continue
        message = f"Expected http:// or https://, a host and a path. {_FIRST_USE}."
        yield hit(at, message, f"Write for example https://llm.example.internal{address.CHAT_PATH}.")


@rule("api-url-path", "error", "An apiUrl that does not end in /v1/chat/completions.")
def api_url_path(case: Case) -> Iterator[Hit]:
    """Kibana posts to the address as it stands."""
    for one in case.connectors:
        at = one.setting.get("config", "apiUrl")
        parts = target(at)
        if at is None or parts is None or one.kind is None or one.kind.name not in _OPENAI_LIKE:
            continue
        if not parts.path.endswith(address.CHAT_PATH):
            message = f"Kibana posts to this address as it stands; without {address.CHAT_PATH} the server answers 404."
            # Some servers offer the same API below another version.
            other = parts.path.endswith("/chat/completions")
            yield hit(at, message, f"Write {_complete(parts)}.", level="warning" if other else None)


@rule("azure-url-path", "error", "An address of Azure OpenAI that names no deployment.")
def azure_url_path(case: Case) -> Iterator[Hit]:
    """The deployment and the API's version stand in the address."""
    for one in case.connectors:
        at = one.setting.get("config", "apiUrl")
        parts = target(at)
        if at is None or parts is None or one.kind is None or one.kind.name != "gen-ai-azure":
            continue
        if not parts.path.endswith("/chat/completions") or "api-version=" not in parts.query:
            message = f"Expected …/openai/deployments/NAME/chat/completions?api-version=…. {_FIRST_USE}."
            yield hit(at, message, "Copy the deployment's target URI from the Azure portal.")


@rule("url-credentials", "error", "User name and password, or a key, in an address.")
def url_credentials(case: Case) -> Iterator[Hit]:
    """Addresses are shown in clear to everybody who may see connectors."""
    for _, setting, parts in targets(case):
        keys = [part.partition("=")[0].lower() for part in parts.query.split("&")]
        if "@" in parts.netloc or any("key" in key or "token" in key or "secret" in key for key in keys):
            message = "The address is shown in clear in Kibana and in its logs, and Kibana may ignore this part."
            yield hit(setting, message, "Take it out of the address and put the token into secrets.apiKey.")


@rule("plain-http", "note", "An address without encryption that leaves the machine.")
def plain_http(case: Case) -> Iterator[Hit]:
    """The token and every prompt cross the network in clear."""
    for one, setting, parts in targets(case):
        if one.kind and parts.scheme == "http" and not _stays(parts.hostname or ""):
            message = "The token and every prompt cross the network in clear."
            yield hit(setting, message, "Put a proxy with TLS in front of the model and write https://.")


def _complete(parts: SplitResult) -> str:
    path = parts.path.rstrip("/")
    for end in (address.CHAT_PATH, "/v1/chat", "/v1/completions", "/v1/models", "/v1", "/chat/completions"):
        path = path.removesuffix(end)
    return plain_text(f"{parts.scheme}://{parts.netloc}{path}{address.CHAT_PATH}")


def _stays(host: str) -> bool:
    return address.Address("", "http", host, 80).is_loopback


RULES = (bad_url, api_url_path, azure_url_path, url_credentials, plain_http)
