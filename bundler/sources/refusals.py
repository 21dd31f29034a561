"""What a registry's refusal means and what to do about it. Rules: no more than a page of tags is read."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence

from bundler.errors import SourceError
from bundler.sources.endpoints import Endpoint
from bundler.sources.login import log_in
from bundler.sources.transport import PlainHttpError, StatusError
from bundler.spec.model import RegistryImage

LARGEST_TAGS = 4 * 1024 * 1024
_TAG = re.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_NEAR = 10


def explained(error: SourceError, endpoint: Endpoint, what: str) -> SourceError:
    """``error``, which came for ``what`` (an image, a blob) at ``endpoint``, with what to do."""
    if isinstance(error, PlainHttpError):
        hint = f"If that is meant, in bundle.yml: registries: {{{endpoint.registry!r}: {{plain_http: true}}}}"
        return SourceError(error.message, hint=hint)
    if not isinstance(error, StatusError):
        return error
    refused = f"{what}: {endpoint.registry} answered {error.status}"
    if error.status == 401:
        return SourceError(f"{refused}: not without a login", hint=log_in(endpoint.registry))
    if error.status == 403:
        return SourceError(f"{refused}: the login may not pull this", hint=log_in(endpoint.registry))
    if error.status == 404 and "NAME_UNKNOWN" in codes(error.body):
        return _no_repository(endpoint, what)
    if error.status == 404:
        hint = "It was deleted or moved. Lock again: `llm-bundle lock --update`."
        return SourceError(f"{refused}: it is not there", hint=hint)
    return error


def unknown_tag(endpoint: Endpoint, image: RegistryImage, tags: Sequence[str] | None) -> SourceError:
    """The error for a tag that the repository lacks, near ones named; ``tags`` is None without a repository."""
    if tags is None:
        return _no_repository(endpoint, image.name)
    tag = image.tag or ""
    near = difflib.get_close_matches(tag, tags[:5000], n=_NEAR, cutoff=0.5) or sorted(tags)[-_NEAR:]
    hint = f"Near ones are {', '.join(near)}." if near else "Check the tag on the registry's pages."
    return SourceError(f"{image.name}: {endpoint.repository} has no tag {tag!r}", hint=hint)


def codes(body: bytes) -> set[str]:
    """The error codes in a registry's answer (OCI distribution-spec, error codes)."""
    document = _json(body)
    errors = document.get("errors") if isinstance(document, dict) else None
    found = [one.get("code") for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    return {code for code in found if isinstance(code, str)}


def read_tags(body: bytes) -> list[str]:
    """The well-formed tags of an answer to ``tags/list``."""
    document = _json(body)
    tags = document.get("tags") if isinstance(document, dict) else None
    return [tag for tag in tags if isinstance(tag, str) and _TAG.fullmatch(tag)] if isinstance(tags, list) else []


def _no_repository(endpoint: Endpoint, what: str) -> SourceError:
    message = f"{what}: {endpoint.registry} has no repository {endpoint.repository}"
    return SourceError(message, hint="Check how it is written.")


def _json(body: bytes) -> object:
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        return None
