"""From a status and a server's words to the place to mend. No I/O; the same rules for Kibana and the direct way.

Sources of the words: vLLM 0.9 to 0.32 (its error JSON and ``{"error": "Unauthorized"}``), FastAPI (``{"detail": …}``),
LM Studio (``error`` as a text), nginx's own pages (HTML).
"""

from __future__ import annotations

import json
import re

from preconfigured.live.finding import Finding, Place

_NO_MODEL = re.compile(r"model.{0,300}(?:does not exist|not found|not loaded|is not (?:available|served))", re.I | re.S)
_CONTEXT = re.compile(r"context (?:length|window|size|overflow)|maximum (?:context|input) length|too many tokens", re.I)
_PARSER = re.compile(
    r"tool.choice.{0,80}requires|enable-auto-tool-choice|tool-call-parser|missing name for tool use", re.I
)

_FIXES: dict[int, tuple[Place, str, str]] = {
    401: (
        "token",
        "the token is refused",
        "Compare the connector's apiKey (Kibana's keystore), the proxy's token and VLLM_API_KEY: they must be equal.",
    ),
    403: ("token", "the proxy forbids it", "Check the proxy's allow and deny rules for this client and this path."),
    404: (
        "path",
        "there is nothing at this path",
        "The address must end in /v1/chat/completions, and the proxy must pass that path on unchanged.",
    ),
    405: ("path", "this path takes no POST", "The address must end in /v1/chat/completions."),
    408: ("proxy-timeout", "the request took too long to arrive", "Raise client_body_timeout at the proxy."),
    413: (
        "body-size",
        "the request is too large for the proxy",
        "Set client_max_body_size at the proxy to 16m or more.",
    ),
    429: ("rate-limit", "too many requests", "Raise the proxy's limit_req for Kibana's address, or wait."),
    502: ("proxy", "the proxy cannot reach the model's server", "Start the model's server, or mend proxy_pass."),
    503: ("proxy", "the model's server is not ready", "It may still be loading the model: see its log, try again."),
    504: (
        "proxy-timeout",
        "the proxy gave up waiting for the model",
        "Set proxy_read_timeout and proxy_send_timeout at the proxy to 600s or more, and see whether the model hangs.",
    ),
}


def of_status(check: str, status: int, words: str, where: str = "") -> Finding:
    """The finding for an answer that is not 200; ``words`` are what the server said, already fit to print."""
    told = f"{where}{status}{f': {words}' if words else ''}"
    if status in (400, 404, 422) and _NO_MODEL.search(words):
        fix = "Give defaultModel the name under which the server has it (GET /v1/models; vLLM: --served-model-name)."
        return Finding(check, "block", f"the server does not have this model ({told})", "model-name", fix)
    if status in (400, 422, 500) and _PARSER.search(words):
        return Finding(check, "block", f"the server is not set up for tool calls ({told})", "tool-parser", PARSER_FIX)
    if status in (400, 413, 422, 500) and _CONTEXT.search(words):
        fix = "Start the server with a longer context (vLLM: --max-model-len, LM Studio: --context-length)."
        return Finding(check, "block", f"the context is too short ({told})", "context", fix)
    if status in _FIXES:
        place, found, fix = _FIXES[status]
        return Finding(check, "block", f"{found} ({told})", place, fix)
    if 300 <= status < 400:
        fix = "Give the address that answers by itself; Kibana posts to it as it stands."
        return Finding(check, "block", f"the address only redirects ({told})", "path", fix)
    if status >= 500:
        return Finding(check, "block", f"the model's server failed ({told})", "model-server", "Its log has the reason.")
    fix = "See the server's log of this moment; its version may not know a field of the request."
    return Finding(check, "block", f"the server refused the request ({told})", "model-server", fix)


PARSER_FIX = (
    "Start vLLM with --enable-auto-tool-choice and the --tool-call-parser of this model's family, and with the model's "
    "own chat template; then set enableNativeFunctionCalling: true beside exposeConfig: true."
)


def words_of(body: bytes) -> str:
    """What a server says in its error, or nothing where it is a page or something else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for key in ("error", "message", "detail"):
        inner = found.get(key) if isinstance(found, dict) else None
        if isinstance(inner, dict) and isinstance(inner.get("message"), str):
            return str(inner["message"])
        if isinstance(inner, str):
            return inner
    return ""
