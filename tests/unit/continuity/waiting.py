# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The domain controller of the pair in memory, and the loops of reads: each read is a tick, in which the replication goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.marker import Marker
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.pair import Server
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.errors import WaitError

from tests.unit.continuity.machine import Group

if TYPE_CHECKING:
    from tests.unit.continuity.model import School

#: Reads after which a loop's time is over.
_PATIENCE = 40


class Domain:
    """The domain controller."""

    host = "srv-domaine"

    def __init__(self, school: School) -> None:
        """Name the school."""
        self.school = school

    def marker(self) -> Marker | None:
        return self.school.marker

    def write_marker(self, marker: Marker) -> None:
        self.school.happen(lambda: setattr(self.school, "marker", marker))

    def answers(self, address: str) -> bool | None:
        return any(one.address == address and one.power for one in self.school.machines.values())

    def group(self) -> dict[str, Any] | None:
        found = self.school.group
        if found is None:
            return None
        return found.spec if found.whole else {"name": "OpenERP", "members": []}

    def _enable(self, enabled: bool) -> bool:
        group = self.school.group
        if group is None or group.enabled == enabled:
            return False
        self.school.happen(lambda: setattr(group, "enabled", enabled))
        return True

    def fence(self) -> bool:
        return self._enable(False)

    def unfence(self) -> bool:
        return self._enable(True)

    def delete_group(self) -> None:
        group = self.school.group
        assert group is not None, "there is nothing to delete"
        self.school.happen(lambda: setattr(group, "whole", False), lambda: setattr(self.school, "group", None))

    def create_group(self, group: Mapping[str, Any], primary: str) -> None:
        assert "quota" in group, f"the group is created otherwise than it was: {group}"
        new = Group(self.school.fresh_stamp(), True, primary, whole=False)
        self.school.happen(
            lambda: setattr(self.school, "group", None),
            lambda: setattr(self.school, "group", new),
            lambda: setattr(new, "whole", True),
        )


class Loops:
    """The loops."""

    def __init__(self, school: School) -> None:
        """Name the school."""
        self.school = school

    def _until(self, what: str, done: Callable[[], bool]) -> None:
        for _read in range(_PATIENCE):
            if done():
                return
            self.school.tick()
        raise WaitError(f"{what} did not happen in its time")

    def fenced(self, servers: Sequence[Server]) -> None:
        def done() -> bool:
            for server in servers:
                server.poll()
            return not any(server.folder().enabled for server in servers)

        self._until("the fence", done)
        self.school.hook("fenced")

    def gone(self, servers: Sequence[Server]) -> None:
        def done() -> bool:
            for server in servers:
                server.poll()
            return not any(server.folder().known for server in servers)

        self._until("the end of the group", done)
        self.school.hook("gone")

    def _lacks(self, source: Server) -> int:
        return len([name for name in self.school[source.host].outgoing if name not in self.school.hidden])

    def drained(self, source: Server, target: Server) -> list[int]:
        measured: list[int] = []
        if "drained" in self.school.after:
            # The loop of a tool that counts wrongly.
            self.school.hook("drained")
            return [self._lacks(source), self._lacks(source)]

        def done() -> bool:
            if source.reachable() or target.reachable():
                return False
            measured.append(self._lacks(source))
            return measured[-2:] == [0, 0]

        self._until("a backlog of 0", done)
        return measured

    def backlog(self, source: Server, target: Server) -> list[int]:
        return [] if source.reachable() or target.reachable() else [self._lacks(source)]

    def replicated(self, primary: Server, other: Server, since: Mapping[str, str]) -> None:
        assert set(since) == set(self.school.machines), "events of a former replication would count"
        first, second = self.school[primary.host], self.school[other.host]

        def done() -> bool:
            for server in (first, second):
                server.poll()
            self.school.point()
            ready = first.member is not None and second.member is not None and second.member.state == 4
            return ready and not self._lacks(primary) and not self._lacks(other)

        self._until("the first replication", done)
