"""Addresses of models: what ``apiUrl`` must be.

Rules: Kibana posts to ``apiUrl`` as it stands, so the path of an OpenAI-compatible server is completed here, with a
note, and anything that cannot be completed for certain is refused. An address with a user name or password is
refused without being repeated.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from preconfigured.errors import ConnectorError

CHAT_PATH = "/v1/chat/completions"
_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]{1,2048}", re.ASCII)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?", re.ASCII)
_AZURE_QUERY = re.compile(r"api-version=[A-Za-z0-9.-]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """An address, checked. ``host`` has no brackets; ``completed`` says that a part of the path was added."""

    url: str
    scheme: str
    host: str
    port: int
    completed: bool = False

    @property
    def origin(self) -> str:
        """``scheme://host:port``, always with the port, as customHostSettings wants it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the address stays on the machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"


def server(url: str, place: str) -> Address:
    """Check an address of which only the form matters (http or https, a host, no query, no credentials).

    Raises:
        ConnectorError: it is no such address.
    """
    parts = _split(url, place)
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ConnectorError(f"{place}: expected no '?' and no '#'", hint="Give the address without its query.")
    return _address(url, parts, place)


def chat(url: str, place: str) -> Address:
    """Check the address of an OpenAI-compatible server; complete its path to ``/v1/chat/completions``.

    Raises:
        ConnectorError: it is no address, or its path is another one.
    """
    parts = _split(url, place)
    found = server(url, place)
    path = parts.path.rstrip("/")
    if path.endswith(CHAT_PATH):
        complete = url.rstrip("/")
    elif path == "":
        complete = url.rstrip("/") + CHAT_PATH
    elif path.endswith("/v1"):
        complete = url.rstrip("/") + CHAT_PATH.removeprefix("/v1")
    else:
        raise ConnectorError(
            f"{place}: expected an address that ends in {CHAT_PATH}, found the path {parts.path[:80]!r}",
            hint="Kibana posts to this address as it stands; give the whole path, or end it in /v1.",
        )
    return Address(complete, found.scheme, found.host, found.port, completed=complete != url)


def azure(url: str, place: str) -> Address:
    """Check the address of an Azure OpenAI deployment: https, ``…/chat/completions``, perhaps ``?api-version=…``.

    Raises:
        ConnectorError: it is no such address.
    """
    parts = _split(url, place)
    if parts.scheme != "https" or not parts.path.endswith("/chat/completions") or parts.fragment:
        raise ConnectorError(
            f"{place}: expected https://NAME.openai.azure.com/openai/deployments/MODEL/chat/completions?api-version=…",
            hint="Copy the deployment's target URI from the Azure portal.",
        )
    if parts.query and not _AZURE_QUERY.fullmatch(parts.query):
        raise ConnectorError(f"{place}: expected no query but api-version", hint="A key belongs in the keystore.")
    return _address(url, parts, place)


def _split(url: str, place: str) -> SplitResult:
    if not _CHARACTERS.fullmatch(url):
        raise ConnectorError(
            f"{place}: expected an address of 1 to 2048 plain characters such as https://llm.example.internal/v1",
            hint="No spaces, no line breaks; a host name with other letters is written in its xn-- form.",
        )
    try:
        parts = urlsplit(url)
    except ValueError as error:
        message = f"{place}: expected an address, found one with a broken host"
        raise ConnectorError(message, hint="An IPv6 address stands in [brackets].") from error
    if parts.username is not None or parts.password is not None:
        raise ConnectorError(
            f"{place}: expected an address without user name and password",
            hint="The token belongs in the keystore; kibana.yml is no place for it.",
        )
    if parts.scheme not in {"http", "https"}:
        raise ConnectorError(f"{place}: expected http:// or https://, found {url[:12]!r}", hint="Name the scheme.")
    return parts


def _address(url: str, parts: SplitResult, place: str) -> Address:
    host = parts.hostname or ""
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise ConnectorError(f"{place}: expected a port from 1 to 65535", hint="Mend the port.") from error
    if not is_host(host):
        raise ConnectorError(f"{place}: expected a host name, found {host[:80]!r}", hint="Name the proxy's host.")
    return Address(url, parts.scheme, host, port)


def is_host(host: str) -> bool:
    """Whether a text is a host's name or IP address, without port and brackets."""
    return _is_ip(host) or (len(host) <= 253 and _HOST.fullmatch(host) is not None)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host
