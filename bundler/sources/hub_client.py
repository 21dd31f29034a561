"""The part that uses ``huggingface_hub``: looking a model up, and finding the user's token.

Rules: the client is imported here and only when needed, since that takes half a second. It downloads
nothing and writes nothing; its telemetry is off. Whatever it raises becomes one of our errors. Between its
releases the HTTP library below it changed (requests, httpx), so that is caught by base class, not by name.
The size of its one answer is the client's business: it reads what the hub that the user chose sends.
"""

from __future__ import annotations

import os
import re

from bundler.errors import BundleError, SourceError, SpecError
from bundler.sources import faults
from bundler.sources.hub_refusal import Asked, refused


def model_info(asked: Asked, token: str | None, seconds: float) -> object:
    """The client's ModelInfo of a model at a revision, files with sizes and digests. One attempt.

    ``seconds`` is how long the hub may be silent.
    Raises: TransientError when it may pass; SourceError with a hint; SpecError for an id that none can be.
    """
    _prepare()
    from huggingface_hub import HfApi

    api = HfApi(endpoint=asked.endpoint, token=token or False, library_name="llm-bundle")
    try:
        return api.model_info(asked.repository, revision=asked.revision, files_metadata=True, timeout=seconds)
    except _foreign() as error:
        ours, cause = _ours(asked, error)
        raise ours from cause


def find_token() -> str | None:
    """The token of HF_TOKEN, HF_TOKEN_PATH or ``hf auth login``. Raises: SourceError when it cannot be used."""
    _prepare()
    from huggingface_hub import constants, get_token

    if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN:
        return None
    try:
        token = get_token()
    except NotADirectoryError:
        return None  # HOME=/dev/null, as services have it: nobody has logged in here
    except _foreign() as error:
        hint = "Set HF_TOKEN, or HF_TOKEN_PATH to a file that you may read."
        raise SourceError("the Hugging Face token cannot be read", hint=hint) from error
    return checked_token(token)


def checked_token(token: str | None) -> str | None:
    """The token, if it can stand in a header. Raises: SourceError, which does not show it."""
    if token and not re.fullmatch("[!-~]+", token):
        hint = "Set HF_TOKEN to the token alone: no spaces, quotes or other lines."
        raise SourceError("the Hugging Face token holds characters that no token has", hint=hint)
    return token or None


def _prepare() -> None:
    """The client reads these once, when it is imported. It would print warnings that the hub words."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")
    # For a private CA the client's HTTP library knows one name, requests (which fetches the files) two others.
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if os.environ.get(name):
            os.environ.setdefault("SSL_CERT_FILE", os.environ[name])


def _foreign() -> tuple[type[Exception], ...]:
    from huggingface_hub import errors

    own = getattr(errors, "OIDCError", OSError)  # since 2.0
    answers = (LookupError, TypeError, AttributeError, ValueError, RecursionError)
    return (OSError, own, *answers, *errors.HfHubHTTPError.__bases__)


def _ours(asked: Asked, error: Exception) -> tuple[BundleError, BaseException]:
    from huggingface_hub import errors

    if isinstance(error, errors.HfHubHTTPError):
        return refused(asked, error.response.status_code, error.response.headers), error
    if isinstance(error, errors.OfflineModeIsEnabled):
        hint = "Unset HF_HUB_OFFLINE (and TRANSFORMERS_OFFLINE), or take the model from a folder."
        return SourceError(f"{asked.where}: HF_HUB_OFFLINE forbids to ask the hub", hint=hint), error
    if isinstance(error, errors.HFValidationError):
        hint = "Ids are written ORGANISATION/NAME, of letters, digits, '-', '_' and '.'."
        return SpecError(f"{asked.repository!r} cannot be the id of a model on the hub", hint=hint), error
    if isinstance(error, LookupError | TypeError | AttributeError | ValueError | RecursionError):
        hint = "Check HF_ENDPOINT: it must be the address of a Hugging Face hub or a mirror of one."
        return SourceError(f"{asked.where}: the answer is not that of a Hugging Face hub", hint=hint), error
    return faults.of_exception(asked.where, error)
