# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One server of the pair in memory: its disk, its cluster as files, its services, and what its member knows of the replication."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.errors import (
    ContinuityError,
    CopyError,
    ProofError,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.facts import (
    AsideFacts,
    FolderFacts,
    ServerFacts,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.pair import Proof, Step
from ansible_collections.lycee.openerp.plugins.plugin_utils._postgresql.controldata import ControlData
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import UnreachableError

if TYPE_CHECKING:
    from tests.unit.continuity.model import School

Rows = tuple[int, ...]
Wal = tuple[tuple[int, str], ...]
CONTROL, WAL, PID, PG_VERSION, DATA = "global/pg_control", "pg_xlog/1", "postmaster.pid", "PG_VERSION", "base/"
SYSTEM = "S-1-5-18"
#: What a cluster has in common with its programs: their version, and the width of Windows.
BUILD = ("8.4", 32)


@dataclass(frozen=True)
class Control:
    """The control file: the state is that of the C locale."""

    identifier: str
    checkpoint: int
    state: str

    @property
    def shown(self) -> str:
        """Return the location as pg_controldata writes it."""
        return f"0/{self.checkpoint:X}"


@dataclass(frozen=True)
class Version:
    """A version of a file, and when it was written: of two the later one wins."""

    content: Any
    stamp: int


@dataclass(frozen=True)
class Member:
    """What a member knows of the group: state 2 is the first replication, 4 normal, 5 in error."""

    number: int
    enabled: bool
    state: int


@dataclass
class Group:
    """The replication group as the domain has it."""

    number: int
    enabled: bool
    primary: str
    whole: bool = True
    spec: dict[str, Any] = field(default_factory=lambda: {"name": "OpenERP", "quota": 4096})


class Machine:
    """A server, as the moves see it."""

    def __init__(self, school: School, host: str, name: str, address: str) -> None:
        """A server that is on, with an empty data folder."""
        self.school, self.host, self.name, self.address = school, host, name, address
        self.power = self.wired = self.online = True
        self.postgresql = self.openerp = False
        self.modes = {"PostgreSQL_For_OpenERP": "Manual", "openerp-server-6.0": "Manual"}
        self.sid, self.rights = SYSTEM, {SYSTEM}
        self.program, self.width = "8.4.17", 32
        self.files: dict[str, Version] = {}
        self.aside: dict[str, dict[str, Version]] = {}
        self.away: dict[str, dict[str, Version]] = {}
        self.outgoing: list[str] = []
        self.member: Member | None = None
        self.foreign = True
        self.control_lies = False
        #: Processes of other programs.
        self.others: set[int] = set()
        #: ``unusable`` (the copy does not start), ``mute`` (OpenERP does not serve), ``full`` and ``dirty`` (a copy aside), ``killed`` (a stop).
        self.faults: set[str] = set()

    # The cluster

    def content(self, name: str) -> Any:
        """Return what is in a file, None where it is not there."""
        found = self.files.get(name)
        return found.content if found is not None else None

    def write(self, name: str, content: object) -> None:
        """Write a file, which the member notices; None removes it."""
        if content is None:
            if self.files.pop(name, None) is None:
                return
        else:
            self.files[name] = Version(content, self.school.fresh_stamp())
        if self.member is not None and self.member.state != 2 and name not in self.outgoing:
            self.outgoing.append(name)

    def receive(self, name: str, sender: Machine, *, always: bool) -> None:
        """Take a file over from the other member; the version that was saved last wins, but in a first replication."""
        theirs, mine = sender.files.get(name), self.files.get(name)
        if theirs is not None and mine is not None and mine.stamp > theirs.stamp and not always:
            return
        if theirs == mine:
            return
        if self.postgresql and name != PID:
            self.school.violations.append(f"{name} is written under the postmaster of {self.host}")
        if theirs is None:
            del self.files[name]
        else:
            self.files[name] = theirs
        self.rights, self.foreign = set(sender.rights), True

    def recovered(self) -> dict[str, Rows]:
        """Return the databases as PostgreSQL shows them after its start."""
        found: dict[str, Rows] = {
            name[len(DATA) :]: file.content for name, file in self.files.items() if name.startswith(DATA)
        }
        control: Control | None = self.content(CONTROL)
        if control is None or control.state == "shut down":
            return found
        wal: Wal = self.content(WAL) or ()
        end = max([control.checkpoint, *(row for row, _name in wal)])
        return {
            name: tuple(
                sorted(
                    {row for row in rows if row <= end}
                    | {row for row, database in wal if database == name and row > control.checkpoint}
                )
            )
            for name, rows in found.items()
        }

    def run_postmaster(self) -> None:
        """Start PostgreSQL, which writes to nearly every file."""
        control: Control | None = self.content(CONTROL)
        if control is None or "unusable" in self.faults:
            raise CopyError(f"{self.host}: PostgreSQL ends at once")
        if self.content(PID) in self.others:
            raise ProofError(f"{self.host}: PostgreSQL finds a postmaster.pid whose process lives")
        if self.sid not in self.rights:
            raise CopyError(f"{self.host}: PostgreSQL may not read its files")
        if self.content(PG_VERSION) != (self.program.rpartition(".")[0], self.width):
            raise CopyError(f"{self.host}: the files were written by another build")
        seen = {name: file for name, file in self.files.items() if name != PID}
        if self.foreign and seen not in self.aside.values():
            self.school.violations.append(f"a copy that was not set aside is started on {self.host}")
        self.foreign = False
        for name, rows in self.recovered().items():
            self.write(DATA + name, rows)
        if control.state != "shut down":
            control = replace(control, checkpoint=self.school.fresh_stamp())
        self.write(WAL, ())
        self.write(CONTROL, replace(control, state="in production"))
        self.write(PID, 4000 + self.school.stamp)
        self.postgresql = True

    def end_postmaster(self) -> None:
        """Stop PostgreSQL in an orderly way, or kill it."""
        self.postgresql = False
        if "killed" in self.faults:
            return
        control: Control = self.content(CONTROL)
        self.write(WAL, ())
        self.write(CONTROL, replace(control, checkpoint=self.school.fresh_stamp(), state="shut down"))
        self.write(PID, None)

    def commit(self, name: str) -> int:
        """Have a row committed: in the log first."""
        row = self.school.fresh_stamp()
        self.write(WAL, (*(self.content(WAL) or ()), (row, name)))
        self.write(DATA + name, (*(self.content(DATA + name) or ()), row))
        return row

    @property
    def serves(self) -> bool:
        """Return whether people can work."""
        return self.power and self.online and self.postgresql and self.openerp and "mute" not in self.faults

    def die(self) -> None:
        """Lose the power."""
        self.power = self.postgresql = self.openerp = False

    def lose_disk(self) -> None:
        """Lose the disk with the data: what runs on it dies."""
        self.online = self.postgresql = self.openerp = False

    def read_domain(self) -> None:
        """Take over what the domain says of the replication."""
        group = self.school.group
        if group is None or not group.whole:
            self.member, self.outgoing = None, []
            return
        if self.member is not None and self.member.number == group.number:
            self.member = replace(self.member, enabled=group.enabled)
            return
        primary = group.primary == self.name
        self.member = Member(group.number, group.enabled, 4 if primary else 2)
        self.outgoing = list(self.files) if primary else []

    # What the moves call

    def _ask(self) -> None:
        if self.reachable():
            raise UnreachableError(f"{self.host}: no answer")

    def reachable(self) -> str:
        """Return why it does not answer."""
        return "" if self.power and self.wired else "timed out"

    def signs(self) -> list[str]:
        """Return that it lives although WinRM does not answer."""
        return ["port 5432 answers this machine"] if self.power else []

    def answers(self, address: str) -> bool | None:
        """Ping."""
        self._ask()
        return any(one.address == address and one.power for one in self.school.machines.values())

    def facts(self, *, rights: bool = False, room: bool = False) -> ServerFacts:
        """Return everything of it."""
        self._ask()
        found = ServerFacts(
            self.host,
            self.name,
            service="PostgreSQL_For_OpenERP",
            state="Running" if self.postgresql else "Stopped",
            account="LocalSystem",
            start_modes=dict(self.modes),
            openerp={"openerp-server-6.0": "Running" if self.openerp else "Stopped"},
            data="C:\\data",
            program=self.program,
            width=self.width,
            sid=self.sid,
        )
        found.processes = [self.content(PID) or 1] if self.postgresql else []
        if not self.online:
            return found
        found.data_seen = PG_VERSION in self.files
        if found.data_seen:
            found.cluster, found.pid = self.content(PG_VERSION)[0], self.content(PID)
            found.control, found.control_agrees = self._control(), not self.control_lies
            found.denied = (0 if self.sid in self.rights else len(self.files)) if rights else None
        if room:
            found.size, found.free = 1000, 1000 if "full" in self.faults else 9000
        return found

    def _control(self) -> ControlData | None:
        control: Control | None = self.content(CONTROL)
        if control is None:
            return None
        return ControlData(control.state, control.identifier, 843, 200904091, control.shown, "24/11/2026", "by value")

    def stop_openerp(self, step: Step) -> None:
        self._ask()
        if self.openerp:
            self.school.happen(lambda: setattr(self, "openerp", False))

    def stop_postgresql(self, step: Step) -> None:
        self._ask()
        if self.postgresql:
            self.school.happen(self.end_postmaster)
        self.school.hook("stopped")

    def databases(self) -> list[str]:
        self._ask()
        assert self.postgresql
        return sorted(self.recovered())

    def set_aside(self, folder: str) -> AsideFacts:
        self._ask()
        whole = {name: file for name, file in self.files.items() if name != PID}
        part = dict(list(whole.items())[:2])

        def copy(files: dict[str, Version]) -> None:
            assert not self.postgresql, "a cluster that runs is set aside"
            self.aside[folder] = files

        if "full" in self.faults:
            copy(part)
            raise ContinuityError(f"{self.host}: the disk is full")
        if "dirty" in self.faults:
            copy(part)
            return AsideFacts(folder, 2, "")
        self.school.happen(lambda: copy(part), lambda: copy(whole))
        control = self.content(CONTROL)
        return AsideFacts(folder, 0, control.shown if control is not None else "")

    def drop_pid_file(self) -> None:
        self._ask()
        if PID in self.files and not self.postgresql:
            self.school.happen(lambda: self.write(PID, None))

    def start_postgresql(self, step: Step, *, whole: bool) -> list[str]:
        self._ask()
        if not self.online:
            raise ProofError(f"{self.host}: PostgreSQL does not start")
        if not self.postgresql:
            self.school.happen(self.run_postmaster, lambda: None)
        if whole and "torn" in self.faults:
            raise CopyError(f"{self.host}: SpecibikeB cannot be read")
        return sorted(self.recovered())

    def start_openerp(self, step: Step) -> Proof:
        self._ask()
        if not self.postgresql:
            raise ProofError(f"{self.host}: OpenERP finds no PostgreSQL")
        if not self.openerp:
            self.school.happen(lambda: setattr(self, "openerp", True))
        problems = ("no login is answered",) if "mute" in self.faults else ()
        return Proof("6.0.3", dict.fromkeys(self.recovered(), "good"), problems)

    def move_damaged(self, folder: str) -> None:
        self._ask()
        assert not self.postgresql, "a cluster that runs is moved away"
        if not self.files:
            return

        def move() -> None:
            self.away[folder] = dict(self.files)
            for name in list(self.files):
                self.write(name, None)
            self.faults -= {"unusable", "torn"}
            self.control_lies = False

        self.school.happen(move)

    def begin_anew(self, folder: str) -> None:
        self._ask()
        if CONTROL in self.files:
            return

        def whole() -> None:
            self.write(CONTROL, Control("7001", self.school.stamp, "shut down"))
            self.rights, self.foreign = {self.sid}, False

        self.school.happen(lambda: self.write(PG_VERSION, (self.program.rpartition(".")[0], self.width)), whole)

    def bring_disk_online(self) -> bool:
        self._ask()
        if self.online:
            return False

        def online() -> None:
            self.online = True
            if self.modes["PostgreSQL_For_OpenERP"] == "Auto":
                # The service has waited for its disk.
                self.run_postmaster()

        self.school.happen(online)
        return True

    def folder(self) -> FolderFacts:
        self._ask()
        if self.member is None:
            return FolderFacts(known=False)
        state = self.member.state if self.online else 5
        partner = self.school.other(self.host).name
        return FolderFacts(True, state, 0, (partner,) if self.member.enabled else ())

    def poll(self) -> None:
        self._ask()
        group, known = self.school.group, self.member
        now = None if group is None or not group.whole else (group.number, group.enabled)
        if now != ((known.number, known.enabled) if known is not None else None):
            self.school.happen(self.read_domain)

    def clock(self) -> str:
        self._ask()
        return "20261124173000.000000+060"
