"""The connectors of the tests' Kibana: read from a kibana.yml, shown, and run against their real ``apiUrl``.

As Kibana does: nothing of config and secrets is checked before the first run; only a wrong envelope stops the start.
Words: elastic/kibana (actions, stack_connectors, kbn-connector-schemas); error codes: Node's.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from ruamel.yaml import YAML

ENVELOPE = {"name", "actionTypeId", "config", "secrets", "exposeConfig"}
TYPES = {".gen-ai", ".bedrock", ".gemini", ".inference", ".email", ".slack"}
_CONFIG: dict[str, tuple[set[str], set[str]]] = {
    "Other": (
        {"apiProvider", "apiUrl", "defaultModel"},
        {"verificationMode", "headers", "contextWindowLength", "temperature", "enableNativeFunctionCalling"},
    ),
    "OpenAI": ({"apiProvider", "apiUrl"}, {"defaultModel", "organizationId", "projectId", "headers"}),
}
OTHERS = {".inference": "unified_completion", ".bedrock": "invokeAI"}
_RUN_KEYS = {"run": {"body"}, "test": {"body"}, "stream": {"body", "stream"}}
_TLS = {10: "CERT_HAS_EXPIRED", 18: "DEPTH_ZERO_SELF_SIGNED_CERT", 19: "SELF_SIGNED_CERT_IN_CHAIN"}


class StartError(Exception):
    """Kibana would not start."""


class RunError(Exception):
    """A run failed; the text is what Kibana gives back."""


@dataclass(slots=True)
class Connector:
    """A connector; ``space`` is None for a preconfigured one."""

    id: str
    name: str
    type: str
    config: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, Any] = field(default_factory=dict)
    expose: bool = False
    space: str | None = None
    missing_secrets: bool = False
    deprecated: bool = False

    def row(self) -> dict[str, Any]:
        """As ``GET /api/actions/connectors`` shows it."""
        row: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "connector_type_id": self.type,
            "is_preconfigured": self.space is None,
            "is_deprecated": self.deprecated,
            "referenced_by_count": 0,
            "is_system_action": False,
        }
        if self.space is not None:
            row["is_missing_secrets"] = self.missing_secrets
        if self.space is not None or self.expose:
            row["config"] = self.config
        return row


class Settings:
    """``xpack.actions`` of a kibana.yml, both spellings; ``keystore`` holds settings by their whole names."""

    def __init__(self, text: str, keystore: Mapping[str, str]) -> None:
        tree = _nested(YAML(typ="safe").load(io.StringIO(text)) or {})
        for key, value in keystore.items():
            _put(tree, key.split("."), _kept(value))
        actions = tree.get("xpack", {}).get("actions", {})
        self.allowed: list[str] = actions.get("allowedHosts", ["*"])
        self.timeout = _seconds(actions.get("responseTimeout", "60s"))
        self.endpoints: dict[str, tuple[str, str]] = {}
        self.hosts: list[dict[str, Any]] = actions.get("customHostSettings", [])
        self.connectors = [_preconfigured(key, value) for key, value in actions.get("preconfigured", {}).items()]

    def run(self, connector: Connector, sub_action: str, params: dict[str, Any]) -> Any:
        """What ``_execute`` gives back as ``data``.

        Raises:
            RunError: the run fails.
        """
        if connector.type in OTHERS:
            return run_other(self, connector, sub_action, params)
        self._check(connector)
        if sub_action not in _RUN_KEYS:
            raise RunError(
                f'Sub action "{sub_action}" is not registered. Connector id: {connector.id}. '
                f"Connector name: OpenAI. Connector type: {connector.type}"
            )
        unknown = sorted(set(params) - _RUN_KEYS[sub_action] - {"signal", "timeout", "telemetryMetadata"})
        if unknown:
            raise RunError(f"Request validation failed (Unrecognized key(s) in object: {_quoted(unknown)})")
        body = {**json.loads(params["body"]), "stream": False}
        if sub_action == "stream" and "model" not in body:
            body["model"] = connector.config.get("defaultModel")
        return self._post(connector, body)

    def _check(self, connector: Connector) -> None:
        config, secrets = connector.config, connector.secrets
        needed, optional = _CONFIG.get(config.get("apiProvider", ""), _CONFIG["Other"])
        unknown = sorted(set(config) - needed - optional)
        prefix = "error validating connector type config: "
        if unknown:
            raise RunError(f"{prefix}Unrecognized key(s) in object: {_quoted(unknown)}")
        missing = sorted(needed - set(config))
        if missing:
            raise RunError(f'{prefix}Field "{missing[0]}": Required')
        host = urlsplit(config["apiUrl"]).hostname
        if not host:
            raise RunError(f"{prefix}Error configuring OpenAI action: Error: URL Error: URL must contain hostname")
        if "*" not in self.allowed and host not in self.allowed:
            raise RunError(
                f"{prefix}Error configuring OpenAI action: Error: error validating url: target url "
                f'"{config["apiUrl"]}" is not added to the Kibana config xpack.actions.allowedHosts'
            )
        if not isinstance(secrets.get("apiKey"), str) or not secrets["apiKey"]:
            kind = type(secrets.get("apiKey")).__name__.replace("NoneType", "undefined").replace("int", "number")
            raise RunError(
                f"error validating connector type secrets: [apiKey]: expected value of type [string] but got [{kind}]"
            )

    def _post(self, connector: Connector, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {connector.secrets['apiKey']}", **connector.config.get("headers", {})}
        answer = self.call(connector.config["apiUrl"], body, headers)
        if answer.status_code != 200:
            raise RunError(_refused(answer))
        data = answer.json()
        if not isinstance(data, dict) or "choices" not in data or "usage" not in data:
            raise RunError("Response validation failed (Error: [usage]: Required)")
        return data

    def call(self, url: str, body: dict[str, Any], headers: dict[str, str]) -> requests.Response:
        """Post a body, as Kibana's connectors do; raises RunError where there is no answer."""
        session = requests.Session()
        session.trust_env = False
        try:
            return session.post(url, json=body, headers=headers, timeout=self.timeout, verify=self._trust(url))
        except requests.RequestException as error:
            raise RunError(f"Status code: undefined. Message: Unexpected API Error: {self._code(error)}") from error
        finally:
            session.close()

    def _trust(self, url: str) -> str | bool:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.hostname}:{parts.port or 443}"
        for entry in self.hosts:
            files = entry.get("ssl", {}).get("certificateAuthoritiesFiles", [])
            if entry["url"] == origin:
                return str(files if isinstance(files, str) else files[0])
        return True

    def _code(self, error: requests.RequestException) -> str:
        text = str(error)
        if isinstance(error, requests.exceptions.SSLError):
            found = re.search(r"certificate verify failed: (.*?) \(_ssl", text)
            if found and "mismatch" in found[1]:
                return "ERR_TLS_CERT_ALTNAME_INVALID - Hostname/IP does not match certificate's altnames"
            code = next((code for number, code in _TLS.items() if _says(found, number)), "")
            return f"{code or 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'} - {found[1] if found else 'TLS failed'}"
        if isinstance(error, requests.Timeout):
            return f"ECONNABORTED - timeout of {self.timeout * 1000:.0f}ms exceeded"
        if "resolve" in text or "resolution" in text:
            return "ENOTFOUND - getaddrinfo ENOTFOUND"
        return "ECONNREFUSED - connect ECONNREFUSED" if "refused" in text else "ECONNRESET - socket hang up"


def run_other(settings: Settings, connector: Connector, sub_action: str, params: dict[str, Any]) -> Any:
    """The runs of ``.inference`` (``Settings.endpoints`` is Elasticsearch: id → address and token), and ``.bedrock``.

    Raises:
        RunError: the run fails.
    """
    if sub_action != OTHERS[connector.type]:
        raise RunError(f'Sub action "{sub_action}" is not registered. Connector id: {connector.id}.')
    if connector.type == ".bedrock":
        url = f"{connector.config['apiUrl']}/model/{connector.config['defaultModel']}/invoke"
        answer = settings.call(url, {**params, "max_tokens": 8191}, {})
        if answer.status_code != 200:
            raise RunError(_refused(answer))
        return {"message": answer.json()["content"][0]["text"], "usage": {"input_tokens": 1, "output_tokens": 1}}
    unknown = sorted(set(params["body"]) - {"messages", "model", "max_tokens", "temperature", "tool_choice", "tools"})
    if unknown:
        raise RunError(f"Request validation failed (Unrecognized key(s) in object: {_quoted(unknown)})")
    name = connector.config["inferenceId"]
    said = f"Inference endpoint [{name}] returned status code"
    if name not in settings.endpoints:
        reason = {"type": "resource_not_found_exception", "reason": f"Inference endpoint not found [{name}]"}
        raise RunError(f"{said} 404: {json.dumps({'error': reason, 'status': 404})}")
    url, token = settings.endpoints[name]
    answer = settings.call(url, params["body"], {"Authorization": f"Bearer {token}"})
    if answer.status_code != 200:
        raise RunError(f"{said} {answer.status_code}: {answer.text}")
    return answer.json()


def _says(found: re.Match[str] | None, number: int) -> bool:
    words = {10: "has expired", 18: "self-signed certificate$", 19: "self-signed certificate in certificate chain"}
    return bool(found and re.search(words[number], found[1]))


def _refused(answer: requests.Response) -> str:
    try:
        document = answer.json()
    except ValueError:
        document = {}
    error = document.get("error") if isinstance(document, dict) else None
    words = error.get("message") if isinstance(error, dict) else error
    tail = f" - {words}" if words else ""
    said = f"Unauthorized API Error{tail}" if answer.status_code == 401 else f"API Error: {answer.reason}{tail}"
    return f"Status code: {answer.status_code}. Message: {said}"


def _preconfigured(connector: str, value: Any) -> Connector:
    if not isinstance(value, dict) or set(value) - ENVELOPE:
        raise StartError(f"[config validation of [xpack.actions].preconfigured.{connector}]: definition is not allowed")
    for key in ("name", "actionTypeId"):
        if not isinstance(value.get(key), str):
            where = f"[config validation of [xpack.actions].preconfigured.{connector}.{key}]"
            raise StartError(f"{where}: expected value of type [string] but got [undefined]")
    config, secrets = value.get("config") or {}, value.get("secrets") or {}
    return Connector(
        connector, value["name"], value["actionTypeId"], config, secrets, expose=value.get("exposeConfig", False)
    )


def _kept(value: str) -> Any:
    """Kibana parses what its keystore holds: unquoted digits become a number."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _nested(value: Any) -> Any:
    """Dots split keys, everywhere."""
    if not isinstance(value, dict):
        return value
    tree: dict[str, Any] = {}
    for key, inner in value.items():
        _put(tree, str(key).split("."), _nested(inner))
    return tree


def _put(tree: dict[str, Any], parts: list[str], value: Any) -> None:
    for part in parts[:-1]:
        tree = tree.setdefault(part, {})
    if isinstance(value, dict) and isinstance(tree.get(parts[-1]), dict):
        for key, inner in value.items():
            _put(tree[parts[-1]], [key], inner)
    else:
        tree[parts[-1]] = value


def _seconds(text: str) -> float:
    found = re.fullmatch(r"([0-9]+)(ms|s|m)", text)
    if not found:
        raise StartError("[config validation of [xpack.actions].responseTimeout]: Failed to parse value as time value")
    return int(found[1]) * {"ms": 0.001, "s": 1.0, "m": 60.0}[found[2]]


def _quoted(keys: list[str]) -> str:
    return ", ".join(f"'{key}'" for key in keys)
