"""Errors that a user can act on, each with the exit code of the `graft` command.

A message says what was expected, what came, and how to mend it; the command prints the message
alone and keeps the traceback for the log file.
"""

from typing import ClassVar


class GraftError(Exception):
    """Base of every error with a message meant for the user (exit code 1)."""

    exit_code: ClassVar[int] = 1


class UsageError(GraftError):
    """A bad flag, configuration key or value, or a missing file (exit code 2)."""

    exit_code = 2


class BadDataError(GraftError):
    """The data cannot be trained on: empty, one class, or refused by validation (exit code 3)."""

    exit_code = 3


class NotBlessedError(GraftError):
    """The model was trained but not found good enough to be pushed (exit code 4)."""

    exit_code = 4


class OutOfTimeError(GraftError):
    """The run ended because its minutes were over; the next one goes on (exit code 6)."""

    exit_code = 6


class WorkspaceBusyError(GraftError):
    """Another run holds the workspace (exit code 5)."""

    exit_code = 5


def kind_of(exit_code: int | None) -> type[GraftError]:
    """The kind of error with an exit code; `GraftError` for any other.

    >>> kind_of(3).__name__
    'BadDataError'
    """
    kinds = (UsageError, BadDataError, NotBlessedError, WorkspaceBusyError, OutOfTimeError)
    return next((kind for kind in kinds if kind.exit_code == exit_code), GraftError)
