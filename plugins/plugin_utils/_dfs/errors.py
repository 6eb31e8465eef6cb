"""What can go wrong with DFS: each text names the thing and the cure.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from .._errors import LyceeError


class DfsError(LyceeError):
    """Something about DFS that stops the task."""


class OptionError(DfsError):
    """What was asked for cannot be meant."""


class NamespaceError(DfsError):
    """A namespace cannot be read, or is not as wanted."""


class ReplicationError(DfsError):
    """A replication group cannot be read, or is not as wanted."""


class MemberError(DfsError):
    """A member cannot say what it was asked."""


class NotInstalledError(DfsError):
    """The feature, or a tool of it, is missing on a host."""


class WaitError(DfsError):
    """What was waited for did not come in its time."""
