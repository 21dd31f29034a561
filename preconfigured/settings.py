"""The settings of kibana.yml around the connectors.

Rules: nothing here belongs to one connector; each of these acts on the whole Kibana, and its comment says so. A
setting that the stack version does not know is left out with a note, since Kibana refuses to start on some of them.
Sources: elastic/kibana, x-pack/platform/plugins/shared/actions/server/config.ts; Kibana's settings reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from preconfigured import address
from preconfigured.connectors import LOCAL_PROVIDERS, Note, Rendered
from preconfigured.errors import ConnectorError
from preconfigured.values import check_path
from preconfigured.version import Since, StackVersion
from preconfigured.yaml_text import Entry, Items

DEFAULT_KEY = "genAiSettings:defaultAIConnector"
ONLY_KEY = "genAiSettings:defaultAIConnectorOnly"
CHAT_MODEL_FLAG = "securitySolution.inferenceChatModelDisabled"
# The default connector came with the GenAI Settings page; the flag with the chat model that it switches off.
DEFAULT_SINCE = Since.parse(["9.2.0"])
CHAT_MODEL_SINCE = Since.parse(["8.19.0", "9.1.0"])
PRODUCT_DOCS_SINCE = Since.parse(["8.17.0"])
PRODUCT_DOCS_FILE_SINCE = Since.parse(["9.1.0"])

_DURATION = re.compile(r"[1-9][0-9]{0,9}(?:ms|s|m|h|d)", re.ASCII)
_SIZE = re.compile(r"[1-9][0-9]{0,9}(?:b|kb|mb|gb)", re.ASCII)


@dataclass(frozen=True, slots=True)
class AirGap:
    """A site without the internet; both addresses are those of mirrors inside, None where there is none."""

    registry_url: str | None = None
    product_docs_url: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the site needs around its connectors.

    ``private_ca`` is the path of a PEM file on every Kibana host. ``allowed_hosts`` empty leaves Kibana's own rule
    (every host); the hosts of the connectors are added to it. ``inference_chat_model_disabled`` None means: where a
    vLLM connector is there. Durations and sizes are in Kibana's notation.
    """

    private_ca: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    response_timeout: str = "600s"
    max_response_content_length: str = "10mb"
    default_connector: str | None = None
    default_only: bool = False
    inference_chat_model_disabled: bool | None = None
    air_gap: AirGap | None = None


@dataclass(frozen=True, slots=True)
class Around:
    """The settings around the connectors as entries of kibana.yml's top level, and what is to be said about them."""

    entries: tuple[Entry, ...]
    notes: tuple[Note, ...]


def around(settings: Settings, connectors: Sequence[Rendered], stack: StackVersion) -> Around:
    """Write the settings for these connectors and this stack version.

    Raises:
        ConnectorError: a setting that Kibana would refuse, or that does not fit the connectors.
    """
    found = [
        *_private_ca(settings, connectors),
        *_allowed_hosts(settings, connectors),
        *_limits(settings),
        *_default(settings, connectors, stack),
        *_chat_model(settings, connectors, stack),
        *_air_gap(settings.air_gap, stack),
    ]
    entries = tuple(part for part in found if isinstance(part, Entry))
    return Around(entries, tuple(part for part in found if isinstance(part, Note)))


def called_by_kibana(connector: Rendered) -> address.Address | None:
    """The address that Kibana itself calls for a connector; None where Elasticsearch does."""
    url = connector.config.get("apiUrl")
    if not isinstance(url, str):
        return None
    place = f"{connector.place}.config.apiUrl"
    return address.azure(url, place) if "?" in url else address.server(url, place)


def _private_ca(settings: Settings, connectors: Sequence[Rendered]) -> Iterator[Entry | Note]:
    if settings.private_ca is None:
        return
    path = check_path(settings.private_ca, "settings.private_ca")
    local = [called_by_kibana(c) for c in connectors if c.provider in LOCAL_PROVIDERS]
    origins = dict.fromkeys(target.origin for target in local if target and target.scheme == "https")
    if not origins:
        yield Note("xpack.actions.customHostSettings", "left out: no connector calls a server of yours over https")
        return
    yield Entry(
        "xpack.actions.customHostSettings",
        Items(tuple(_host(origin, path) for origin in origins)),
        "Trust your own certificate authority for these addresses: scheme, host and port, never a path. Kibana must be "
        "able to read the file; if it cannot, it only logs a warning and the connection fails later.",
    )


def _host(origin: str, path: str) -> tuple[Entry, ...]:
    ssl = (Entry("verificationMode", "full"), Entry("certificateAuthoritiesFiles", Items((path,))))
    return (Entry("url", origin), Entry("ssl", ssl))


def _allowed_hosts(settings: Settings, connectors: Sequence[Rendered]) -> Iterator[Entry | Note]:
    if not settings.allowed_hosts:
        return
    for host in settings.allowed_hosts:
        if host != "*" and not address.is_host(host):
            raise ConnectorError(
                f"settings.allowed_hosts: expected a host name without a port, found {host[:80]!r}",
                hint="Kibana refuses to start on a port or a path here.",
            )
    targets = (called_by_kibana(connector) for connector in connectors)
    needed = (target.host for target in targets if target)
    added = () if "*" in settings.allowed_hosts else tuple(needed)
    hosts = tuple(dict.fromkeys((*settings.allowed_hosts, *added)))
    yield Entry(
        "xpack.actions.allowedHosts",
        Items(hosts),
        "The only hosts that connectors of any type may call, without ports. Add those of your other connectors "
        "(mail, chat, webhooks): what is missing here stops working.",
    )


def _limits(settings: Settings) -> Iterator[Entry]:
    yield Entry(
        "xpack.actions.responseTimeout",
        _match(_DURATION, settings.response_timeout, "response_timeout", "a duration such as 600s"),
        "How long a connector waits for an answer (all connectors; Kibana's own value is 60s). A model of your own may "
        "take minutes over a long prompt; the proxy in front of it must wait as long.",
    )
    yield Entry(
        "xpack.actions.maxResponseContentLength",
        _match(_SIZE, settings.max_response_content_length, "max_response_content_length", "a size such as 10mb"),
        "The longest answer that a connector takes (all connectors; Kibana's own value is 1mb).",
    )


def _match(pattern: re.Pattern[str], value: str, name: str, expected: str) -> str:
    if not pattern.fullmatch(value):
        found = f"settings.{name}: expected {expected}, found {value[:40]!r}"
        raise ConnectorError(found, hint="Kibana would not start.")
    return value


def _default(settings: Settings, connectors: Sequence[Rendered], stack: StackVersion) -> Iterator[Entry | Note]:
    chosen = settings.default_connector
    if chosen is None:
        if settings.default_only:
            raise ConnectorError(
                "settings.default_only: expected default_connector with it, found none",
                hint="Name the connector that is to be the only one.",
            )
        return
    if chosen not in {connector.id for connector in connectors}:
        raise ConnectorError(
            f"settings.default_connector: expected the id of a connector, found {chosen[:80]!r}",
            hint=f"Known here: {', '.join(connector.id for connector in connectors)}.",
        )
    if not DEFAULT_SINCE.has(stack):
        lost = "people choose the connector in each assistant, and in each space"
        yield _newer(f"uiSettings.overrides.{DEFAULT_KEY}", stack, DEFAULT_SINCE, lost)
        return
    only = (Entry(ONLY_KEY, True, "Hides every other connector from the assistants."),) if settings.default_only else ()
    yield Entry(
        "uiSettings.overrides",
        (Entry(DEFAULT_KEY, chosen), *only),
        "The connector that every assistant starts with, in every space. Nobody can change it in the user interface.",
    )


def _chat_model(settings: Settings, connectors: Sequence[Rendered], stack: StackVersion) -> Iterator[Entry | Note]:
    wanted = settings.inference_chat_model_disabled
    if wanted is None:
        wanted = any(connector.provider == "vllm" for connector in connectors)
    if not wanted:
        return
    if not CHAT_MODEL_SINCE.has(stack):
        lost = "nothing is lost, because what it switches off is younger too"
        yield _newer(f"feature_flags.overrides.{CHAT_MODEL_FLAG}", stack, CHAT_MODEL_SINCE, lost)
        return
    yield Entry(
        "feature_flags.overrides",
        (Entry(CHAT_MODEL_FLAG, True),),
        "The Security AI Assistant then talks to the connector directly, which models served by vLLM get along with "
        "better. It holds for all connectors of that assistant.",
    )


def _air_gap(air_gap: AirGap | None, stack: StackVersion) -> Iterator[Entry | Note]:
    if air_gap is None:
        return
    yield Entry("xpack.fleet.isAirGapped", True, "Fleet does not try to reach the internet.")
    if air_gap.registry_url:
        yield Entry(
            "xpack.fleet.registryUrl",
            address.server(air_gap.registry_url, "settings.air_gap.registry_url").url,
            "The package registry inside the site. While it is named here, Fleet must reach it to take an upload.",
        )
    if air_gap.product_docs_url:
        yield from _product_docs(air_gap.product_docs_url, stack)


def _product_docs(url: str, stack: StackVersion) -> Iterator[Entry | Note]:
    key = "xpack.productDocBase.artifactRepositoryUrl"
    is_file = url.startswith("file:///")
    since = PRODUCT_DOCS_FILE_SINCE if is_file else PRODUCT_DOCS_SINCE
    if is_file:
        check_path(url.removeprefix("file://"), "settings.air_gap.product_docs_url")
    else:
        address.server(url, "settings.air_gap.product_docs_url")
    if not since.has(stack):
        yield _newer(f"{key}: {url}", stack, since, "the assistants answer without Elastic's manuals")
        return
    yield Entry(
        key,
        url,
        "Where the assistants find Elastic's manuals: the four kb-product-doc-*-"
        f"{stack.major}.{stack.minor}.zip files. ELSER, which searches them, is set up in elasticsearch.yml "
        "(xpack.ml.model_repository).",
    )


def _newer(place: str, stack: StackVersion, since: Since, lost: str) -> Note:
    return Note(place, f"left out, because Kibana {stack} does not have it (it came with {since}); {lost}")
