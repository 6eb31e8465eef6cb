"""One Windows server of a pair: what is done to it, each by a way that can be done again.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .._backup.errors import ServerError
from .._backup.windows import WindowsMachine
from .._dfs.member import Member
from .._openerp import mirror
from .._openerp.conf import SERVER, WEB
from .._openerp.errors import OpenErpError
from .._openerp.install import stop as stop_part
from .._openerp.installation import read_conf
from .._openerp.look import Target, look, part_of, rpc_of
from .._openerp.manage import target_of, wait_for
from .._openerp.versions import release
from .._postgresql.cluster import Cluster, ask, event_reason, find_cluster
from .._postgresql.server import Access
from .._postgresql.server import Server as Database
from .._windows import acl, files, services, volumes
from .._windows.errors import StateError, WindowsError
from .._windows.principals import own_sid
from .._windows.quoting import quote
from .._windows.services import RUNNING, STOPPED
from .._windows.session import Session
from . import reading
from .errors import ContinuityError, CopyError, ProofError
from .facts import AsideFacts, FolderFacts, ServerFacts
from .pair import Proof, Step
from .remote import Remote

#: Seconds between two looks.
_INTERVAL = 0.5
#: Bits of robocopy that mean that something was not copied.
_NOT_COPIED = 4 | 8 | 16


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What is known of a server from the inventory.

    Attributes:
        host, name: inventory name and computer name.
        group, folder: of the replication.
        disk: number of the disk with the data; None: it is not brought online.
        serial: of that disk, a guard; empty: not compared.
        aside: folder for what is set aside.
        timeout, copy_timeout: seconds for a service, and for copying or reading a whole cluster.
        openerp: options of OpenERP and its PostgreSQL, as the modules of OpenERP take them.
    """

    host: str
    name: str
    group: str
    folder: str
    disk: int | None
    serial: str
    aside: str
    timeout: float
    copy_timeout: float
    openerp: Mapping[str, Any]


class WindowsServer(Remote):
    """A server over WinRM."""

    def __init__(self, options: ServerOptions, open_session: Callable[[], Session]) -> None:
        """Name it; nothing is opened."""
        super().__init__(open_session)
        self._options = options

    @property
    def host(self) -> str:
        """Return the inventory name."""
        return self._options.host

    @property
    def name(self) -> str:
        """Return the computer name."""
        return self._options.name

    @property
    def address(self) -> str:
        """Return the address at which others ask for it."""
        return self.session.address

    @property
    def member(self) -> Member:
        """Return the member of the replication."""
        return Member(self.session, self.host)

    # Reading

    def reachable(self) -> str:
        """Return an empty text, or why the server does not answer.

        Raises:
            ContinuityError: it answers, and is another computer than the one that was named.
            WindowsError: it answers and refuses.
        """
        try:
            # Asked each time: a session remembers.
            found = str(self.session.one_row("SELECT Name FROM Win32_ComputerSystem").get("Name") or "")
        except WindowsError as error:
            if not error.unreachable:
                raise
            return str(error)
        if found.casefold() != self.name.casefold():
            raise ContinuityError(
                f"{self.host}: its computer name is {found}, not {self.name}; correct the name in the list of servers"
            )
        return ""

    def signs(self) -> list[str]:
        """Return what still answers this machine."""
        return reading.live_ports(self.address, int(self._options.openerp["database_port"]))

    def _read(self) -> tuple[ServerFacts, Cluster]:
        return reading.read_server(self.session, self.host, self.name, self._options.openerp["service"])

    def _cluster(self) -> Cluster:
        return self._machine()[1]

    def _machine(self) -> tuple[WindowsMachine, Cluster]:
        cluster = find_cluster(services.services(self.session), self._options.openerp["service"], self.host)
        return WindowsMachine(self.session, cluster), cluster

    def facts(self, *, rights: bool = False, room: bool = False) -> ServerFacts:
        """Read everything of the server."""
        facts, cluster = self._read()
        if rights:
            reading.read_rights(self.session, facts)
        if room:
            machine = WindowsMachine(self.session, cluster)
            reading.read_room(
                self.session,
                facts,
                f"{self._options.aside}-{uuid.uuid4().hex[:8]}",
                machine.free(self._options.aside),
                self._options.copy_timeout,
            )
        return facts

    def answers(self, address: str) -> bool | None:
        """Ask another computer by ping."""
        return reading.answers_ping(self.session, address)

    def folder(self) -> FolderFacts:
        """Return what the member says of its copy of the replicated folder."""
        member, options = self.member, self._options
        found = member.folder(options.group, options.folder)
        if found is None:
            return FolderFacts(known=False)
        connections = member.connections(options.group)
        return FolderFacts(
            known=True,
            state=found.state,
            error=found.last_error,
            enabled=tuple(sorted({one.partner for one in connections if one.enabled})),
            disabled=tuple(sorted({one.partner for one in connections if not one.enabled})),
            last_sync=max((one.last_sync for one in connections if one.inbound), default=""),
        )

    def poll(self) -> None:
        """Have the member read the configuration of the domain now."""
        self.member.poll()

    def clock(self) -> str:
        """Return the member's clock."""
        return self.member.now()

    # Services

    def stop_openerp(self, step: Step) -> None:
        """Stop OpenERP's programs, the web client first.

        Raises:
            StateError: one does not end.
        """
        target = self._target()
        for kind in (WEB, SERVER):
            part = part_of(target, kind)
            if part is not None and part.service.state != STOPPED:
                step(f"stop {part.service.name}")
                stop_part(self.session, part, self._options.timeout, step)

    def stop_postgresql(self, step: Step) -> None:
        """Stop PostgreSQL and see that no process of it is left.

        Raises:
            StateError: it does not end.
        """
        cluster = self._cluster()
        if cluster.service.state != STOPPED:
            step(f"stop {cluster.service.name}")
            services.stop(self.session, cluster.service.name, self._options.timeout, step)
        deadline = time.monotonic() + self._options.timeout
        while left := reading.postgres_processes(self.session, cluster):
            if time.monotonic() > deadline:
                raise StateError(
                    f"{self.host}: {cluster.service.name} is stopped and postgres.exe still runs (process {', '.join(map(str, left))}); "
                    "end it in the task manager"
                )
            step("wait for postgres.exe")
            time.sleep(_INTERVAL)

    def start_postgresql(self, step: Step, *, whole: bool) -> list[str]:
        """Start PostgreSQL, wait for an answer, and return its databases; with ``whole`` each is read from beginning to end.

        Raises:
            ProofError: it does not start, does not answer, or a database cannot be read; with what the event log says.
        """
        session, options = self.session, self._options
        cluster, since = self._cluster(), services.call_time(session)
        if cluster.service.state != RUNNING:
            step(f"start {cluster.service.name}")
            try:
                services.start(session, cluster.service.name, options.timeout, step)
            except StateError as error:
                text = f"{error}{event_reason(session, since)}"
                ended = services.service(session, cluster.service.name).state == STOPPED
                raise (CopyError(text) if ended else ProofError(text)) from None
        self._wait_for_answer(cluster, since, step)
        database = self._database()
        names = [one.name for one in database.databases() if one.connectable]
        if whole:
            for number, name in enumerate(names, 1):
                step(f"[{number}/{len(names)}] read {name}")
                try:
                    # Every row of every table passes; a torn page or a missing file ends it.
                    database.dump(name, "NUL", 0, options.copy_timeout)
                except ServerError as error:
                    raise CopyError(f"{name} cannot be read: {error}") from None
        return names

    def _wait_for_answer(self, cluster: Cluster, since: str, step: Step) -> None:
        query = {key: self._options.openerp[f"database_{key}"] for key in ("host", "port", "user", "password")}
        query["database"] = self._options.openerp["database"]
        version, deadline = "", time.monotonic() + self._options.timeout
        while True:
            version = version or reading.program_version(self.session, cluster)
            now = services.service(self.session, cluster.service.name)
            said = ask(self.session, Cluster(now, cluster.bin, cluster.data), query, version)
            if not said:
                return
            text = f"{self.host}: PostgreSQL does not answer: {said}"
            if now.state == STOPPED:
                raise CopyError(f"{text}{event_reason(self.session, since)}")
            if time.monotonic() > deadline:
                raise ProofError(f"{text}{event_reason(self.session, since)}")
            step(f"wait for {cluster.service.name}")
            time.sleep(_INTERVAL)

    def start_openerp(self, step: Step) -> Proof:
        """Start OpenERP and its web client, and log in to each database.

        Raises:
            ProofError: it is not installed, or does not serve.
        """
        target = self._target()
        server = part_of(target, SERVER)
        if server is None:
            raise ProofError(f"{self.host}: OpenERP is not installed there (openerp_install)")
        try:
            for part in (server, part_of(target, WEB)):
                if part is not None:
                    step(f"start {part.service.name}")
                    services.start(self.session, part.service.name, self._options.timeout, step)
                    wait_for(target, part, read_conf(self.session, part), self._options.timeout, step)
            version = rpc_of(target, read_conf(self.session, server)).version()
        except (OpenErpError, StateError) as error:
            raise ProofError(str(error)) from None
        found = look(target, release(version))
        problems = list(found.problems)
        for name, one in found.databases.items():
            if one.problem:
                problems.append(f"{name}: {one.problem}")
            elif one.openerp and one.listed and not one.serves:
                problems.append(f"{name} does not serve: {one.login}")
        logins = {name: one.login for name, one in found.databases.items()}
        return Proof(version, logins, tuple(dict.fromkeys(problems)))

    def databases(self) -> list[str]:
        """Return the databases of the running PostgreSQL."""
        return [one.name for one in self._database().databases() if one.connectable]

    # Files

    def set_aside(self, folder: str) -> AsideFacts:
        """Copy the cluster to a folder outside of what is replicated, and compare.

        Raises:
            ContinuityError: something could not be copied.
        """
        session, timeout = self.session, self._options.copy_timeout
        machine, cluster = self._machine()
        machine.make_private_folder(self._options.aside)
        done = session.run(mirror.arguments(cluster.data, folder), timeout=timeout)
        if done.rc & _NOT_COPIED or done.rc < 0:
            raise ContinuityError(
                f"{self.host}: {cluster.data} could not be copied to {folder} (robocopy ends with {done.rc}): is the disk full?"
            )
        control, _agrees = reading.read_control(session, cluster, folder)
        return AsideFacts(
            folder,
            mirror.difference(session, cluster.data, folder, timeout),
            control.checkpoint if control is not None else "",
        )

    def drop_pid_file(self) -> None:
        """Remove a postmaster.pid that names no process of this server."""
        cluster = self._cluster()
        number = reading.read_pid(self.session, cluster)
        if number is not None and number not in reading.postgres_processes(self.session, cluster):
            files.remove(self.session, f"{cluster.data}\\postmaster.pid")

    def move_damaged(self, folder: str) -> None:
        """Rename the data folder, to a name outside of what is replicated.

        Raises:
            ContinuityError: it is still there.
        """
        cluster = self._cluster()
        away = self._away(cluster, folder)
        if not files.folder_exists(self.session, cluster.data):
            return
        done = self.session.run_line(f"move /y {quote(cluster.data)} {quote(away)}")
        if files.folder_exists(self.session, cluster.data) or not files.folder_exists(self.session, away):
            raise ContinuityError(
                f"{self.host}: {cluster.data} cannot be renamed to {away} ({done.said}); is a program using it?"
            )

    def _away(self, cluster: Cluster, folder: str) -> str:
        """Return where a damaged cluster goes: beside the replicated folder, which is on the same disk."""
        config = self.member.config(self._options.group, self._options.folder)
        root = config.root_path.rstrip("\\") if config is not None else cluster.data
        return f"{root.rpartition(chr(92))[0]}\\{folder}"

    def begin_anew(self, folder: str) -> None:
        """Make an empty cluster in the data folder, with the rights of the service's account; one that is whole stays.

        Args:
            folder: name that ``move_damaged`` gave the former cluster, whose configuration is taken over.

        Raises:
            ContinuityError: it cannot be made.
        """
        session, access = self.session, Access.of(self._options.openerp)
        machine, cluster = self._machine()
        facts, _cluster = self._read()
        if facts.control is None:
            if facts.data_seen:
                # A run was cut in the middle of this; nothing of it is worth anything.
                session.run_line(f"rd /s /q {quote(cluster.data)}")
            machine.make_private_folder(cluster.data)
            # initdb gives up the rights of an administrator before it works, so the account itself needs some.
            acl.grant(session, cluster.data, own_sid(session), "F", inherit=True, below=False)
            machine.make_private_folder(self._options.aside)
            secret = f"{self._options.aside}\\{uuid.uuid4().hex[:12]}.txt"
            try:
                files.write(session, secret, f"{access.password}\r\n".encode())
                acl.grant(session, secret, own_sid(session), "R", inherit=False, below=False)
                done = session.run(
                    [
                        f"{cluster.bin}\\initdb.exe",
                        "-D",
                        cluster.data,
                        "-U",
                        access.user,
                        "-E",
                        "UTF8",
                        "-A",
                        "md5",
                        f"--pwfile={secret}",
                    ],
                    timeout=self._options.copy_timeout,
                )
            finally:
                files.remove(session, secret)
            if reading.read_control(session, cluster, cluster.data)[0] is None:
                raise ContinuityError(f"{self.host}: no cluster can be made in {cluster.data} ({done.said})")
            for name in ("postgresql.conf", "pg_hba.conf"):
                former = f"{self._away(cluster, folder)}\\{name}"
                if files.exists(session, former):
                    files.copy(session, former, f"{cluster.data}\\{name}")
        reading.read_rights(session, facts)
        acl.grant(session, cluster.data, facts.sid, "F", inherit=True, below=True)

    def bring_disk_online(self) -> bool:
        """Bring the disk with the data online; return whether that had to be done.

        Raises:
            ContinuityError: the data are not there, and nobody said on which disk they are.
            WindowsError: it cannot be brought online.
        """
        cluster = self._cluster()
        if files.folder_exists(self.session, cluster.data):
            return False
        if self._options.disk is None:
            raise ContinuityError(
                f"{self.host}: {cluster.data} is not there; say which disk has it: failback_disk with the number that Disk Management shows"
            )
        volumes.bring_online(self.session, self._options.disk, serial=self._options.serial or None)
        deadline = time.monotonic() + self._options.timeout
        while not files.folder_exists(self.session, cluster.data):
            if time.monotonic() > deadline:
                raise ContinuityError(
                    f"{self.host}: disk {self._options.disk} is online, and {cluster.data} is not there; is it the right disk, and mounted?"
                )
            time.sleep(_INTERVAL)
        return True

    def _target(self) -> Target:
        return target_of(
            self.session, WindowsMachine(self.session, service=self._options.openerp["service"]), self._options.openerp
        )

    def _database(self) -> Database:
        database = Database(self._machine()[0], Access.of(self._options.openerp))
        database.identify()
        return database
