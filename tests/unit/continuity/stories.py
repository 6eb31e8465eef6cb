# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stories of a pair: what happens, what the administrator runs, and how each run ends when nothing cuts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity import operations
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.errors import GateError, ProofError
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.facts import CRASH, PLANNED
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.pair import Pair

from tests.unit.continuity.machine import BUILD, DATA, PG_VERSION, SYSTEM
from tests.unit.continuity.model import FIRST, SECOND, Cut, School, make_pair, restore_dumps

Call = Callable[[Pair, School], str]


def failover(to: str, mode: str = PLANNED) -> Call:
    """Return a run of failover.yml, without the restore of dumps."""
    return lambda pair, school: operations.failover(pair, to, mode, check=False).word


def failback(to: str, primary: str = "", *, restore_primary: bool = False) -> Call:
    """Return a run of failback.yml."""
    return lambda pair, school: (
        operations.failback(pair, to, primary, restore_primary=restore_primary, check=False).word
    )


def with_dumps(to: str) -> Call:
    """Return a run of failover.yml in a crash, dumps included."""

    def call(pair: Pair, school: School) -> str:
        word = operations.failover(pair, to, CRASH, check=False).word
        if word == "dumps needed":
            restore_dumps(school, to)
            school.point()
            word = operations.finish(pair, to).word
        return word

    return call


@dataclass(frozen=True)
class Act:
    """A run, and what happens before it.

    Attributes:
        call: the run.
        before: what happens before.
        ends: word of its outcome, or the error with which it ends.
    """

    call: Call
    before: Callable[[School], object] = lambda school: None
    ends: str | type[Exception] = "moved"


class Telling:
    """A story that is being played."""

    def __init__(self, folder: Path) -> None:
        """A new school; the journals stand in ``folder``."""
        self.school, self.folder, self.accept_loss = School(), folder, True

    def pair(self) -> Pair:
        """Return the pair of a new run."""
        return make_pair(self.school, self.folder, accept_loss=self.accept_loss)

    def play(self, act: Act, cut: Callable[[School], object] = lambda school: None, runs: int = 1) -> None:
        """Run an act until it ends as it ought to: a second time where it was cut, and once more where a gate wants it."""
        act.before(self.school)
        said: list[Any] = []
        while len(said) < runs:
            try:
                said.append(act.call(self.pair(), self.school))
            except Cut:
                cut(self.school)
                runs += 1
                said.append("cut")
            except (GateError, ProofError) as error:
                said.append(error)
            if act.ends == said[-1] or (isinstance(act.ends, type) and isinstance(said[-1], act.ends)):
                return
            if said[-1] == "unchanged" and "cut" in said:
                # It was cut when everything was done.
                return
        raise AssertionError(f"{said}; {self.school.told[-8:]}")


def work(school: School) -> None:
    """People work, also while something is waited for, and the replication is not done with it."""
    school.commit()
    school.people = 2


def power_gone(school: School) -> None:
    """What was written last has not been replicated when the first server dies."""
    school.commit()
    school[FIRST].die()


def disk_gone(school: School) -> None:
    """Somebody takes the disk of the first server offline."""
    school.commit()
    school.tick()
    school[FIRST].lose_disk()


def power_back(school: School) -> None:
    """The first server comes back, and people have worked on the second."""
    school.boot(FIRST)
    work(school)


def account_unknown(school: School) -> None:
    """The second server's PostgreSQL runs as an account that the replicated rights do not name."""
    school[SECOND].sid = "S-1-5-21-2-1004"
    disk_gone(school)


def account_fixed(school: School) -> None:
    """Run fix_postgres_service_account.yml."""
    school[SECOND].sid = SYSTEM


def unusable(school: School) -> None:
    """Dumps were made; then the first server dies, and the copy does not start."""
    school.dumps = {name: tuple(rows) for name, rows in school.rows(FIRST).items()}
    school[SECOND].faults.add("unusable")
    power_gone(school)


def torn(school: School) -> None:
    """As before; the copy starts, and cannot be read to its end."""
    unusable(school)
    school[SECOND].faults = {"torn"}


def lies(school: School) -> None:
    """As before; the copy's control file is damaged."""
    unusable(school)
    school[SECOND].faults = set()
    school[SECOND].control_lies = True


def fault(host: str, name: str, *, present: bool = True) -> Callable[[School], None]:
    """Return what brings a fault, or takes it away."""

    def happen(school: School) -> None:
        work(school)
        (school[host].faults.add if present else school[host].faults.discard)(name)

    return happen


def stuck(*, present: bool) -> Callable[[School], None]:
    """Return what brings the replication to a halt, or has it go on."""

    def happen(school: School) -> None:
        work(school)
        school.stuck = present

    return happen


def damaged_control(*, present: bool) -> Callable[[School], None]:
    """Return what damages the second server's control file, or mends it."""

    def happen(school: School) -> None:
        work(school)
        school[SECOND].control_lies = present

    return happen


def worked_on(school: School) -> None:
    """Both servers were worked on, and the standby's files are newer."""
    work(school)
    school[SECOND].write(PG_VERSION, BUILD)
    school[SECOND].write(DATA + "SpecibikeA", school[SECOND].content(DATA + "SpecibikeA"))


BACK = Act(failback(FIRST, SECOND), power_back)
STORIES: dict[str, list[Act]] = {
    "planned": [Act(failover(SECOND), work), Act(failback(FIRST), work), Act(failback(FIRST), work, "unchanged")],
    "power": [Act(failover(SECOND, CRASH), power_gone), BACK],
    "disk": [Act(failover(SECOND, CRASH), disk_gone), Act(failback(FIRST, SECOND), work)],
    "account": [
        Act(failover(SECOND, CRASH), account_unknown, GateError),
        Act(failover(SECOND, CRASH), account_fixed),
        Act(failback(FIRST, SECOND), work),
    ],
    "dumps": [Act(with_dumps(SECOND), unusable), BACK],
    "torn": [Act(with_dumps(SECOND), torn), BACK],
    "lies": [Act(with_dumps(SECOND), lies), BACK],
    "mute": [
        Act(failover(SECOND), fault(SECOND, "mute"), ProofError),
        Act(failover(SECOND), work, GateError),
        Act(failback(FIRST, FIRST), work),
        Act(failover(SECOND), fault(SECOND, "mute", present=False)),
    ],
    "closed": [
        Act(failover(SECOND), damaged_control(present=True), GateError),
        Act(failover(SECOND), damaged_control(present=False)),
    ],
    "dirty": [
        Act(failover(SECOND), fault(SECOND, "dirty"), GateError),
        Act(failover(SECOND), fault(SECOND, "dirty", present=False)),
    ],
    "stuck": [Act(failover(SECOND), stuck(present=True), GateError), Act(failover(SECOND), stuck(present=False))],
    "primary again": [
        Act(failover(SECOND, CRASH), power_gone),
        Act(failback(FIRST, SECOND, restore_primary=True), power_back),
    ],
    "suspended": [
        Act(lambda pair, school: operations.suspend(pair, FIRST, check=False).word, work),
        Act(lambda pair, school: operations.resume(pair, check=False).word, worked_on),
    ],
    "stays": [Act(failover(SECOND, CRASH), power_gone), Act(failback(SECOND, SECOND), power_back)],
}
