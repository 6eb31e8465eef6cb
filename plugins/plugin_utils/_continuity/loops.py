"""Wait for the replication of a pair: the loops of ``_dfs`` for the servers of a move.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._dfs import waiting
from .._dfs.errors import DfsError
from .._dfs.info import backlog
from .._dfs.member import Member
from .pair import Progress, Server, Step
from .windows_server import WindowsServer


@dataclass(frozen=True, slots=True)
class Loops:
    """The loops, with their deadlines.

    Attributes:
        group, folder: of the replication.
        poll_timeout: seconds in which members have to take over what the domain says.
        drain_timeout: seconds in which the target has to have everything.
        replication_timeout: seconds that a first replication may take.
        step: asked while it is waited.
        progress: told what is seen.
    """

    group: str
    folder: str
    poll_timeout: float
    drain_timeout: float
    replication_timeout: float
    step: Step
    progress: Progress

    def fenced(self, servers: Sequence[Server]) -> None:
        """Wait until no member knows an enabled connection."""
        waiting.wait_fenced(_members(servers), self.group, self.poll_timeout, self.progress, self.step)

    def gone(self, servers: Sequence[Server]) -> None:
        """Wait until no member has the folder any more."""
        waiting.wait_gone(_members(servers), self.group, self.folder, self.poll_timeout, self.progress, self.step)

    def drained(self, source: Server, target: Server) -> list[int]:
        """Wait until the target lacks nothing, measured twice."""
        sender, receiver = _members([source, target])
        return waiting.wait_drained(
            sender, receiver, self.group, self.folder, self.drain_timeout, self.progress, self.step
        )

    def backlog(self, source: Server, target: Server) -> list[int]:
        """Count once what the target lacks now; empty where it cannot be counted."""
        sender, receiver = _members([source, target])
        try:
            return [backlog(sender, receiver, self.group, self.folder)]
        except DfsError:
            return []

    def replicated(self, primary: Server, other: Server, since: Mapping[str, str]) -> None:
        """Wait until the first replication is over and nothing is left."""
        first, second = _members([primary, other])
        waiting.wait_replicated(
            first, [second], self.group, self.folder, since, self.replication_timeout, self.progress, self.step
        )


def _members(servers: Sequence[Server]) -> list[Member]:
    return [server.member for server in servers if isinstance(server, WindowsServer)]
