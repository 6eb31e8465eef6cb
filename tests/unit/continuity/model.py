# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pair of servers, their domain and their replication in memory, which can be cut before, in the middle of, and after each effect.

The replication copies one file per tick, each as it is then: a copy of a cluster that runs has one file of one moment and another
of another. PostgreSQL recovers from its log what the files lack, and knows nothing of what the log lacks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.journal import Store
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.marker import Marker
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.pair import Pair

from tests.unit.continuity.machine import BUILD, CONTROL, DATA, PG_VERSION, WAL, Control, Group, Machine, Member, Rows
from tests.unit.continuity.waiting import Domain, Loops

FIRST, SECOND = "srv-openerp1", "srv-openerp2"
DATABASES = ("SpecibikeA", "SpecibikeB")


class Cut(BaseException):
    """The controller was killed."""


class School:
    """Both servers, the domain, and what was committed and to whom it was acknowledged."""

    def __init__(self) -> None:
        """The first server serves two databases, and the second has everything."""
        self.stamp = 0
        self.point_at: int | None = None
        self.points = 0
        self.people = 0
        #: What is not copied: not even counted, or counted.
        self.hidden: set[str] = set()
        self.late: set[str] = set()
        self.violations: list[str] = []
        self.stuck = False
        self.told: list[str] = []
        self.dumps: dict[str, Rows] = {}
        self.after: dict[str, Callable[[], object]] = {}
        self.marker: Marker | None = Marker("SRV-OPENERP1", since="2026-11-23T08:00:00+00:00")
        self.group: Group | None = Group(1, True, "SRV-OPENERP1")
        self.machines = {
            host: Machine(self, host, host.upper(), f"127.77.0.{number}")
            for number, host in ((11, FIRST), (12, SECOND))
        }
        self.committed: dict[str, list[int]] = {name: [] for name in DATABASES}
        first, second = self[FIRST], self[SECOND]
        first.write(PG_VERSION, BUILD)
        first.write(CONTROL, Control("6001", 0, "shut down"))
        first.write(WAL, ())
        for name in DATABASES:
            first.write(DATA + name, ())
        for machine in (first, second):
            machine.member = Member(1, True, 4)
        second.files = dict(first.files)
        first.foreign = False
        first.run_postmaster()
        first.openerp = True
        self.commit(*DATABASES)
        self.settle()

    def __getitem__(self, host: str) -> Machine:
        return self.machines[host]

    def other(self, host: str) -> Machine:
        """Return the other server."""
        return self[SECOND if host == FIRST else FIRST]

    # Effects

    def happen(self, *parts: Callable[[], object]) -> None:
        """Do the parts of an effect; the controller may be cut before, between, and after them, and the replication goes on."""
        self.point()
        for part in parts:
            part()
            self.watch()
            self.point()
            self.tick()

    def point(self) -> None:
        """Pass a place where the controller may be cut."""
        self.points += 1
        if self.points == self.point_at:
            raise Cut

    def hook(self, name: str) -> None:
        """Let somebody else do something at this moment, once."""
        self.after.pop(name, lambda: None)()

    def watch(self) -> None:
        """Note what may never be."""
        first, second = self.machines.values()
        if first.postgresql and second.postgresql:
            self.violations.append("two postmasters" + (" with connections" if self.linked(first, second) else ""))

    def fresh_stamp(self) -> int:
        """Return the next moment."""
        self.stamp += 1
        return self.stamp

    # What goes on by itself

    @property
    def server(self) -> Machine | None:
        """Return the server on which people work."""
        return next((one for one in self.machines.values() if one.serves), None)

    def commit(self, *names: str) -> None:
        """Have people write a row into each database, where one is served; it is acknowledged."""
        machine = self.server
        if machine is None:
            return
        for name in names or DATABASES:
            row = machine.commit(name)
            self.committed.setdefault(name, []).append(row)

    def linked(self, one: Machine, two: Machine) -> bool:
        """Return whether files pass between two members: by what they know, not by what the domain says."""
        a, b = one.member, two.member
        if self.stuck or a is None or b is None or not (one.power and two.power and one.online and two.online):
            return False
        return a.number == b.number and a.enabled and b.enabled and 5 not in (a.state, b.state)

    def tick(self) -> None:
        """Copy at most one file each way; a member in its first replication only receives."""
        if self.people:
            self.people -= 1
            self.commit()
        for sender in self.machines.values():
            receiver = self.other(sender.host)
            if not self.linked(sender, receiver) or sender.member is None or sender.member.state != 4:
                continue
            assert receiver.member is not None
            queue = [name for name in sender.outgoing if name not in self.hidden | self.late]
            for name in queue[:1]:
                sender.outgoing.remove(name)
                receiver.receive(name, sender, always=receiver.member.state == 2)
            if receiver.member.state == 2 and not [name for name in sender.outgoing if name not in self.hidden]:
                # What the primary member does not know goes to PreExisting (KB961879).
                for name in set(receiver.files) - set(sender.files):
                    del receiver.files[name]
                receiver.member, receiver.outgoing = replace(receiver.member, state=4), []
        self.watch()

    def settle(self) -> None:
        """Let the replication do all that it can."""
        for _tick in range(20):
            self.tick()

    def boot(self, *hosts: str) -> None:
        """Switch servers off and on: PostgreSQL dies, the member reads the domain, and whoever the marker names starts."""
        for host in hosts:
            self[host].die()
        for host in hosts:
            machine = self[host]
            machine.power = True
            machine.read_domain()
            if not machine.online or not machine.files:
                continue
            named = self.marker is not None and self.marker.names(machine.name)
            if named or machine.modes["PostgreSQL_For_OpenERP"] == "Auto":
                machine.run_postmaster()
            machine.openerp = machine.postgresql and named
            self.watch()

    # How it stands

    def rows(self, host: str) -> dict[str, list[int]]:
        """Return what a server would show people."""
        return {name: list(rows) for name, rows in self[host].recovered().items()}

    def lost(self, host: str) -> dict[str, list[int]]:
        """Return the rows that were acknowledged and are not there."""
        found = self.rows(host)
        gone = {name: sorted(set(rows) - set(found.get(name, []))) for name, rows in self.committed.items()}
        return {name: rows for name, rows in gone.items() if rows}

    def nowhere(self) -> set[int]:
        """Return the rows that were acknowledged and are on neither server, copies aside not counted."""
        wanted = {row for rows in self.committed.values() for row in rows}
        return wanted - {row for host in self.machines for rows in self.rows(host).values() for row in rows}

    def unkept(self) -> set[int]:
        """Return the rows that were acknowledged and are nowhere, not even in a copy that was set aside or moved away."""
        kept = {
            row
            for machine in self.machines.values()
            for files in (*machine.aside.values(), *machine.away.values())
            for name, file in files.items()
            if name.startswith(DATA)
            for row in file.content
        }
        return self.nowhere() - kept

    def end(self, pair: Pair) -> dict[str, Any]:
        """Return the state in which a story has left everything, to compare it with that of another run."""
        return {
            "marker": (self.marker.active, self.marker.moving) if self.marker else None,
            "running": {host: (one.postgresql, one.openerp) for host, one in self.machines.items()},
            "members": {
                host: (one.member.enabled, one.member.state) if one.member else None
                for host, one in self.machines.items()
            },
            "domain": (self.group.enabled, self.group.whole) if self.group else None,
            "lost": self.lost(self.server.host) if self.server else None,
            "journal": pair.store.load() is not None,
            "unkept": self.unkept(),
            "violations": self.violations,
        }


def make_pair(school: School, folder: Path, *, accept_loss: bool = False, dumps: bool = True) -> Pair:
    """Return a pair over a school, as a run of the playbook makes it."""
    return Pair(
        name="openerp",
        servers=dict(school.machines),
        directory=Domain(school),
        waiting=Loops(school),
        store=Store(folder, "openerp"),
        step=lambda text: school.tick(),
        progress=school.told.append,
        aside="C:\\Aside",
        accept_loss=accept_loss,
        dumps=dumps,
    )


def restore_dumps(school: School, host: str) -> None:
    """Restore the newest dumps, as the role database_restore does; into a cluster that runs."""
    machine = school[host]
    assert machine.postgresql, "no PostgreSQL runs into which the dumps could be restored"
    for name, rows in school.dumps.items():
        machine.write(DATA + name, rows)
