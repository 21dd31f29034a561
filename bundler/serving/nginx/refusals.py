"""Answers that the proxy itself gives, in the shape of OpenAI's errors, so that clients of that API show their text.

The pages are internal locations and no named ones: with a named one Nginx answers 500 to a request line that it
cannot read.
"""

from __future__ import annotations

import json
from typing import Final

_FOLDER: Final = "/.llm-bundle/"
_INVALID, _SERVER = "invalid_request_error", "server_error"

# Status → type, code, message. No quotes, no $ and no backslash: they stand in a configuration.
_PAGES: Final = {
    400: (_INVALID, "bad_request", "The request cannot be read, or its address holds what looks like a token."),
    401: (
        _INVALID,
        "invalid_api_key",
        "No valid token: send the header Authorization: Bearer TOKEN, and no header twice.",
    ),
    404: (_INVALID, "not_found", "There is nothing at this path for this method."),
    408: (_INVALID, "timeout", "The request did not arrive in time."),
    411: (_INVALID, "length_required", "The request has a body without a length."),
    413: (_INVALID, "request_too_large", "The body of the request is larger than {max_body} MiB."),
    414: (_INVALID, "uri_too_long", "The address of the request is too long."),
    421: (_INVALID, "misdirected_request", "This host name is not served here."),
    429: ("rate_limit_error", "rate_limit_exceeded", "Too many requests with this token. Try again in a second."),
    431: (_INVALID, "headers_too_large", "The headers of the request are too large."),
    500: (_SERVER, "proxy_error", "The proxy failed. Its error log says why."),
    501: (_INVALID, "not_implemented", "The proxy does not know this transfer encoding."),
    502: (_SERVER, "engine_unreachable", "The model server cannot be reached. It may be starting."),
    503: (_SERVER, "unavailable", "The proxy cannot serve now."),
    504: (_SERVER, "engine_timeout", "The model server did not answer in time."),
    505: (_INVALID, "http_version", "This version of HTTP is not served here."),
}
# Nginx's own: what it calls 403 and 405 tells more than 404 would; 494 and 497 are no statuses for a client.
_SHOWN_AS: Final = {"403 405": 404, "494": 431, "497": 400, "418": 400}
TOKEN_SHOWN: Final = 418
"""What the rules return for a token in the address; the client gets 400."""
_PAGE: Final = "/.llm-bundle/error"
_UNREADABLE: Final = "/.llm-bundle/unreadable"


def error_texts(max_body: int) -> list[str]:
    """Rows of a map from the status to the body of the answer. ``max_body`` is in MiB."""
    lines = []
    for status, (kind, code, message) in _PAGES.items():
        error = {"message": message.replace("{max_body}", str(max_body)), "type": kind, "param": None, "code": code}
        lines.append(f"{status} '{json.dumps({'error': error})}';")
    return lines


def error_page(headers: list[str]) -> list[str]:
    """Lines for a server: all these statuses lead to one page, which keeps the status and reads ``$llm_error``.

    ``headers`` are those of the server, for a location with any of its own has none of the server's. What only
    refusals have is added here, where no good request pays for it.
    """
    words = " ".join(
        [
            *headers,
            "add_header Retry-After $llm_retry_after always;",
            "add_header WWW-Authenticate $llm_challenge always;",
            "internal; default_type application/json;",
        ]
    )
    # The 200 is never sent: the status that led here stands in its place (r->err_status).
    page = f"location = {_PAGE} {{ {words} return 200 $llm_error; }}"
    # Nginx says 400 to a second Authorization header and shows only the first. Of all that it says 400 to, this is
    # what happens to real clients (a proxy on the way that adds its own), and 401 is what they understand.
    twice = "if ($http_authorization) { return 401 $llm_error; }"
    unreadable = f"{words} {twice} return 400 $llm_error;"
    other = [f"error_page {status} ={shown} {_PAGE};" for status, shown in _SHOWN_AS.items()]
    kept = " ".join(str(status) for status in _PAGES if status != 400)
    return [
        f"error_page {kept} {_PAGE};",
        *other,
        f"error_page 400 = {_UNREADABLE};",
        page,
        f"location = {_UNREADABLE} {{ {unreadable} }}",
    ]
