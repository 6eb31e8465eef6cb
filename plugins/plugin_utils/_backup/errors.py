"""The exceptions of the backup library: each text names the thing and the cure.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from .._errors import LyceeError


class BackupError(LyceeError):
    """Something about a backup that stops the task, or one database of it."""


class OptionError(BackupError):
    """An option has a value that cannot be used."""


class ServerError(BackupError):
    """PostgreSQL on the server, or one of its programs there, did not do what it was asked."""


class ToolError(BackupError):
    """A program that the controller needs is missing, too old, or failed."""


class DestinationError(BackupError):
    """A destination does not answer, refuses, or is full."""


class AbsentError(DestinationError):
    """A removable destination is not there."""


class ProofError(BackupError):
    """A dump is not what it should be: other bytes, an unreadable archive, other row counts."""


class CatalogError(BackupError):
    """The catalog cannot be read or written, or does not hold what is asked for."""
