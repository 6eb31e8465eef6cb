# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DFS Replication service of one host: what it knows of Active Directory, and its replicas.

Sources: facts/windows.md 2.4 (a member learns of a change when it polls), 4 (a folder whose disk is gone), [MS-FRS2] 3.2.1.1; the
service polls when it starts and every 60 minutes (Microsoft's page on configuration polling).
"""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lab.windows import acl
from lab.windows.dfs import events
from lab.windows.dfs.config import Connection, Folder, Group, Membership
from lab.windows.dfs.directory import is_up
from lab.windows.dfs.engine import Pull
from lab.windows.dfs.replica import AUTO_RECOVERY, INITIAL_SYNC, NORMAL, Replica, Security
from lab.windows.files import WindowsPathError

if TYPE_CHECKING:
    from lab.windows.host import Host

SERVICE = "DFSR"


class FolderPort:
    """A replica's way to its host. What must happen in the host's own thread is kept until ``flush``."""

    def __init__(self, host: Host, copy_: Copy) -> None:
        self._host, self._copy = host, copy_
        self._path = copy_.membership.path
        self._waiting: dict[str, Security | None] = {}
        self._events: list[tuple[int, tuple[str, ...]]] = []

    def root(self) -> Path | None:
        """The real folder."""
        real = self._host.drive.find(self._path)
        return real.resolve() if real is not None and real.is_dir() else None

    def securities(self) -> Mapping[str, tuple[Security, int]]:
        """What is set below the root, with what waits to be set."""
        low = self._path.lower()
        found: dict[str, tuple[Security, int]] = {}
        for path, entry in dict(self._host.acls.entries).items():
            if path == low or path.startswith(f"{low}\\"):
                name = path[len(low) + 1 :].replace("\\", "/")
                found[name] = ((entry.owner, entry.protected, tuple(entry.aces)), entry.file)
        for name, security in self._waiting.items():
            if security is None:
                found.pop(name, None)
            else:
                found[name] = (security, 0)
        return found

    def secure(self, name: str, security: Security | None) -> None:
        """Set it at the end of the step."""
        self._waiting[name.lower()] = security

    def follows(self, real: Path) -> bool:
        """Whether this is a data folder of PostgreSQL that the lab had to put elsewhere."""
        return self._host.installation.is_elsewhere(real.resolve())

    def event(self, code: int, *strings: str) -> None:
        """Write it at the end of the step."""
        self._events.append((code, strings))

    def never_arrives(self, name: str) -> bool:
        """Whether dfsr_missing strikes this file: by its name, or by the end of its path."""
        wanted = (self._host.faults.text("dfsr_missing") or "").replace("\\", "/").strip("/").lower()
        return bool(wanted) and (name.lower() == wanted or name.lower().endswith(f"/{wanted}"))

    def flush(self) -> None:
        """Do what waits. In the host's own thread."""
        for name, security in self._waiting.items():
            path = f"{self._path}\\{name}".rstrip("/\\").replace("/", "\\")
            if security is None:
                self._host.acls.entries.pop(path.lower(), None)
                continue
            owner, protected, aces = security
            self._host.acls.entries[path.lower()] = acl.Entry(
                owner, list(aces), protected, self._host.drive.look(path)[1]
            )
        self._waiting.clear()
        for code, strings in self._events:
            self._copy.wrote(code, strings)
        self._events.clear()


@dataclass(eq=False)
class Copy:
    """A replica with what stands around it in the configuration that the member knows."""

    host: Host
    group: Group
    folder: Folder
    membership: Membership
    replica: Replica = field(init=False)
    port: FolderPort = field(init=False)

    def __post_init__(self) -> None:
        self.port = FolderPort(self.host, self)
        self.replica = Replica(self.folder, self.membership, self.port)

    @property
    def member_guid(self) -> str:
        """The GUID of the member in its group."""
        return self.group.members[self.host.plan.computer_name.lower()].guid

    def wrote(self, code: int, strings: tuple[str, ...]) -> None:
        """Write an event of this folder; a primary member that is ready is no longer marked as primary in AD."""
        names = {
            "path": self.membership.path, "folder": self.folder.name, "folder_guid": self.folder.guid, "group": self.group.name,
            "group_guid": self.group.guid, "member_guid": self.member_guid,
        }  # fmt: skip
        texts = [*strings, self.host.system(int(strings[0]))] if code == 4004 else list(strings)
        events.write(self.host, code, texts, names)
        if code == 4112:
            domain = self.host.dfs.domain
            group = domain.groups.get(self.group.name.lower()) if domain and domain.controller() else None
            if group is not None and group.guid == self.group.guid:
                group.membership(self.folder.name, self.host.plan.computer_name).primary = False


class Member:
    """The DFSR service of a host. ``known``: its groups as it last read them, by GUID."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.known: dict[str, Group] = {}
        self.copies: dict[str, Copy] = {}
        self.pulls: dict[str, Pull] = {}
        self.running = self.reachable = False
        self._process = 0
        self._boot = host.boot_time
        self._polled = 0.0
        self._cured = False
        self._dirty = False

    @property
    def name(self) -> str:
        """The computer's name."""
        return self._host.plan.computer_name

    @property
    def is_alive(self) -> bool:
        """Whether the service runs."""
        service = self._host.scm.get(SERVICE)
        return not self._host.power.lost and service is not None and service.state == "Running"

    @property
    def is_reachable(self) -> bool:
        """Whether partners get an answer."""
        return self.is_alive and is_up(self._host)

    def follow(self) -> None:
        """Notice that the service was started or stopped, that it is time to poll, and the faults. In the loop's thread."""
        alive = self.is_alive
        service = self._host.scm.get(SERVICE)
        process = service.pid if service else 0
        again = alive and self.running and process != self._process  # stopped and started between two looks
        self._process = process
        if self.running and (again or not alive):
            self._dirty = self._host.power.lost or self._boot != self._host.boot_time
            if (
                any(copy_.replica.state == INITIAL_SYNC for copy_ in self.copies.values())
                and "dfsr_hang" in self._host.faults
            ):
                self._cured = True  # KB973123's readers restart the service
        started = alive and (again or not self.running)
        self.running, self.reachable, self._boot = alive, self.is_reachable, self._host.boot_time
        if "dfsr_hang" not in self._host.faults:
            self._cured = False
        if started:
            self._started()
        elif alive and time.monotonic() - self._polled >= self._host.plan.dfs_poll:
            self.poll()
        for copy_ in self.copies.values():
            initial = copy_.replica.state <= INITIAL_SYNC and not copy_.replica.primary
            copy_.replica.hung = "dfsr_hang" in self._host.faults and not self._cured and initial

    def _started(self) -> None:
        events.write(self._host, 1004, [])
        if self._dirty:
            for copy_ in self.copies.values():
                if copy_.replica.state == NORMAL:
                    copy_.wrote(2212, ())
                    copy_.replica.state = AUTO_RECOVERY
        self._dirty = False
        self.poll()

    def poll(self) -> bool:
        """Read the configuration from AD; False when no domain controller answers: all stays as it was."""
        self._polled = time.monotonic()
        domain = self._host.dfs.domain
        controller = domain.controller() if domain else None
        if domain is None or controller is None or not is_up(self._host):
            events.write(self._host, 1202, [domain.name if domain else ""])
            return False
        low = self.name.lower()
        groups = {group.guid: copy.deepcopy(group) for group in domain.groups.values() if low in group.members}
        wanted = {
            folder.guid: (group, folder, group.membership(folder.name, self.name))
            for group in groups.values() for folder in group.folders.values()
        }  # fmt: skip
        for guid, copy_ in list(self.copies.items()):
            found = wanted.get(guid)
            if found is None or not found[2].enabled:
                copy_.wrote(4008 if found is None else 4114, ())
                del self.copies[guid]
        self.known = groups
        for guid, (group, folder, membership) in wanted.items():
            if guid in self.copies:
                self._reconfigure(self.copies[guid], group, folder, membership)
            elif membership.enabled and membership.path:
                self._make_root(membership.path)
                self.copies[guid] = Copy(self._host, group, folder, membership)
        return True

    @staticmethod
    def _reconfigure(copy_: Copy, group: Group, folder: Folder, membership: Membership) -> None:
        """A changed configuration of a folder that is replicated already: filters and quotas follow."""
        copy_.group, copy_.folder, copy_.membership = group, folder, membership
        copy_.replica.configure(folder, membership)

    def _make_root(self, path: str) -> None:
        """The service makes a folder that is not there, in one that is."""
        drive = self._host.drive
        if drive.find(path) is None and drive.is_folder(path.rpartition("\\")[0]):
            try:
                drive.make(path)
            except (WindowsPathError, OSError):
                return

    @property
    def scan(self) -> float:
        """Seconds between two looks at a folder."""
        return self._host.plan.dfs_scan

    def delay(self) -> float:
        """Seconds that one file takes to arrive here."""
        return self._host.plan.dfs_delay + self._host.faults.seconds("dfsr_slow")

    def write(self, code: int, strings: list[str]) -> None:
        """Write an event of the service."""
        events.write(self._host, code, strings)

    def connections(self, group: Group) -> list[tuple[Connection, bool]]:
        """(connection, whether it is inbound) of those that this member knows in a group."""
        low = self.name.lower()
        return [(item, item.receiver.lower() == low) for item in group.connections
                if low in (item.sender.lower(), item.receiver.lower())]  # fmt: skip

    def has_enabled(self, group: str, connection: str) -> bool:
        """Whether a connection is enabled, as this member knows it."""
        known = self.known.get(group)
        return any(item.guid == connection and item.enabled for item in known.connections) if known else False

    def copy_of(self, group: str, folder: str) -> Copy | None:
        """A replica by the names of group and folder."""
        for copy_ in self.copies.values():
            if copy_.group.name.lower() == group.lower() and copy_.folder.name.lower() == folder.lower():
                return copy_
        return None
