"""What the actions of DFS share: sessions with several hosts from one task.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from ._action import Connections, progress_of
from ._dfs.domain import Domain
from ._dfs.member import Member
from ._dfs.work import Seat
from ._errors import LyceeError
from ._windows.errors import SessionError, UnreachableError
from ._windows.session import Session
from ._windows_action import WindowsAction, open_session

_WINRM = "ansible.builtin.winrm"


class DfsAction(WindowsAction):
    """An action on a domain controller that asks the members of a group as well, each in a session of its own."""

    def domain(self, session: Session, task_vars: dict[str, Any], arguments: dict[str, Any], step: Any) -> Domain:
        """Return the domain of the task's host."""
        progress = progress_of(str(task_vars["inventory_hostname"]))
        return Domain(session, arguments["domain"] or "", progress=progress, step=step)

    @contextlib.contextmanager
    def seats(
        self, task_vars: dict[str, Any], hosts: Sequence[str], *, tolerant: bool = False
    ) -> Iterator[dict[str, Seat]]:
        """Give a session with each host, or why it does not answer.

        Args:
            task_vars: of the task.
            hosts: inventory names.
            tolerant: whether a host that refuses the login, or whose variables are wrong, counts as one that does not answer.

        Raises:
            LyceeError: a host refuses, or is not in the inventory.
        """
        connections = Connections(_WINRM, task_vars["hostvars"], self._play_context, "members")
        passing: tuple[type[LyceeError], ...] = (LyceeError,) if tolerant else (UnreachableError, SessionError)
        seats: dict[str, Seat] = {}
        with contextlib.ExitStack() as stack:
            for host in dict.fromkeys(hosts):
                try:
                    session = stack.enter_context(open_session(host, connections.of(host)))
                    member = Member(session, host)
                    # The first question tells whether it answers.
                    member.now()
                    seats[host] = Seat(host, member)
                except passing as error:
                    seats[host] = Seat(host, None, str(error))
            yield seats
