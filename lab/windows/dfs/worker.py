# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What moves the files of a lab: one task, whose steps run in a thread beside the loop. Without a group there is none."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from lab.windows.dfs.engine import Engine, Pull
from lab.windows.dfs.replica import shuffled

if TYPE_CHECKING:
    from lab.windows.dfs.directory import Directory
    from lab.windows.dfs.member import Copy, Member

Result = TypeVar("Result")
_SEED = 2008
_PAUSE, _PAUSE_IDLE = 0.02, 0.1


async def _in_thread(work: Callable[[], Result]) -> Result:
    """Run it beside the loop, to its end even when who asked has gone: two steps must never run at once."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


class Worker:
    """Runs the engine of a lab."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._engine = Engine(shuffled(_SEED))
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._ending = False
        self._contacts: dict[tuple[str, str], bool] = {}

    def wake(self) -> None:
        """Somebody made a group, or wants a step now."""
        self._news.set()
        if self._task is None and not self._ending:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def end(self) -> None:
        """The lab goes down."""
        self._ending = True
        self._news.set()
        if self._task:
            await asyncio.wait([self._task])

    def members(self) -> list[Member]:
        """The members of the groups that AD holds, or that somebody still knows."""
        found = []
        for domain in self._directory.domains.values():
            names = {member.name.upper() for group in domain.groups.values() for member in group.members.values()}
            for computer in domain.computers:
                host = self._directory.host(computer) if computer in names else self._directory.known_host(computer)
                if host is not None and (computer in names or host.dfs.member.known):
                    found.append(host.dfs.member)
        return found

    async def call(self, work: Callable[[], Result]) -> Result:
        """Do something with replicas in the thread, while nothing else touches them."""
        async with self._lock:
            self._follow()
            try:
                return await _in_thread(work)
            finally:
                self._flush()

    async def poll(self, member: Member) -> bool:
        """A member reads its configuration now."""
        async with self._lock:
            self._follow()
            done = member.poll()
            self._connect(self.members())
        self.wake()
        return done

    def _follow(self) -> list[Member]:
        members = self.members()
        for member in members:
            member.follow()
        self._connect(members)
        return members

    def _flush(self) -> None:
        for member in self.members():
            for copy in member.copies.values():
                copy.port.flush()

    def _connect(self, members: list[Member]) -> None:
        """The pulls that follow from what the members know now."""
        named = {member.name.lower(): member for member in members}
        known = {pull.key: pull for pull in self._engine.pulls}
        wanted: dict[tuple[str, str], Pull] = {}
        for member in members:
            for copy in member.copies.values():
                for connection, inbound in member.connections(copy.group):
                    sender = named.get(connection.sender.lower())
                    if not inbound or sender is None:
                        continue
                    key = (connection.guid, copy.folder.guid)
                    self._contact(member, sender, copy, key)
                    partner = sender.copies.get(copy.folder.guid)
                    if partner is None:
                        continue
                    pull = known.get(key)
                    if pull is None or pull.receiver is not copy.replica or pull.sender is not partner.replica:
                        pull = _pull(member, sender, copy, partner, connection.guid)
                    wanted[key] = pull
        for pull in self._engine.pulls:
            if wanted.get(pull.key) is not pull:
                pull.drop()
        self._engine.pulls = list(wanted.values())

    def _contact(self, member: Member, sender: Member, copy: Copy, key: tuple[str, str]) -> None:
        """Events 5002 and 5004: a partner was lost, or is there."""
        if not member.running or not member.has_enabled(copy.group.guid, key[0]):
            return
        before, now = self._contacts.get(key), sender.reachable and member.reachable
        if before is not now and (now or before is not None):
            self._contacts[key] = now
            member.write(5004 if now else 5002, [sender.name, copy.group.name])

    def pulls(self, connection: str) -> list[Pull]:
        """The pulls of one connection."""
        return [pull for pull in self._engine.pulls if pull.key[0] == connection]

    async def _run(self) -> None:
        while not self._ending:
            busy = False
            try:
                async with self._lock:
                    members = self._follow()
                    replicas = [copy.replica for member in members if member.running for copy in member.copies.values()]
                    if replicas:
                        self._engine.scan = min(member.scan for member in members)
                        busy = await _in_thread(partial(self._engine.tick, replicas))
                        self._flush()
            except Exception:
                logging.exception("DFS replication failed")
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), _PAUSE if busy else _PAUSE_IDLE)


def _pull(member: Member, sender: Member, copy: Copy, partner: Copy, connection: str) -> Pull:
    group = copy.group.guid

    def is_open() -> bool:
        return (member.reachable and sender.reachable and member.has_enabled(group, connection)
                and sender.has_enabled(group, connection))  # fmt: skip

    return Pull(copy.replica, partner.replica, (connection, copy.folder.guid), member.delay, is_open)
