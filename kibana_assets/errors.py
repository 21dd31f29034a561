"""The errors of kibana_assets: one base class, and one subclass for each thing that a user would do next.

Rules: this module imports nothing of the project. A message says place, what was found and what was expected; the
hint says what to do. Secrets never stand in either. Exit codes are those of the README.
"""

from __future__ import annotations


class KibanaAssetsError(Exception):
    """Anything that a user, a file or a server can cause. The command line catches this and nothing else."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class PackageError(KibanaAssetsError):
    """A file of the integration package is not what Fleet or Elasticsearch would take."""

    exit_code = 3


class MachineError(KibanaAssetsError):
    """This machine cannot: no space, no permission, a file that is in the way."""

    exit_code = 6


class UsageError(KibanaAssetsError):
    """A function or a command was called with options that do not go together."""

    exit_code = 2


class UnreachableError(KibanaAssetsError):
    """A server cannot be reached, or what answers there is another; ``passing`` if it may mend itself soon."""

    exit_code = 4

    def __init__(self, message: str, *, hint: str = "", passing: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.passing = passing


class RefusedError(KibanaAssetsError):
    """An Elasticsearch or a Kibana was reached and refused; ``status`` is that of its answer, or 0."""

    exit_code = 7

    def __init__(self, message: str, *, hint: str = "", status: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.status = status
