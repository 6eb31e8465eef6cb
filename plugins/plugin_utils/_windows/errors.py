"""The exceptions of the Windows library: each text names the host and the cure.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from .._errors import LyceeError


class WindowsError(LyceeError):
    """Something about one Windows host that stops the task for it."""


class UnreachableError(WindowsError):
    """The host did not answer: refused, timed out, no such name."""

    unreachable = True


class LoginError(WindowsError):
    """The host refused the user or the password, or the account may not use WinRM."""


class OptionError(WindowsError):
    """A connection variable or an argument has a value that cannot be used."""


class SessionError(WindowsError):
    """The conversation broke; what was asked may have been done or not, so the state has to be read again."""


class OperationTimeoutError(SessionError):
    """The operation's time passed without an answer, which is ordinary while something runs on the host."""


class FaultError(SessionError):
    """WinRM answered with a fault: the conversation is sound, and this request is refused."""


class QuotaError(WindowsError):
    """A limit of the WinRM service was met (shells, operations, memory)."""


class DeadlineError(WindowsError):
    """A command did not end in the time that it was given, and was terminated."""


class NotFoundError(WindowsError):
    """The WMI object, class or namespace does not exist."""


class StateError(WindowsError):
    """What was read back is not what was wanted."""
