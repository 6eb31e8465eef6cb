"""The exceptions of the OpenERP library: each text names the thing and the cure.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from .._errors import LyceeError


class OpenErpError(LyceeError):
    """Something about OpenERP that stops the task."""


class OptionError(OpenErpError):
    """An option has a value that cannot be used."""


class ConfError(OpenErpError):
    """A configuration file cannot be read as the program reads it, or a value would be read as another one."""


class InstallationError(OpenErpError):
    """OpenERP is not where it should be, or a setup did not do what it was asked."""


class SourceError(InstallationError):
    """A setup cannot be had, or is not the one that is wanted."""


class ServiceError(OpenErpError):
    """OpenERP does not serve: no answer, or a fault."""


class UpdateError(OpenErpError):
    """The update of a database failed."""


class PreflightError(OpenErpError):
    """Something stands against an upgrade; nothing was changed."""


class JournalError(OpenErpError):
    """The journal of an upgrade cannot be read or written."""
