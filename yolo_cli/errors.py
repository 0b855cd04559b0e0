"""Errors that the user can fix: one line that states what, where and what to do."""

from __future__ import annotations

__all__ = ["DataError", "UsageError", "UserError"]


class UserError(Exception):
    """An error that the user can fix. Its message is one line, shown without a traceback.

    Attributes:
        exit_code: exit code of the command line.
    """

    exit_code = 3


class DataError(UserError):
    """A file or data set that cannot be used (exit code 3)."""


class UsageError(UserError):
    """Options or arguments that contradict each other or name something unknown (exit code 2)."""

    exit_code = 2
