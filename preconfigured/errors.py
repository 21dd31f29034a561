"""The errors of preconfigured: one base class, and one subclass for each thing that a user would do next.

Rules: this module imports nothing of the project. A message says place, what was found and what was expected; the
hint says what to do. Secrets never stand in either. Exit codes are those of the README.
"""

from __future__ import annotations


class PreconfiguredError(Exception):
    """Anything that a user, a file or a Kibana can cause. The command line catches this and nothing else."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(PreconfiguredError):
    """A function or a command was called with options that do not go together."""

    exit_code = 2


class ConnectorError(PreconfiguredError):
    """A connector or a setting that is asked for cannot be written so that Kibana reads it as meant."""

    exit_code = 3


class UnreachableError(PreconfiguredError):
    """A Kibana cannot be reached, or what answers at its address is none."""

    exit_code = 4


class RefusedError(PreconfiguredError):
    """A Kibana was reached and refused."""

    exit_code = 7


class KibanaYmlError(PreconfiguredError):
    """A kibana.yml or a connectors.yml is not what it must be, or cannot be changed without risk."""

    exit_code = 3


class MachineError(PreconfiguredError):
    """This machine cannot: no space, no permission, a file that is in the way."""

    exit_code = 6
