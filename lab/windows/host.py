# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One emulated Windows host: its state, and what happens to it as a whole."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lab.faults import FaultSet
from lab.realtool import Disk
from lab.windows import acl, dfs, inventory, messages, remote, tasks
from lab.windows.accounts import Accounts
from lab.windows.acl import Acls
from lab.windows.dfs import namespace
from lab.windows.disks import Disks
from lab.windows.events import EventLog
from lab.windows.features import Features
from lab.windows.files import Drive, WindowsPathError
from lab.windows.openerp import files
from lab.windows.openerp.runtime import Runtime
from lab.windows.plan import WindowsPlan
from lab.windows.postgres import Cluster, Installation
from lab.windows.power import Power
from lab.windows.processes import Process
from lab.windows.registry import Registry
from lab.windows.services import Scm, Service


@dataclass
class Counters:
    """What ``lab status`` counts since the lab came up."""

    connections: int = 0
    requests: int = 0
    commands: int = 0
    shells: int = 0
    refused_logins: int = 0


@dataclass(slots=True)
class Share:
    """A share; ``kind`` is Win32_Share's Type; grants are (SID, READ | CHANGE | FULL)."""

    name: str
    path: str
    remark: str = ""
    kind: int = 0
    grants: list[tuple[str, str]] = field(default_factory=list)
    users: int | None = None
    anonymous: bool = False


# xlog.c of 8.4, XLogFileInit and XLogFileOpen: a PANIC takes the whole server down.
_LOST = (
    "PANIC:  n'a pas pu ouvrir le fichier « pg_xlog/000000010000000000000001 » (journal de transactions 0, segment 1) : "
    "No such file or directory\n",
    'PANIC:  could not open file "pg_xlog/000000010000000000000001" (log file 0, segment 1): No such file or directory\n',
)


class Host:
    """What all the rooms of an emulated host hang on.

    Args:
        folder: where its C: and its database's scratch files are put when they are needed.
    """

    def __init__(self, plan: WindowsPlan, folder: Path, installation: Installation, faults: FaultSet) -> None:
        self.plan = plan
        self.folder = folder
        self.faults = faults
        self.counters = Counters()
        self.installation = installation
        self.boot_time = time.time() - 86400 * 3
        self._next_pid = 400
        self._clusters: dict[str, tuple[Cluster, Path]] = {}
        self._watchers: set[asyncio.Task[None]] = set()
        self.processes: dict[int, Process] = {}
        self.power = Power(self)
        self.log: list[str] = []
        self.url_cache: dict[str, bytes] = {}
        self.accounts = Accounts(plan)
        self.events = EventLog(plan.language)
        self.drive = Drive(folder / "C", lambda drive: inventory.populate(self), lambda: "disk_full" in faults)
        self.drive.remote = self._remote
        self.drive.is_locked = lambda name: name == "openerp-server.conf" and "conf_unreadable" in faults
        self.drive.busy = self._busy
        self.drive.played = self._played
        self.find_host: Callable[[str], Host | None] = lambda name: None
        # (address, whether it answers) of a computer by any of its names; None: nobody knows the name.
        self.reach: Callable[[str], tuple[str, bool] | None] = lambda name: None
        self.disk = Disk(lambda: "disk_full" in faults)
        self.acls = Acls(self.drive.look)
        self.disks = Disks(self)
        self.features = Features(self)
        self.tasks = tasks.Tasks(self)
        self.openerp = Runtime(self)
        self.scm = Scm(self)
        inventory.services(self)
        self.dfs = dfs.DfsHost(self)
        self.dfs.begin()
        self.registry = Registry(self)
        default = self.say("Partage par défaut", "Default share")
        self.shares = {
            "admin$": Share("ADMIN$", "C:\\Windows", self.say("Administration à distance", "Remote Admin"), 0x80000000),
            "c$": Share("C$", "C:\\", default, 0x80000000),
            "ipc$": Share("IPC$", "", self.say("IPC distant", "Remote IPC"), 0x80000003),
            **{
                item["name"].lower(): Share(
                    item["name"], item["path"], grants=[("S-1-1-0", "READ")], anonymous=item["anonymous"]
                )
                for item in plan.shares
            },
        }  # fmt: skip

    def _played(self, name: str) -> bytes | None:
        """The file that names a cluster's major version: whatever really runs behind, it is that of the version that is played."""
        if name != "PG_VERSION" or not self.plan.postgresql:
            return None
        major = str(self.plan.postgresql["version"]).rpartition(".")[0]
        return f"{major}\r\n".encode()

    def _busy(self) -> set[str]:
        """The programs of OpenERP that run, with their libraries. PostgreSQL's are left out: its folder's are the lab's own."""
        found: set[str] = set()
        for kind, name in files.SERVICES.items():
            service = self.scm.get(name)
            if service and service.pid:
                folder = service.image.rpartition("\\")[0].lower()
                top = folder.rpartition("\\")[0]
                found |= {service.image.lower(), f"{folder}\\python25.dll"}
                found |= {f"{top}\\{name}" for name in files.loaded(kind)}
        return found

    def _remote(self, path: str) -> tuple[Drive, str, str]:
        """Another computer's share. A program under WinRM reaches it without a name, whoever logged on.

        The password of an NTLM logon is not on this host, so the next computer sees an anonymous logon (facts/windows.md 1.5).
        """
        computer, share, *rest = namespace.resolve(self, path)[2:].split("\\")
        other = self.find_host(computer)
        if other is None or other.power.lost:
            raise WindowsPathError(53)
        server = other.scm.get("LanmanServer")
        if server is None or server.state != "Running":
            raise WindowsPathError(53)
        found = other.shares.get(share.lower())
        if found is None:
            raise WindowsPathError(67)
        there = "\\".join([found.path, *rest])
        if not remote.may_read(self, other, found, there):
            raise WindowsPathError(5)
        return other.drive, there, found.path

    def say(self, french: str, english: str) -> str:
        """A text in the host's language."""
        return messages.text(self.plan.language, french, english)

    def system(self, code: int) -> str:
        """The system's message for an error number, in the host's language."""
        return messages.system(self.plan.language, code)

    def new_pid(self) -> int:
        """A process number, a multiple of four as Windows'."""
        self._next_pid += 4
        return self._next_pid

    @property
    def last_pid(self) -> int:
        """The number that was given last."""
        return self._next_pid

    def process_list(self) -> list[Process]:
        """What runs: services' processes, real postmasters under their own numbers, programs of shells."""
        rows = [
            Process(0, "System Idle Process", "", ""),
            Process(4, "System", "", ""),
        ]
        for service in self.scm.services.values():
            if service.pid:
                image = service.image
                name = image.rpartition("\\")[2]
                rows.append(Process(service.pid, name, image, service.path, started=self.boot_time))
                number = self.postmaster(service)
                if number:
                    folder = image.rpartition("\\")[0]
                    line = f'"{folder}\\postgres.exe" -D "{service.data_folder}"'
                    rows.append(Process(number, "postgres.exe", f"{folder}\\postgres.exe", line, service.pid))
        return [*rows, *self.openerp.rows(), *self.processes.values()]

    def postmaster(self, service: Service) -> int:
        """The process number of the postmaster behind a service, the one in postmaster.pid; 0 when none runs."""
        if not service.is_postgresql:
            return 0
        data = self.drive.absolute(service.data_folder).lower()
        return self._clusters[data][0].pid if data in self._clusters else 0

    async def kill(self, pid: int) -> None:
        """End a process."""
        for service in list(self.scm.services.values()):
            if service.pid == pid:
                await self.scm.kill(service)
                return
            if self.postmaster(service) == pid:
                await self.stop_cluster(service, immediate=True)
                return
        if self.openerp.kill(pid):
            return
        process = self.processes.get(pid)
        if process and process.task:
            process.task.cancel()

    def behind(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Start a program that goes on when who started it has ended."""
        task = asyncio.get_running_loop().create_task(work)
        process = Process(self.new_pid(), name, f"C:\\Windows\\Temp\\{name}", name, task=task)
        self.processes[process.pid] = process
        task.add_done_callback(lambda _done: self.processes.pop(process.pid, None))

    def remember(self, line: str) -> None:
        """Keep the last requests and command lines, for ``lab console HOST --requests``."""
        self.log.append(f"{time.strftime('%H:%M:%S')} {line}")
        del self.log[:-400]

    def program_paths(self) -> list[str]:
        """Full paths of the programs this host has."""
        from lab.windows import programs

        return programs.paths(self)

    async def prepare(self) -> None:
        """Make the database's cluster and start its service, for a host that has one; then what OpenERP runs."""
        if self.plan.postgresql:
            await self.prepare_database(self.plan.postgresql)
        await self.openerp.up()

    async def prepare_database(self, database: dict[str, Any], fresh: bool = False) -> None:
        """Make the cluster of a PostgreSQL whose service is registered, and start it. Raises LabError."""
        parent = str(database["folder"])
        if self.drive.find(parent) is None:
            self.drive.make(parent)
        data = self.drive.place(f"{parent}\\data")
        self.folder.mkdir(parents=True, exist_ok=True)
        await Cluster(self.installation, self.plan.address, self.folder).create(
            data, database["port"], str(database["superuser"]), str(database["password"]),
            database["databases"], fresh,
        )  # fmt: skip
        inventory.database_acl(self)
        service = self.scm.get(str(database["service"]))
        if service and database["state"] == "running" and self.scm.start(service.name) == 0:
            await self.scm.settled(service)

    def _access_refused(self, service: Service, data: str) -> str | None:
        """Why the service's account cannot work with its data folder, in the words of 8.4's postgres; None: it can.

        postgres runs with pg_ctl's restricted token, in which Administrators do not count. The sentence is that of
        guc.c, REL8_4 (SelectConfigFiles), which is the first to look into the folder.
        """
        found = self.accounts.service_account(service.account)
        configuration = f"{data}\\postgresql.conf"
        reason = ""
        if self.drive.find(configuration) is None:
            reason = "No such file or directory"
        token = self.accounts.token(found[1], restricted=True) if found else set()
        paths = [data, configuration, f"{data}\\PG_VERSION", f"{data}\\global\\pg_control"]
        if not reason and not all(self.acls.allows(path, token, acl.READ | acl.WRITE) for path in paths):
            reason = "Permission denied"
        if not reason:
            return None
        shown = configuration.replace("\\", "/")
        return self.say(
            f"postgres n'a pas pu accéder au fichier de configuration « {shown} » : {reason}\n",
            f'postgres cannot access the server configuration file "{shown}": {reason}\n',
        )

    async def start_cluster(self, service: Service) -> str | None:
        """Start what stands behind a PostgreSQL service; None when it runs, else the reason for the event log."""
        before = time.monotonic()
        data = self.drive.absolute(service.data_folder)
        self.events.postgresql(
            self.say("En attente du démarrage du serveur...\n", "Waiting for server startup...\n"), 3
        )
        reason = self._access_refused(service, data)
        if reason is None:
            real = self.drive.find(data)
            assert real is not None
            cluster, _unused = self._clusters.get(data.lower()) or (
                Cluster(self.installation, self.plan.address, self.folder),
                real,
            )
            self._clusters[data.lower()] = (cluster, real)
            reason = await cluster.start(real)
            if reason is None:
                self._watch(service, cluster)
        await asyncio.sleep(max(0.0, self.plan.service_time - (time.monotonic() - before)))
        if reason is None:
            ready = ("Serveur lancé et acceptant les connexions\n", "Server started and accepting connections\n")
            self.events.postgresql(self.say(*ready), 3)
        return reason

    def _watch(self, service: Service, cluster: Cluster) -> None:
        async def watch() -> None:
            await cluster.wait()
            if service.state == "Running":
                # pg_ctl ends in order when its postmaster has gone; when its own file has gone too, it does so without a word.
                self.scm.died(service, 0 if self.drive.find(self.drive.absolute(service.image)) else 1067)

        task = asyncio.get_running_loop().create_task(watch())
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)

    async def stop_cluster(self, service: Service, immediate: bool = False) -> None:
        """Stop the postmaster behind a service."""
        data = self.drive.absolute(service.data_folder)
        if data.lower() in self._clusters:
            await self._clusters[data.lower()][0].stop(immediate)

    def clusters(self) -> list[Cluster]:
        """The clusters that were started since the lab came up."""
        return [cluster for cluster, _unused in self._clusters.values()]

    async def lose_server(self) -> None:
        """The database server dies as by an immediate shutdown; its service notices."""
        for service in list(self.scm.services.values()):
            if service.is_postgresql and service.state == "Running":
                await self.stop_cluster(service, immediate=True)

    def lose_files(self, folder: str) -> None:
        """The files below a folder go at once, with their disk: so do the postmasters whose data they were.

        Programs that are loaded already run on in the memory that they have [K]; they can open nothing there any more.
        """
        low = f"{folder.lower()}\\"
        for service in list(self.scm.services.values()):
            if not service.is_postgresql:
                continue
            data = self.drive.absolute(service.data_folder).lower()
            if data in self._clusters and data.startswith(low) and self._clusters[data][0].pid:
                self.events.postgresql(self.say(*_LOST))
                self._clusters[data][0].crash()

    async def end(self) -> None:
        """The lab goes down."""
        self.power.end()
        self.tasks.vanish()
        self.openerp.vanish()
        self.scm.end()
        for cluster, _unused in self._clusters.values():
            with contextlib.suppress(OSError):
                await cluster.stop()

    def dump(self) -> dict[str, Any]:
        """The whole state as plain data, for tests that compare two of them."""
        return {
            "host": self.plan.name,
            "computer": self.plan.computer_name,
            "machine_sid": self.plan.machine_sid,
            "language": self.plan.language,
            "version": self.plan.version,
            "services": {service.name: service.dump() for service in self.scm.services.values()},
            "shares": {share.name: asdict(share) for share in self.shares.values()},
            "accounts": {
                account.name: {"sid": account.sid, "groups": account.groups, "disabled": account.disabled}
                for account in self.accounts.users.values()
            },
            "acls": self.acls.dump(),
            "disks": self.disks.dump(),
            "tasks": self.tasks.dump(),
            "events": self.events.dump(),
            "registry": self.registry.dump(),
        }
