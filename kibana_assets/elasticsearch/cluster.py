"""A cluster that assets are installed into: the official client, with errors in words and patience with what passes.

Rules: what a busy or restarting cluster answers (429, 502, 503, 504, a cut or refused connection) is tried again with
growing pauses until the patience is at its end, but an address that never answered is not waited for. What may be
done only once is never sent twice after a cut. Serverless and versions below 8.19 are refused before anything else is
asked. The client is of 8.19: it speaks to 8.19 and to 9.x.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from typing import Any, Final

from elastic_transport import ApiError, TransportError
from elasticsearch import Elasticsearch, ElasticsearchWarning, UnsupportedProductError

from kibana_assets.connection.target import Target
from kibana_assets.connection.version import NOT_HERE, OLDEST, told_version
from kibana_assets.elasticsearch.node import Documents, node_class
from kibana_assets.elasticsearch.refusal import BUSY, of_refusal
from kibana_assets.errors import KibanaAssetsError, RefusedError, UnreachableError

_PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0)
_OTHER: Final = "Another server answers, or a proxy's login page: give Elasticsearch's own address and base path."


class Cluster:
    """The cluster behind ``target``; nothing is sent before the first call."""

    def __init__(self, target: Target) -> None:
        self.place = target.addresses[0].url
        self._patience = target.patience
        self._answered = False
        self._client = Elasticsearch(
            [address.url for address in target.addresses],
            headers={"authorization": target.login.authorization} if target.login.authorization else {},
            node_class=node_class(target.trust, target.proxy, target.timeout),
            serializers={"application/json": Documents()},
            request_timeout=target.timeout,
            max_retries=len(target.addresses) - 1,
            retry_on_status=(),
            retry_on_timeout=True,
        )

    def version(self) -> str:
        """The version of the cluster. Raises: RefusedError for one that is too old, or serverless; as ``call``."""
        try:
            told = told_version(self.call("GET", "/"))
        except RefusedError as error:
            if error.status not in NOT_HERE:
                raise
            said = f"{self.place}: no Elasticsearch answers there, but something that says {error.status}"
            hint = "Another server listens there: give a node's own address, with its base path if it has one."
            raise UnreachableError(said, hint=hint) from error
        if told.serverless:
            raise RefusedError(
                f"{self.place}: Elasticsearch Serverless has neither ingest node settings nor lifecycles of ours",
                hint="Install into an Elasticsearch that you run, 8.19 or newer.",
            )
        if not told.number:
            hint = "Is this an Elasticsearch? Give its own address and base path."
            raise UnreachableError(f"{self.place}: does not tell its version", hint=hint)
        if told.old:
            raise RefusedError(
                f"{self.place}: Elasticsearch {told.number}: expected {OLDEST[0]}.{OLDEST[1]} or newer",
                hint="The package's pipelines and templates use what older versions do not have. Upgrade the stack.",
            )
        return told.number

    def get(self, path: str, **params: str) -> Any:
        """The JSON at ``path``, or None where there is nothing. Raises: as ``call``."""
        try:
            return self.call("GET", path, params=params)
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    def delete(self, path: str) -> bool:
        """Remove what is at ``path``; False where nothing was. Raises: as ``call``."""
        try:
            self.call("DELETE", path)
        except RefusedError as error:
            if error.status == 404:
                return False
            raise
        return True

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        once: bool = False,
        authorization: str = "",
    ) -> Any:
        """The JSON that the cluster answers; ``once`` for what must not be done twice.

        ``authorization`` stands for the header of another login than the target's.

        Raises: RefusedError; UnreachableError.
        """
        ends = time.monotonic() + self._patience
        for pause in (*_PAUSES, None):
            try:
                answer = self._answer(method, path, body, params or {}, once, authorization)
                self._answered = True
                return answer
            except (RefusedError, UnreachableError) as error:
                if pause is None or not self._passes(error, once) or time.monotonic() + pause > ends:
                    raise
            time.sleep(pause)
        raise AssertionError

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def _passes(self, error: KibanaAssetsError, once: bool) -> bool:
        if isinstance(error, UnreachableError):
            return error.passing and self._answered and not once
        return isinstance(error, RefusedError) and error.status in BUSY

    def _answer(
        self, method: str, path: str, body: Any, params: Mapping[str, str], once: bool, authorization: str
    ) -> Any:
        place = f"{method} {self.place}{path}"
        headers = {"accept": "application/json", **({"authorization": authorization} if authorization else {})}
        if body is not None:
            headers["content-type"] = "application/json"
        client = self._client.options(max_retries=0) if once else self._client
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ElasticsearchWarning)
            try:
                answer = client.perform_request(method, path, params=params, headers=headers, body=body).body
            except UnsupportedProductError as error:
                raise UnreachableError(f"{place}: what answers is no Elasticsearch", hint=_OTHER) from error
            except ApiError as error:
                raise of_refusal(place, error.meta.status, error.body) from error
            except TransportError as error:
                raise _own(error, place) from error
        if not isinstance(answer, dict):
            raise UnreachableError(f"{place}: expected JSON from Elasticsearch, found something else", hint=_OTHER)
        return answer


def _own(error: TransportError, place: str) -> UnreachableError:
    """The error of our wire that the client wrapped."""
    if isinstance(error.__cause__, UnreachableError):
        return error.__cause__
    return UnreachableError(f"{place}: the connection broke", hint="Try again.", passing=True)
