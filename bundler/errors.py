"""The errors of bundler: one base class, and one subclass for each thing that a user would do next.

Rules: this module imports nothing of the project. A message says place, what was found and what was
expected; the hint says what to do. Secrets never stand in either. Exit codes are those of the README.
"""

from __future__ import annotations


class BundleError(Exception):
    """Anything that a user, a server or a medium can cause. The command line catches this and nothing else."""

    exit_code = 1
    usual_hint = ""
    """What to do where whoever raises it knows nothing better."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.usual_hint


class UsageError(BundleError):
    """The command was called wrongly."""

    exit_code = 2


class SpecError(BundleError):
    """bundle.yml, or a model that it names, is not what it must be."""

    exit_code = 3
    usual_hint = "`llm-bundle init` writes a commented bundle.yml to compare with."


class LockError(BundleError):
    """bundle.lock is missing, damaged, or does not belong to bundle.yml."""

    exit_code = 3
    usual_hint = "Make it anew: llm-bundle lock --update"


class SourceError(BundleError):
    """A registry, a hub or another place that bytes come from failed or is not reachable."""

    exit_code = 4
    usual_hint = "Check the name or address, and that no proxy or login page answers in its place."


class TransientError(SourceError):
    """A failure of a source that may pass: a cut line, a stall, 429, 5xx. Worth another try.

    ``retry_after`` is what the server asked for, in seconds, or None.
    """

    usual_hint = ""

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class IntegrityError(BundleError):
    """What arrived is not what was promised: a wrong digest, size or signature."""

    exit_code = 5
    usual_hint = "Copy it again from where it is good, or fetch it again."


class MachineError(BundleError):
    """This machine cannot: no space, no permission, a missing program."""

    exit_code = 6


class EngineError(BundleError):
    """The container engine or the service refused."""

    exit_code = 7
