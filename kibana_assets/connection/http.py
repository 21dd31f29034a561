"""One exchange with a server by requests: what the client of Elasticsearch and that of Kibana both stand on.

Rules: redirects are not followed, so that a login never leaves the address that was given. Every answer is bounded in
size and, as a whole, in time (``timed``). What tells of a failure is kept without the login, should it repeat that.
Proxies come from --proxy or the environment; .netrc and cookies are not used.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter

from kibana_assets.connection.address import Address
from kibana_assets.connection.reasons import innermost, unreachable
from kibana_assets.connection.secrets import without_login
from kibana_assets.connection.timed import POOLS
from kibana_assets.connection.trust import Trust, context
from kibana_assets.errors import UnreachableError

CONNECT_SECONDS: Final = 10.0
LARGEST: Final = 32 << 20
_FAILURES: Final = (OSError, urllib3.exceptions.HTTPError, http.client.HTTPException, UnicodeError)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """Connections to one server, kept open between requests; ``timeout`` in seconds, for each whole answer."""

    def __init__(self, address: Address, trust: Trust, *, proxy: str = "", timeout: float = 60.0) -> None:
        self.address = address
        self.timeout = timeout
        self._trust = trust
        self._proxies = {"http": proxy, "https": proxy} if proxy else environment_proxies(address.url)
        self._session: requests.Session | None = None

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], data: bytes | None, timeout: float | None = None
    ) -> Answer:
        """Send one request to ``path`` below the address. Raises: UnreachableError; UsageError for a CA file."""
        allowed = timeout or self.timeout
        place = f"{method} {self.address.url}{path.split('?')[0]}"
        try:
            with self._opened().request(
                method,
                self.address.url + path,
                headers={"User-Agent": "llm-bundle", "Accept-Encoding": "identity", **headers},
                data=data,
                stream=True,
                allow_redirects=False,
                timeout=(min(CONNECT_SECONDS, allowed), allowed),
                proxies=self._proxies,
            ) as response:
                body = _read(response, place)
                status = response.status_code
                return Answer(status, response.headers, body if status == 200 else without_login(body, headers))
        except _FAILURES as error:
            raise unreachable(place, self.address.host, error) from innermost(error)

    def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            self._session.close()

    def _opened(self) -> requests.Session:
        if self._session is None:
            session = _Session()
            session.trust_env = False
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            session.headers.clear()
            made = None
            if self.address.secure:
                proxy = self._proxies.get("https", "")
                made = context(self._trust, self.address, proxy=proxy, timeout=min(CONNECT_SECONDS, self.timeout))
            session.mount(self.address.url[: self.address.url.index("/") + 2], _Adapter(made))
            self._session = session
        return self._session


def environment_proxies(url: str) -> dict[str, str]:
    """The proxies that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name for an address."""
    return dict(requests.utils.get_environ_proxies(url, no_proxy=None))


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nothing: requests would read the whole body of a redirect, even when told not to follow it."""


class _Adapter(HTTPAdapter):
    """Verifies by our context alone; requests would add the authorities of its own list to it. Bounds whole answers."""

    def __init__(self, made: ssl.SSLContext | None) -> None:
        self._tls: dict[str, Any] = {"ssl_context": made} if made else {}
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **{**kwargs, **self._tls})
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        made = super().proxy_manager_for(proxy, **kwargs, **self._tls)
        made.pool_classes_by_scheme = POOLS
        return made

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: the context has it all."""

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {}


def _read(response: requests.Response, place: str) -> bytes:
    # Below urllib3, which would unpack what was not asked to be packed.
    raw = cast(http.client.HTTPResponse, response.raw._fp)
    body = bytearray()
    while piece := raw.read1(65536):
        body += piece
        if len(body) > LARGEST:
            raise UnreachableError(f"{place}: more than {LARGEST} bytes", hint="Is this really the server?")
    if raw.length:
        raise http.client.IncompleteRead(b"", raw.length)
    return bytes(body)
