"""The exceptions of the IOS library: each text names the device and the cure.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from .._errors import LyceeError


class IosError(LyceeError):
    """Something about one device, or about the archive, that stops the job for it."""


class UnreachableError(IosError):
    """The device did not answer: refused, timed out, no such name, no route."""

    unreachable = True


class LoginError(IosError):
    """The device refused the user, the password or the enable secret."""


class HostKeyError(IosError):
    """The device's SSH host key is unknown, or is not the one that is known."""


class AlgorithmError(IosError):
    """Device and library have no SSH algorithm in common."""


class OptionError(IosError):
    """A connection variable has a value that cannot be used."""


class SessionError(IosError):
    """The conversation broke: cut, silent, paged or out of step."""


class IncompleteError(IosError):
    """A configuration arrived that breaks the completeness contract.

    Attributes:
        partial: the text as it arrived, to be kept aside.
        capture: the name of the capture, such as ``running-config``.
    """

    def __init__(self, message: str, *, capture: str = "", partial: str = "") -> None:
        super().__init__(message)
        self.capture = capture
        self.partial = partial


class ArchiveError(IosError):
    """The archive cannot be read, written or committed."""
